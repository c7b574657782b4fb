//! A network of those that go in step.

use super::Job;
use crate::device::Strategy;
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::LossReduction;
use crate::train::flight::Plan;
use crate::train::pacing::Pacer;
use crate::train::run::check_finite;
use crate::train::{EpochRecord, History};

/// A network of those that go in step.
pub(super) struct Member<'a> {
    mlp: &'a Mlp,
    pub(super) seed: u64,
    record_steps: bool,
    pub(super) pacer: Pacer,
    /// Its parameters as they were last read and finite.
    parameters: Vec<f32>,
    pub(super) history: History,
    /// Why it is out; its workgroup goes on, and nobody looks at what it does.
    pub(super) out: Option<Error>,
}

/// The epochs of a flight.
pub(super) struct Epochs<'a> {
    pub(super) plan: &'a Plan,
    pub(super) reduction: LossReduction,
    /// How many there were before.
    pub(super) done: usize,
    /// The seconds of each.
    pub(super) each: f64,
}

impl<'a> Member<'a> {
    pub(super) fn new(
        job: &'a Job<'_>,
        parameters: Vec<f32>,
        plan: &Plan,
        (strategy, reason): (Strategy, &str),
    ) -> Self {
        let settings = &job.trainer.settings;
        Self {
            mlp: job.mlp,
            seed: settings.seed,
            record_steps: job.trainer.record_steps,
            pacer: Pacer::new(settings.optimizer, settings.schedule.clone(), plan.updates()),
            parameters,
            history: History { strategy, strategy_reason: reason.into(), ..History::default() },
            out: None,
        }
    }

    /// Takes what a flight has left.
    pub(super) fn see(&mut self, epochs: &Epochs<'_>, losses: &[f32], parameters: &[f32]) {
        if self.out.is_some() {
            return;
        }
        let Epochs { plan, done, .. } = *epochs;
        let network = self.mlp.network();
        if let Err(error) = check_finite(network, losses, parameters, done, plan.steps) {
            self.out = Some(error);
            return;
        }
        for (epoch, losses) in (done + 1..).zip(losses.chunks_exact(plan.steps)) {
            self.history.epochs.push(EpochRecord {
                epoch,
                train_loss: plan.loss(epochs.reduction, losses),
                validation_loss: None,
                metrics: Vec::new(),
                learning_rate: self.pacer.rate((epoch * plan.updates() - 1) as u64),
                seconds: epochs.each,
            });
        }
        if self.record_steps {
            self.history.step_losses.extend_from_slice(losses);
        }
        self.parameters.copy_from_slice(parameters);
    }

    /// Leaves the network with what it learned.
    pub(super) fn end(self) -> Result<History> {
        self.mlp.buffer().write(0, &self.parameters)?;
        self.out.map_or(Ok(self.history), Err)
    }
}
