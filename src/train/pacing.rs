//! The learning rate of each step of a run: the schedule, the losses that it looks at, and what the
//! optimizer needs of it.

use super::history::EpochRecord;
use super::trainer::Trainer;
use crate::optim::schedule::{Monitor, Pacing, Unit, Watched};
use crate::optim::{Optimizer, Pace};

impl Trainer {
    /// How the learning rate goes over the training; default constant. A
    /// [`Schedule`](crate::optim::schedule::Schedule) counts epochs, or steps after `per_step()`.
    ///
    /// Settings that make no sense are an error of [`fit`](Self::fit).
    ///
    /// ```
    /// use wgrad::{Loss, Trainer, optim::{Sgd, schedule::Schedule}};
    ///
    /// let schedule = Schedule::cosine(100).after_warmup(10, 0.1);
    /// let trainer = Trainer::new(Loss::Mse, Sgd::new(0.1)).epochs(110).schedule(schedule);
    /// ```
    #[must_use]
    pub fn schedule(mut self, schedule: impl Into<Pacing>) -> Self {
        self.settings.schedule = schedule.into();
        self
    }
}

/// The rates of a run.
pub(super) struct Pacer {
    optimizer: Optimizer,
    pacing: Pacing,
    pace: Pace,
    /// What the schedule remembers of the losses.
    pub(super) watched: Watched,
    /// The steps of an epoch.
    steps: u64,
}

impl Pacer {
    pub(super) fn new(optimizer: Optimizer, pacing: Pacing, steps: usize) -> Self {
        let mut pacer = Self {
            optimizer,
            pacing,
            pace: Pace::after(0, &optimizer, |_| None),
            watched: Watched::default(),
            steps: steps as u64,
        };
        pacer.restore(0, Watched::default());
        pacer
    }

    /// Goes to where a run was after `step` steps.
    pub(super) fn restore(&mut self, step: u64, watched: Watched) {
        self.pace = Pace::after(step, &self.optimizer, |step| self.momentum(step));
        self.watched = watched;
    }

    /// The learning rate of a step, counted from 0.
    pub(super) fn rate(&self, step: u64) -> f64 {
        let base = self.optimizer.learning_rate();
        self.pacing.schedule.rate_given(base, self.position(step), &self.watched)
    }

    /// The optimizer's coefficients of a step, counted from 0; every step is asked for in turn.
    pub(super) fn coefficients(&mut self, step: u64) -> [f32; 8] {
        let (rate, momentum) = (self.rate(step), self.momentum(step));
        self.pace.next(&self.optimizer, rate, momentum)
    }

    /// The epochs that may be trained before their losses have to be looked at.
    pub(super) fn patience(&self) -> usize {
        usize::try_from(self.pacing.schedule.patience(&self.watched)).unwrap_or(usize::MAX)
    }

    /// Sees an epoch.
    pub(super) fn observe(&mut self, record: &EpochRecord) {
        let loss = match (self.pacing.schedule.monitor(), record.validation_loss) {
            (None, _) => return,
            (Some(Monitor::Validation), Some(loss)) => loss,
            _ => record.train_loss,
        };
        let last = self.position(record.epoch as u64 * self.steps - 1);
        let base = self.optimizer.learning_rate();
        self.pacing.schedule.observe(base, last, loss, &mut self.watched);
    }

    /// The momentum of a step, counted from 0, if it is not the optimizer's own. An optimizer
    /// without momentum has no place for one.
    fn momentum(&self, step: u64) -> Option<f64> {
        if self.optimizer.momentum() == 0.0 {
            return None;
        }
        self.pacing.schedule.momentum(self.position(step))
    }

    /// What the schedule counts, before a step.
    fn position(&self, step: u64) -> u64 {
        match self.pacing.unit {
            Unit::Step => step,
            Unit::Epoch => step / self.steps,
        }
    }
}
