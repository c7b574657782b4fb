//! Networks side by side on the threads of their device.

use std::sync::{Mutex, PoisonError};

use super::Job;
use crate::data::Dataset;
use crate::device::{Calibration, Device, Strategy};
use crate::error::Result;
use crate::mlp::Mlp;
use crate::persist::{Checkpoint, RunSettings};
use crate::train::metric::Metric;
use crate::train::recording::Recorder;
use crate::train::{History, Trainer};

/// What a trainer is beside those who watch it: this may go to another thread.
struct Unwatched {
    settings: RunSettings,
    epochs: usize,
    record_steps: bool,
    recorder: Option<Recorder>,
    strategy: Strategy,
    calibration: Option<Calibration>,
    trace_every: Option<usize>,
    validation: Option<Dataset>,
    metrics: Vec<Metric>,
    resume: Option<Checkpoint>,
}

impl Unwatched {
    /// A trainer's settings, if nobody watches it.
    fn of(trainer: &Trainer) -> Option<Self> {
        let unwatched = trainer.watchers.is_empty() && trainer.checkpoints.is_none();
        unwatched.then(|| Self {
            settings: trainer.settings.clone(),
            epochs: trainer.epochs,
            record_steps: trainer.record_steps,
            recorder: trainer.recorder.clone(),
            strategy: trainer.strategy,
            calibration: trainer.calibration,
            trace_every: trainer.trace_every,
            validation: trainer.validation.clone(),
            metrics: trainer.metrics.clone(),
            resume: trainer.resume.clone(),
        })
    }

    /// The trainer, without its progress bar: there are as many as threads at a time.
    fn trainer(self) -> Trainer {
        let (loss, optimizer) = (self.settings.loss, self.settings.optimizer);
        Trainer {
            settings: self.settings,
            epochs: self.epochs,
            record_steps: self.record_steps,
            recorder: self.recorder,
            strategy: self.strategy,
            calibration: self.calibration,
            trace_every: self.trace_every,
            validation: self.validation,
            metrics: self.metrics,
            resume: self.resume,
            ..Trainer::new(loss, optimizer)
        }
    }
}

/// A network for the thread that takes it.
struct Task<'a> {
    trainer: Option<Unwatched>,
    mlp: &'a mut Mlp,
    data: &'a Dataset,
    result: &'a mut Option<Result<History>>,
}

impl<'a> Task<'a> {
    /// The task that a job is, if nobody watches it.
    fn of(job: &'a mut Job<'_>) -> Option<Self> {
        let trainer = Some(Unwatched::of(&job.trainer)?);
        Some(Self { trainer, mlp: &mut *job.mlp, data: job.data, result: &mut job.result })
    }
}

/// Trains what nobody watches and is on a device with threads.
pub(super) fn train(jobs: &mut [Job<'_>]) {
    let mut devices: Vec<Device> = Vec::new();
    for job in jobs.iter() {
        if !devices.contains(job.mlp.device()) {
            devices.push(job.mlp.device().clone());
        }
    }
    devices.iter().for_each(|device| side_by_side(device, jobs));
}

fn side_by_side(device: &Device, jobs: &mut [Job<'_>]) {
    let waiting = jobs.iter_mut().filter(|job| job.result.is_none() && job.mlp.device() == device);
    let tasks: Vec<Mutex<Task<'_>>> = waiting.filter_map(Task::of).map(Mutex::new).collect();
    // One has all threads to itself.
    if tasks.len() < 2 {
        return;
    }
    device.backend().side_by_side(tasks.len(), &|number| {
        // Nobody else locks it: every number comes once.
        let mut task = tasks[number].lock().unwrap_or_else(PoisonError::into_inner);
        let task = &mut *task;
        if let Some(trainer) = task.trainer.take() {
            *task.result = Some(trainer.trainer().fit(task.mlp, task.data));
        }
    });
}
