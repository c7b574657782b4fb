//! The trainer: what to train with, and the loop over epochs.

use std::ops::ControlFlow;

use super::engine::{Engine, Setup};
use super::history::{EpochRecord, History};
use super::metric::Metric;
use super::progress::Progress;
use super::resident::Placed;
use super::stopwatch::Stopwatch;
use crate::data::Dataset;
use crate::device::{Device, Launch};
use crate::error::{Error, Result};
use crate::mlp::{Mlp, Predictor};
use crate::nn::Loss;
use crate::op::Shape;
use crate::optim::Optimizer;
use crate::program::names;

/// What is called after each epoch; breaking ends the training.
type Callback = Box<dyn FnMut(&EpochRecord) -> ControlFlow<()>>;

/// A flight is made longer until it takes this long, so that reading back costs little and a
/// progress bar still moves.
const FLIGHT_SECONDS: f64 = 0.1;

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
    pub(super) loss: Loss,
    pub(super) optimizer: Optimizer,
    batch_size: usize,
    epochs: usize,
    shuffle: bool,
    seed: u64,
    progress: bool,
    record_steps: bool,
    validation: Option<Dataset>,
    metrics: Vec<Metric>,
    callbacks: Vec<Callback>,
}

impl Trainer {
    /// A trainer with batches of 32 rows, 10 epochs, reshuffling, seed 0, and no progress bar.
    pub fn new(loss: Loss, optimizer: impl Into<Optimizer>) -> Self {
        Self {
            loss,
            optimizer: optimizer.into(),
            batch_size: 32,
            epochs: 10,
            shuffle: true,
            seed: 0,
            progress: false,
            record_steps: false,
            validation: None,
            metrics: Vec::new(),
            callbacks: Vec::new(),
        }
    }

    /// The rows of a minibatch; default 32. More than there are rows means all of them.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Self {
        Self { batch_size, ..self }
    }

    /// How often to go through the data; default 10.
    #[must_use]
    pub fn epochs(self, epochs: usize) -> Self {
        Self { epochs, ..self }
    }

    /// Whether each epoch takes the rows in a new random order; default true.
    #[must_use]
    pub fn shuffle(self, shuffle: bool) -> Self {
        Self { shuffle, ..self }
    }

    /// The seed of the row orders; default 0. The same on every device.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
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
    pub fn on_epoch(
        mut self,
        callback: impl FnMut(&EpochRecord) -> ControlFlow<()> + 'static,
    ) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Trains the network on the data.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Targets`] and [`Error::Label`] where network, loss and data do
    /// not fit; [`Error::Argument`] for a batch size of 0 or a learning rate that is not a positive
    /// number; [`Error::Diverged`] where a loss or a parameter is not finite any more; and the
    /// device's.
    pub fn fit(&mut self, mlp: &mut Mlp, train: &Dataset) -> Result<History> {
        pollster::block_on(self.fit_async(mlp, train))
    }

    /// [`fit`](Self::fit), without blocking.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub async fn fit_async(&mut self, mlp: &mut Mlp, train: &Dataset) -> Result<History> {
        self.check()?;
        let mut run = Run::new(self, mlp, train)?;
        let mut history = History::default();
        let mut flight = 1;
        while run.epoch < self.epochs {
            let count = flight.min(run.engine.plan.epochs).min(self.epochs - run.epoch);
            let seconds = run.flight(count, &mut history).await?;
            if seconds < FLIGHT_SECONDS {
                flight = count * 2;
            }
            if let Some(last) = history.last() {
                run.progress.update(last);
                let stop = |callback: &mut Callback| callback(last).is_break();
                if self.callbacks.iter_mut().map(stop).fold(false, |any, stop| any | stop) {
                    break;
                }
            }
        }
        run.progress.finish();
        Ok(history)
    }

    fn check(&self) -> Result<()> {
        let rate = self.optimizer.learning_rate();
        if !(rate.is_finite() && rate >= 0.0) {
            return Err(Error::argument("the learning rate", rate, "a finite number, at least 0"));
        }
        Ok(())
    }
}

/// A fit under way.
struct Run<'a> {
    mlp: &'a Mlp,
    engine: Engine,
    validation: Option<Validation>,
    settings: Settings,
    progress: Progress,
    launches: Vec<Launch>,
    epoch: usize,
    step: u64,
}

/// What a run needs to know of its trainer.
#[derive(Clone, Copy)]
struct Settings {
    optimizer: Optimizer,
    seed: u64,
    record_steps: bool,
}

impl<'a> Run<'a> {
    fn new(trainer: &Trainer, mlp: &'a Mlp, train: &Dataset) -> Result<Self> {
        // What looks at each epoch's end needs flights of one epoch.
        let watched = trainer.validation.is_some() || !trainer.callbacks.is_empty();
        let setup = Setup {
            loss: trainer.loss,
            optimizer: Some(trainer.optimizer),
            batch_size: trainer.batch_size,
            shuffle: trainer.shuffle,
            most_epochs: if watched { 1 } else { trainer.epochs },
        };
        let engine = Engine::new(mlp, train, setup)?;
        let validation = (trainer.validation.as_ref())
            .map(|data| Validation::new(mlp, data, trainer.loss, &trainer.metrics))
            .transpose()?;
        let settings = Settings {
            optimizer: trainer.optimizer,
            seed: trainer.seed,
            record_steps: trainer.record_steps,
        };
        let progress = Progress::new(trainer.progress, trainer.epochs, train.len());
        let launches = Vec::with_capacity(engine.plan.slots());
        Ok(Self { mlp, engine, validation, settings, progress, launches, epoch: 0, step: 0 })
    }

    /// Trains `count` epochs, reads what they left in one go, and gives the seconds they took.
    async fn flight(&mut self, count: usize, history: &mut History) -> Result<f64> {
        let watch = Stopwatch::start();
        let plan = self.engine.plan;
        let Settings { optimizer, seed, record_steps } = self.settings;
        let rate = optimizer.learning_rate();
        self.engine.write_order(&plan.order(seed, self.epoch, count))?;
        plan.launches(count, self.step, &optimizer, |_| rate, &mut self.launches);
        self.engine.queue(&self.launches)?;
        if let Some(validation) = &mut self.validation {
            validation.predictor.queue()?;
        }
        let [losses, parameters, predictions] = self.read_back(count * plan.steps).await?;
        self.check_finite(&losses, &parameters)?;

        let seconds = watch.seconds();
        for losses in losses.chunks_exact(plan.steps) {
            self.epoch += 1;
            history.epochs.push(EpochRecord {
                epoch: self.epoch,
                train_loss: plan.mean(losses),
                validation_loss: None,
                metrics: Vec::new(),
                learning_rate: rate,
                seconds: seconds / count as f64,
            });
        }
        if let (Some(validation), Some(last)) = (&self.validation, history.epochs.last_mut()) {
            validation.score(predictions, last)?;
        }
        if record_steps {
            history.step_losses.extend_from_slice(&losses);
        }
        self.step += losses.len() as u64;
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

/// The validation set on the device, and how it is scored.
struct Validation {
    predictor: Predictor,
    data: Dataset,
    outputs: usize,
    loss: Loss,
    metrics: Vec<Metric>,
}

impl Validation {
    fn new(mlp: &Mlp, data: &Dataset, loss: Loss, metrics: &[Metric]) -> Result<Self> {
        mlp.check_inputs("validation", Shape::new(data.len(), data.inputs()))?;
        let device: &Device = mlp.device();
        let placed = Placed::features(device, data)?;
        let predictor = Predictor::new(mlp, &placed.source, &placed.parts)?;
        let outputs = mlp.network().outputs();
        let (data, metrics) = (data.clone(), metrics.to_vec());
        Ok(Self { predictor, data, outputs, loss, metrics })
    }

    fn score(&self, predictions: Vec<f32>, record: &mut EpochRecord) -> Result<()> {
        let shape = (self.data.len(), self.outputs);
        let outputs = ndarray::ArrayView2::from_shape(shape, &predictions)
            .map_err(|error| Error::Program { op: "validation", reason: error.to_string() })?;
        record.validation_loss = Some(Metric::Loss(self.loss).compute(outputs, &self.data)?);
        for metric in &self.metrics {
            let value = metric.compute(outputs, &self.data)?;
            record.metrics.push((metric.name().to_owned(), value));
        }
        Ok(())
    }
}
