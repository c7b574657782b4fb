//! The trainer: what to train with, and the loop over epochs.

use std::ops::ControlFlow;

use super::checkpoint::Checkpoints;
use super::history::{EpochRecord, History};
use super::metric::Metric;
use super::recording::Recorder;
use super::run::Run;
use super::stopping::StopReason;
use super::watch::{Callback, Watch};
use crate::data::Dataset;
use crate::device::{Calibration, Precision, Strategy};
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::Loss;
use crate::optim::Optimizer;
use crate::persist::{Checkpoint, RunSettings};

/// A flight is made longer until it takes this long, so that reading back costs little and a
/// progress bar still moves.
pub(super) const FLIGHT_SECONDS: f64 = 0.1;

/// Trains networks: a loss, an optimizer, and how to go through the data.
///
/// ```
/// use ndarray::array;
/// use wgrad::{Device, Mlp, Trainer, data::Dataset, nn::{Activation, Loss}, optim::Adam};
///
/// let x = array![[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let xor = Dataset::regression(&x, &array![[0.0f32], [1.0], [1.0], [0.0]])?;
/// let mut mlp =
///     Mlp::builder(2).hidden(8, Activation::Tanh).output(1).seed(1).build(&Device::cpu())?;
/// let history = Trainer::new(Loss::Mse, Adam::new(0.05)).epochs(500).fit(&mut mlp, &xor)?;
/// assert!(history.final_loss() < 1e-3);
/// # Ok::<(), wgrad::Error>(())
/// ```
pub struct Trainer {
    /// What decides the course of a run; resumed runs must share it.
    pub(super) settings: RunSettings,
    pub(super) epochs: usize,
    pub(super) progress: bool,
    pub(super) record_steps: bool,
    pub(super) recorder: Option<Recorder>,
    pub(super) strategy: Strategy,
    /// What the strategy is chosen by, if not by the device's own.
    pub(super) calibration: Option<Calibration>,
    /// The steps from one trace to the next.
    pub(super) trace_every: Option<usize>,
    pub(super) validation: Option<Dataset>,
    pub(super) metrics: Vec<Metric>,
    pub(super) watchers: Vec<Box<dyn Watch>>,
    pub(super) checkpoints: Option<Checkpoints>,
    /// Where the next fit begins.
    pub(super) resume: Option<Checkpoint>,
}

impl Trainer {
    /// A trainer with batches of 32 rows, 10 epochs, reshuffling, seed 0, and no progress bar.
    pub fn new(loss: Loss, optimizer: impl Into<Optimizer>) -> Self {
        Self {
            settings: RunSettings::new(loss, optimizer.into()),
            epochs: 10,
            progress: false,
            record_steps: false,
            recorder: None,
            strategy: Strategy::Auto,
            calibration: None,
            trace_every: None,
            validation: None,
            metrics: Vec::new(),
            watchers: Vec::new(),
            checkpoints: None,
            resume: None,
        }
    }

    /// The rows of a minibatch; default 32. More than there are rows means all of them.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.settings.batch_size = batch_size;
        self
    }

    /// How often to go through the data; default 10.
    #[must_use]
    pub fn epochs(self, epochs: usize) -> Self {
        Self { epochs, ..self }
    }

    /// Whether each epoch takes the rows in a new random order; default true.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.settings.shuffle = shuffle;
        self
    }

    /// The seed of row orders, dropout and noise; default 0. The same on every device.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Whether to show a progress bar on the terminal's error output; default false.
    #[must_use]
    pub fn progress(self, progress: bool) -> Self {
        Self { progress, ..self }
    }

    /// Whether the history keeps the loss of every step; default false.
    #[must_use]
    pub fn record_steps(self, record: bool) -> Self {
        Self { record_steps: record, ..self }
    }

    /// How the device runs the steps; default [`Strategy::Auto`]. What was chosen is in
    /// [`History::strategy`], and why in [`History::strategy_reason`].
    #[must_use]
    pub fn strategy(self, strategy: Strategy) -> Self {
        Self { strategy, ..self }
    }

    /// What [`Strategy::Auto`] chooses by, in place of the device's own
    /// [`calibration`](crate::Device::calibration), so that machines that differ in speed alone choose
    /// the same. A number that is not positive is an error of [`fit`](Self::fit); where there is nothing to
    /// choose it changes nothing.
    #[must_use]
    pub fn calibration(self, calibration: Calibration) -> Self {
        Self { calibration: Some(calibration), ..self }
    }

    /// The numbers that matrix products take; default [`Precision::F32`].
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.settings.precision = precision;
        self
    }

    /// A data set whose loss and metrics are computed after each epoch.
    #[must_use]
    pub fn validation(self, data: &Dataset) -> Self {
        Self { validation: Some(data.clone()), ..self }
    }

    /// A metric to compute on the validation set beside the loss.
    #[must_use]
    pub fn metric(mut self, metric: impl Into<Metric>) -> Self {
        self.metrics.push(metric.into());
        self
    }

    /// Calls `callback` after each epoch; [`ControlFlow::Break`] ends the training.
    #[must_use]
    pub fn on_epoch(self, callback: impl FnMut(&EpochRecord) -> ControlFlow<()> + 'static) -> Self {
        self.watch(Callback(callback))
    }

    /// Lets `watcher` see every epoch.
    #[must_use]
    pub(crate) fn watch(mut self, watcher: impl Watch + 'static) -> Self {
        self.watchers.push(Box::new(watcher));
        self
    }

    /// Trains the network on the data.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Targets`] and [`Error::Label`] where network, loss and data do
    /// not fit; [`Error::Argument`] for a loss that cannot follow the last layer, weights or
    /// targets that it does not take, a batch size of 0, a setting outside its domain, a metric
    /// without a validation set, a strategy that cannot run the training, or what does not fit the
    /// checkpoint to be resumed;
    /// [`Error::File`] where a checkpoint cannot be written; [`Error::Diverged`] where a loss or a
    /// parameter is not finite any more; and the device's.
    ///
    /// A run that diverged leaves the network with the parameters that it last had when they were
    /// looked at and finite: a fraction of a second before, or an epoch. On the CPU a network of more than a million
    /// parameters is left with those before the step that failed, which takes no copy of them; where the loss of that
    /// step was finite and a number of its update was not, some have made the step.
    pub fn fit(&mut self, mlp: &mut Mlp, train: &Dataset) -> Result<History> {
        pollster::block_on(self.fit_async(mlp, train))
    }

    /// [`fit`](Self::fit), without blocking.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub async fn fit_async(&mut self, mlp: &mut Mlp, train: &Dataset) -> Result<History> {
        self.check()?;
        self.watchers.iter_mut().for_each(|watcher| watcher.begin());
        let mut run = Run::new(self, mlp, train)?;
        run.begin(self.resume.as_ref(), self.epochs).await?;
        self.resume = None;
        let mut history = History {
            strategy: run.engine.strategy(),
            strategy_reason: run.engine.reason.clone(),
            ..History::default()
        };
        let mut flight = 1;
        let mut stop = run.pacer.watched.stopped.then_some(StopReason::Schedule);
        while run.epoch < self.epochs && stop.is_none() {
            let wait = self.checkpoints.as_ref().map_or(usize::MAX, |c| c.wait(run.epoch));
            let most = run.most_epochs().min(self.patience()).min(wait).min(run.pacer.patience());
            let count = flight.min(most).min(self.epochs - run.epoch);
            let seconds = run.flight(count, &mut history).await?;
            if seconds < FLIGHT_SECONDS {
                flight = flight.max(count * 2);
            }
            stop = self.look(&run, &history.epochs[history.epochs.len() - count..]);
            let ended = run.pacer.watched.stopped.then_some(StopReason::Schedule);
            stop = stop.or(ended);
            let end = stop.is_some() || run.epoch == self.epochs;
            if let Some(checkpoints) = &mut self.checkpoints
                && (end || checkpoints.due(run.epoch))
            {
                (checkpoints.keep)(&run.checkpoint().await?)?;
            }
        }
        run.progress.finish();
        history.stop_reason = stop.unwrap_or_default();
        let best = self.watchers.iter_mut().find_map(|watcher| watcher.restore());
        run.leave(best.as_deref()).await?;
        Ok(history)
    }

    /// Shows the epochs that were trained last to all who watch; why one of them ends the run.
    fn look(&mut self, run: &Run<'_>, epochs: &[EpochRecord]) -> Option<StopReason> {
        if let Some(last) = epochs.last() {
            run.progress.update(last);
        }
        let mut stop = None;
        for record in epochs {
            for watcher in &mut self.watchers {
                let end = watcher.epoch(record, &run.parameters).break_value();
                stop = stop.or(end);
            }
        }
        stop
    }

    /// The most epochs that can be trained before someone has to look.
    pub(super) fn patience(&self) -> usize {
        let patience = self.watchers.iter().map(|watcher| watcher.patience()).min();
        let validated = if self.validation.is_some() { 1 } else { self.epochs };
        patience.unwrap_or(usize::MAX).min(validated).max(1)
    }

    pub(super) fn check(&self) -> Result<()> {
        self.settings.optimizer.check()?;
        self.settings.schedule.schedule.check()?;
        self.settings.regularization.check()?;
        self.settings.precision.check()?;
        self.calibration.map_or(Ok(()), |calibration| calibration.check())?;
        if let (Some(metric), None) = (self.metrics.first(), &self.validation) {
            let expected = "metrics are computed on a validation set: add `.validation(&data)`";
            return Err(Error::argument("a metric", metric.name(), expected));
        }
        self.watchers.iter().try_for_each(|watcher| watcher.check(self))?;
        self.checkpoints.as_ref().map_or(Ok(()), Checkpoints::check)
    }
}
