//! A fit under way: flights of epochs, what they leave, and checkpoints of it.

use super::engine::{Engine, Setup};
use super::history::{EpochRecord, History};
use super::progress::Progress;
use super::stopwatch::Stopwatch;
use super::trainer::Trainer;
use super::validation::Validation;
use crate::data::Dataset;
use crate::device::Launch;
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::persist::{Checkpoint, MOMENTS, RunSettings};
use crate::program::names;

/// A fit under way.
pub(super) struct Run<'a> {
    mlp: &'a Mlp,
    pub(super) engine: Engine,
    validation: Option<Validation>,
    settings: RunSettings,
    record_steps: bool,
    pub(super) progress: Progress,
    launches: Vec<Launch>,
    pub(super) epoch: usize,
    step: u64,
    /// As they were last read.
    pub(super) parameters: Vec<f32>,
}

impl<'a> Run<'a> {
    pub(super) fn new(trainer: &Trainer, mlp: &'a Mlp, train: &Dataset) -> Result<Self> {
        let setup = Setup {
            objective: trainer.objective(),
            optimizer: Some(trainer.optimizer),
            batch_size: trainer.batch_size,
            shuffle: trainer.shuffle,
            most_epochs: trainer.patience(),
        };
        let engine = Engine::new(mlp, train, setup)?;
        let validation = (trainer.validation.as_ref())
            .map(|data| Validation::new(mlp, data, trainer.loss, &trainer.metrics))
            .transpose()?;
        let settings = trainer.settings(train.len());
        let progress = Progress::new(trainer.progress, trainer.epochs, train.len());
        Ok(Self {
            mlp,
            launches: Vec::with_capacity(engine.plan.slots()),
            engine,
            validation,
            settings,
            record_steps: trainer.record_steps,
            progress,
            epoch: 0,
            step: 0,
            parameters: Vec::new(),
        })
    }

    /// Puts network and optimizer where a checkpoint has them.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is not of this run, and the device's.
    pub(super) fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.check(self.mlp.network(), &self.settings)?;
        for (name, words) in MOMENTS.into_iter().zip(&checkpoint.moments) {
            self.engine.buffer(name).map_or(Ok(()), |buffer| buffer.write(0, words))?;
        }
        self.mlp.buffer().write(0, &checkpoint.parameters)?;
        (self.epoch, self.step) = (checkpoint.epoch, checkpoint.step);
        Ok(())
    }

    /// The run as it is after the epochs that were last trained.
    pub(super) async fn checkpoint(&self) -> Result<Checkpoint> {
        let buffers: Vec<_> = MOMENTS.iter().filter_map(|name| self.engine.buffer(name)).collect();
        let ranges: Vec<_> =
            buffers.iter().map(|buffer| (buffer.storage(), 0..buffer.words())).collect();
        let moments = match ranges[..] {
            [] => Vec::new(),
            _ => self.mlp.device().backend().read(&ranges).await?,
        };
        Ok(Checkpoint {
            network: self.mlp.network().clone(),
            settings: self.settings.clone(),
            epoch: self.epoch,
            step: self.step,
            parameters: self.parameters.clone(),
            moments,
        })
    }

    /// Trains `count` epochs, reads what they left in one go, and gives the seconds they took.
    pub(super) async fn flight(&mut self, count: usize, history: &mut History) -> Result<f64> {
        let watch = Stopwatch::start();
        let plan = self.engine.plan;
        let RunSettings { optimizer, seed, .. } = self.settings;
        let rate = optimizer.learning_rate();
        let order = plan.order(seed, self.epoch, count);
        self.engine.write_order(&order)?;
        plan.launches(count, self.step, &optimizer, |_| rate, &mut self.launches);
        self.engine.queue(&self.launches)?;
        if let Some(validation) = &mut self.validation {
            validation.predictor.queue()?;
        }
        let [losses, parameters, predictions] = self.read_back(count * plan.steps).await?;
        self.check_finite(&losses, &parameters)?;

        let seconds = watch.seconds();
        let mut orders = order.chunks_exact(plan.rows);
        for losses in losses.chunks_exact(plan.steps) {
            let order = orders.next().unwrap_or_default();
            self.epoch += 1;
            history.epochs.push(EpochRecord {
                epoch: self.epoch,
                train_loss: self.engine.epoch_loss(losses, order),
                validation_loss: None,
                metrics: Vec::new(),
                learning_rate: rate,
                seconds: seconds / count as f64,
            });
        }
        if let (Some(validation), Some(last)) = (&self.validation, history.epochs.last_mut()) {
            validation.score(predictions, last)?;
        }
        if self.record_steps {
            history.step_losses.extend_from_slice(&losses);
        }
        self.step += losses.len() as u64;
        self.parameters = parameters;
        Ok(seconds)
    }

    /// The losses, the parameters and the validation set's outputs, by one wait.
    async fn read_back(&self, losses: usize) -> Result<[Vec<f32>; 3]> {
        let parameters = self.mlp.buffer();
        let mut ranges = vec![(parameters.storage(), 0..parameters.words())];
        if let Some(buffer) = self.engine.buffer(names::LOSSES) {
            ranges.push((buffer.storage(), 0..losses));
        }
        if let Some(validation) = &self.validation {
            let predictions = &validation.predictor.predictions;
            ranges.push((predictions.storage(), 0..predictions.words()));
        }
        let mut parts = self.mlp.device().backend().read(&ranges).await?.into_iter();
        let mut next = || parts.next().unwrap_or_default();
        let parameters = next();
        Ok([next(), parameters, next()])
    }

    /// Checks that training has not left the numbers that f32 holds.
    fn check_finite(&self, losses: &[f32], parameters: &[f32]) -> Result<()> {
        let bad_step = losses.iter().position(|loss| !loss.is_finite());
        let bad = |p: &crate::nn::Parameter| parameters[p.range()].iter().any(|x| !x.is_finite());
        let named = self.mlp.network().parameters().into_iter().find(bad);
        if bad_step.is_none() && named.is_none() {
            return Ok(());
        }
        let at = bad_step.unwrap_or(losses.len() - 1);
        Err(Error::Diverged {
            what: named.map_or_else(|| "the loss".to_owned(), |parameter| parameter.name),
            epoch: self.epoch + at / self.engine.plan.steps + 1,
            step: self.step + at as u64 + 1,
        })
    }
}
