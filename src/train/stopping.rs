//! When training has gone on long enough.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::history::EpochRecord;
use super::metric::Metric;
use super::trainer::Trainer;
use super::watch::Watch;
use crate::error::{Error, Result};
use crate::optim::Domain;
use crate::stopwatch::Stopwatch;

/// Why a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// All epochs were trained.
    #[default]
    Epochs,
    /// A callback broke it off.
    Callback,
    /// The loss stopped falling; see [`Trainer::stop_when_converged`].
    Converged,
    /// The monitored value stopped improving; see [`Trainer::early_stopping`].
    EarlyStopping,
    /// The schedule came to its end: scikit-learn's `adaptive` has no smaller rate.
    Schedule,
    /// The time was up; see [`Trainer::time_budget`].
    TimeBudget,
}

/// What early stopping goes by.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Monitor {
    /// The loss on the training set.
    TrainLoss,
    /// The loss on the validation set.
    ValidationLoss,
    /// A metric on the validation set, one of those asked for by [`Trainer::metric`].
    Metric(Metric),
}

impl Monitor {
    /// The monitored value of an epoch, such that less is better; NaN if it is not there.
    fn cost(self, record: &EpochRecord) -> f64 {
        match self {
            Self::TrainLoss => record.train_loss,
            Self::ValidationLoss => record.validation_loss.unwrap_or(f64::NAN),
            Self::Metric(metric) => {
                let value = record.metric(metric).unwrap_or(f64::NAN);
                if metric.more_is_better() { -value } else { value }
            }
        }
    }
}

/// Ends a training when a value has not improved for some epochs: Keras' `EarlyStopping`.
///
/// An epoch improves on the best one if its value is better by more than `min_delta`. Training ends
/// after `patience` epochs in a row that do not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStopping {
    /// The value; default the validation loss.
    pub monitor: Monitor,
    /// The epochs without improvement that end the training; at least 1.
    pub patience: usize,
    /// What counts as an improvement has to be more than this; default 0.
    pub min_delta: f64,
    /// Whether the network gets the parameters of its best epoch at the end, whatever ends the
    /// training; default true.
    pub restore_best: bool,
}

impl EarlyStopping {
    /// Goes by the validation loss, and restores the best parameters.
    #[must_use]
    pub fn new(patience: usize) -> Self {
        Self { monitor: Monitor::ValidationLoss, patience, min_delta: 0.0, restore_best: true }
    }

    /// The same by another value.
    #[must_use]
    pub fn monitor(self, monitor: Monitor) -> Self {
        Self { monitor, ..self }
    }

    /// The same with an improvement that counts.
    #[must_use]
    pub fn min_delta(self, min_delta: f64) -> Self {
        Self { min_delta, ..self }
    }

    /// The same, with or without the best parameters at the end.
    #[must_use]
    pub fn restore_best(self, restore_best: bool) -> Self {
        Self { restore_best, ..self }
    }
}

/// Early stopping under way.
struct Early {
    rule: EarlyStopping,
    best: f64,
    wait: usize,
    parameters: Option<Vec<f32>>,
}

impl Watch for Early {
    fn begin(&mut self) {
        (self.best, self.wait, self.parameters) = (f64::INFINITY, 0, None);
    }

    fn check(&self, trainer: &Trainer) -> Result<()> {
        let EarlyStopping { monitor, patience, min_delta, .. } = self.rule;
        if patience == 0 {
            let expected = "at least one epoch must fail to improve before training ends";
            return Err(Error::argument("the patience of early stopping", 0, expected));
        }
        Domain::not_negative("min_delta of early stopping", min_delta).check()?;
        let there = match monitor {
            Monitor::TrainLoss => true,
            Monitor::ValidationLoss => trainer.validation.is_some(),
            Monitor::Metric(metric) => trainer.metrics.contains(&metric),
        };
        if there {
            return Ok(());
        }
        let expected = "the trainer does not compute it: add `.validation(&data)`, and \
                        `.metric(metric)` for a metric, or monitor `TrainLoss`";
        Err(Error::argument("what early stopping monitors", format!("{monitor:?}"), expected))
    }

    fn patience(&self) -> usize {
        if self.rule.restore_best { 1 } else { self.rule.patience - self.wait }
    }

    fn epoch(&mut self, record: &EpochRecord, parameters: &[f32]) -> ControlFlow<StopReason> {
        let cost = self.rule.monitor.cost(record);
        if cost < self.best - self.rule.min_delta {
            (self.best, self.wait) = (cost, 0);
            self.parameters = self.rule.restore_best.then(|| parameters.to_vec());
            return ControlFlow::Continue(());
        }
        self.wait += 1;
        if self.wait < self.rule.patience {
            return ControlFlow::Continue(());
        }
        // A flight may be longer than what is left; what comes after the end does not count.
        self.wait = self.rule.patience - 1;
        ControlFlow::Break(StopReason::EarlyStopping)
    }

    fn restore(&mut self) -> Option<Vec<f32>> {
        self.parameters.take()
    }
}

/// scikit-learn's count of epochs without improvement by `tol`.
///
/// The best value moves with every improvement, however small: `_update_no_improvement_count` of
/// its `_multilayer_perceptron.py`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stagnation {
    tol: f64,
    n_iter_no_change: usize,
    best: f64,
    count: usize,
}

impl Stagnation {
    pub(crate) fn new(tol: f64, n_iter_no_change: usize) -> Self {
        Self { tol, n_iter_no_change, best: f64::INFINITY, count: 0 }
    }

    /// Sees the value of an epoch, less being better; whether it is the best.
    pub(crate) fn see(&mut self, value: f64) -> bool {
        self.count = if value <= self.best - self.tol { 0 } else { self.count + 1 };
        let best = value < self.best;
        if best {
            self.best = value;
        }
        best
    }

    /// The best value; infinite before there is one.
    pub(crate) fn best(&self) -> f64 {
        self.best
    }

    /// Whether more than `n_iter_no_change` epochs have passed without improvement.
    pub(crate) fn is_over(&self) -> bool {
        self.count > self.n_iter_no_change
    }

    /// The epochs that must pass before it can be over.
    pub(crate) fn patience(&self) -> usize {
        self.n_iter_no_change.saturating_sub(self.count).saturating_add(1)
    }
}

/// Stagnation of the training loss.
struct Convergence {
    start: Stagnation,
    now: Stagnation,
}

impl Watch for Convergence {
    fn begin(&mut self) {
        self.now = self.start;
    }

    fn check(&self, _trainer: &Trainer) -> Result<()> {
        Domain::not_negative("tol", self.start.tol).check()
    }

    fn patience(&self) -> usize {
        self.now.patience()
    }

    fn epoch(&mut self, record: &EpochRecord, _parameters: &[f32]) -> ControlFlow<StopReason> {
        self.now.see(record.train_loss);
        match self.now.is_over() {
            true => ControlFlow::Break(StopReason::Converged),
            false => ControlFlow::Continue(()),
        }
    }
}

/// An end by the clock.
struct TimeBudget {
    budget: Duration,
    watch: Stopwatch,
}

impl Watch for TimeBudget {
    fn begin(&mut self) {
        self.watch = Stopwatch::start();
    }

    fn patience(&self) -> usize {
        // Flights of epochs are kept short as it is.
        usize::MAX
    }

    fn epoch(&mut self, _record: &EpochRecord, _parameters: &[f32]) -> ControlFlow<StopReason> {
        match self.watch.seconds() >= self.budget.as_secs_f64() {
            true => ControlFlow::Break(StopReason::TimeBudget),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Trainer {
    /// Ends the training when a value has stopped improving; see [`EarlyStopping`]. Default: never.
    ///
    /// ```
    /// # use ndarray::array;
    /// # use wgrad::{Activation, Adam, Dataset, Device, Loss, Mlp, Trainer};
    /// use wgrad::train::EarlyStopping;
    /// # let x = array![[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    /// # let data = Dataset::regression(&x, &array![0.0f32, 1.0, 1.0, 0.0])?;
    /// # let mut mlp = Mlp::builder(2).hidden(8, Activation::Tanh).output(1).build(&Device::cpu())?;
    /// let mut trainer = Trainer::new(Loss::Mse, Adam::new(0.05))
    ///     .epochs(1000)
    ///     .validation(&data)
    ///     .early_stopping(EarlyStopping::new(20));
    /// let history = trainer.fit(&mut mlp, &data)?;
    /// println!("{:?} after {} epochs", history.stop_reason, history.epochs.len());
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    #[must_use]
    pub fn early_stopping(self, rule: EarlyStopping) -> Self {
        self.watch(Early { rule, best: f64::INFINITY, wait: 0, parameters: None })
    }

    /// Ends the training by scikit-learn's rule: when for more than `n_iter_no_change` epochs in a
    /// row the training loss was not less than the best one by at least `tol`. There the defaults
    /// are 1e-4 and 10; here it is off by default.
    #[must_use]
    pub fn stop_when_converged(self, tol: f64, n_iter_no_change: usize) -> Self {
        let start = Stagnation::new(tol, n_iter_no_change);
        self.watch(Convergence { start, now: start })
    }

    /// Ends the training after the epoch in which the time is up; default: never. Epochs that were
    /// queued together end together, a fraction of a second later at most, or an epoch.
    ///
    /// A run that ends by the clock is not reproducible. Where there is no clock it has no end.
    #[must_use]
    pub fn time_budget(self, budget: Duration) -> Self {
        self.watch(TimeBudget { budget, watch: Stopwatch::start() })
    }
}
