//! A fit under way: flights of epochs, what they leave, and checkpoints of it.

use std::borrow::Cow;

use super::engine::{Engine, Setup};
use super::history::{EpochRecord, History};
use super::pacing::Pacer;
use super::progress::Progress;
use super::recording::{Recording, Series};
use super::trace::Tracer;
use super::trainer::Trainer;
use super::validation::Validation;
use crate::data::Dataset;
use crate::device::{Launch, Stopped};
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::{Network, Parameter};
use crate::persist::{Checkpoint, RunSettings};
use crate::program::{Kept, names};
use crate::stopwatch::Stopwatch;

/// The parameters of which a copy takes more memory than there should be: 4 MiB. Their device is asked to have them
/// stay finite instead.
const MANY: usize = 1 << 20;

/// What a flight leaves.
struct ReadBack {
    losses: Vec<f32>,
    /// None where they can be looked at.
    parameters: Option<Vec<f32>>,
    predictions: Vec<f32>,
    /// What was kept, name by name.
    records: Vec<Vec<f32>>,
    /// What was traced.
    traced: Vec<Vec<f32>>,
}

/// A fit under way.
pub(super) struct Run<'a> {
    mlp: &'a Mlp,
    pub(super) engine: Engine,
    tracer: Option<Tracer>,
    validation: Option<Validation>,
    settings: RunSettings,
    pub(super) pacer: Pacer,
    record_steps: bool,
    recorded: Vec<String>,
    pub(super) progress: Progress,
    launches: Vec<Launch>,
    pub(super) epoch: usize,
    step: u64,
    /// Whether the model's parameters are kept after each flight: somebody watches, or the network gets them back
    /// when it diverges.
    keeps: bool,
    /// Those of the model as they were last read, if somebody needs them; see [`Engine::model`].
    pub(super) parameters: Vec<f32>,
}

impl<'a> Run<'a> {
    pub(super) fn new(trainer: &Trainer, mlp: &'a Mlp, train: &Dataset) -> Result<Self> {
        let settings = RunSettings { rows: train.len(), ..trainer.settings.clone() };
        let setup = Setup {
            recorder: trainer.recorder.as_ref(),
            most_epochs: trainer.patience(),
            ..Setup::of(trainer, &settings)
        };
        let mut engine = Engine::new(mlp, train, setup)?;
        let watches = mlp.network().parameter_words() >= MANY && engine.watch();
        let tracer = trainer.trace_every.map(|every| Tracer::new(mlp, &engine, every));
        let model = engine.model(mlp);
        let validation = (trainer.validation.as_ref())
            .map(|data| Validation::new(mlp, model, data, settings.loss, &trainer.metrics))
            .transpose()?;
        let pacer =
            Pacer::new(settings.optimizer, settings.schedule.clone(), engine.plan.updates());
        let progress = Progress::new(trainer.progress, trainer.epochs, train.len());
        progress.begin(engine.strategy(), &engine.reason);
        Ok(Self {
            mlp,
            launches: Vec::with_capacity(engine.plan.slots()),
            engine,
            tracer: tracer.transpose()?,
            validation,
            settings,
            pacer,
            record_steps: trainer.record_steps,
            recorded: trainer.recorder.as_ref().map(|r| r.names.clone()).unwrap_or_default(),
            progress,
            epoch: 0,
            step: 0,
            keeps: !(watches && trainer.watchers.is_empty()),
            parameters: Vec::new(),
        })
    }

    /// The most epochs of a flight.
    pub(super) fn most_epochs(&self) -> usize {
        self.tracer.as_ref().map_or(self.engine.plan.epochs, |tracer| tracer.epochs)
    }

    /// Goes on from a checkpoint, or begins with the network as it is.
    ///
    /// # Errors
    /// [`Error::Argument`] if the checkpoint is not of this run, or beyond its `epochs`, and the
    /// device's.
    pub(super) async fn begin(
        &mut self,
        checkpoint: Option<&Checkpoint>,
        epochs: usize,
    ) -> Result<()> {
        let Some(checkpoint) = checkpoint else {
            let average = self.engine.buffer(names::AVERAGE);
            if self.keeps || average.is_some() {
                let parameters: Vec<f32> = self.mlp.buffer().read_async().await?;
                average.map_or(Ok(()), |average| average.write(0, &parameters))?;
                if self.keeps {
                    self.parameters = parameters;
                }
            }
            return Ok(());
        };
        if checkpoint.epoch > epochs {
            let expected = format!("the checkpoint to be resumed has {} already", checkpoint.epoch);
            return Err(Error::argument("the number of epochs", epochs, expected));
        }
        checkpoint.check(self.mlp.network(), &self.settings)?;
        for (name, words) in self.settings.state().into_iter().zip(&checkpoint.state) {
            self.engine.buffer(name).map_or(Ok(()), |buffer| buffer.write(0, words))?;
        }
        self.engine.model(self.mlp).write(0, &checkpoint.parameters)?;
        if self.keeps {
            self.parameters.clone_from(&checkpoint.parameters);
        }
        (self.epoch, self.step) = (checkpoint.epoch, checkpoint.step);
        let updates = self.engine.plan.updates_after(checkpoint.step);
        self.pacer.restore(updates, checkpoint.watched);
        Ok(())
    }

    /// The model's parameters: those that are kept, or what its buffer holds.
    async fn model(&self) -> Result<Cow<'_, [f32]>> {
        if self.keeps {
            return Ok(Cow::Borrowed(&self.parameters));
        }
        self.engine.model(self.mlp).read_async().await.map(Cow::Owned)
    }

    /// Leaves the network with the given parameters, or with the model's.
    pub(super) async fn leave(&self, parameters: Option<&[f32]>) -> Result<()> {
        match (parameters, self.engine.buffer(names::AVERAGE)) {
            (Some(words), _) => self.mlp.buffer().write(0, words),
            (None, Some(_)) => self.mlp.buffer().write(0, &self.model().await?),
            (None, None) => Ok(()),
        }
    }

    /// The run as it is after the epochs that were last trained.
    pub(super) async fn checkpoint(&self) -> Result<Checkpoint> {
        let names = self.settings.state();
        let buffers: Vec<_> = names.iter().filter_map(|name| self.engine.buffer(name)).collect();
        let ranges: Vec<_> =
            buffers.iter().map(|buffer| (buffer.storage(), 0..buffer.words())).collect();
        let state = match ranges[..] {
            [] => Vec::new(),
            _ => self.mlp.device().backend().read(&ranges).await?,
        };
        Ok(Checkpoint {
            network: self.mlp.network().clone(),
            settings: self.settings.clone(),
            epoch: self.epoch,
            step: self.step,
            watched: self.pacer.watched,
            parameters: self.model().await?.into_owned(),
            state,
        })
    }

    /// Trains `count` epochs, reads what they left in one go, and gives the seconds they took.
    pub(super) async fn flight(&mut self, count: usize, history: &mut History) -> Result<f64> {
        let watch = Stopwatch::start();
        let plan = self.engine.plan;
        let order = plan.order(self.settings.seed, self.epoch, count);
        self.engine.write_order(&order)?;
        let coefficients = |step| self.pacer.coefficients(step);
        plan.launches(&self.engine.epoch, count, self.step, coefficients, &mut self.launches);
        match &mut self.tracer {
            None => self.engine.queue(&self.launches)?,
            Some(tracer) => tracer.queue(&mut self.engine, &self.launches, self.step)?,
        }
        if let Some(validation) = &mut self.validation {
            validation.predictor.queue()?;
        }
        let updates = plan.recorded(self.step, count);
        let ReadBack { losses, parameters, predictions, records, traced } =
            self.read_back(count * plan.steps, updates.len()).await?;
        self.take_over(&losses, parameters).await?;

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
                learning_rate: self.pacer.rate((self.epoch * plan.updates() - 1) as u64),
                seconds: seconds / count as f64,
            });
        }
        if let (Some(validation), Some(last)) = (&self.validation, history.epochs.last_mut()) {
            validation.score(predictions, last)?;
        }
        let first = history.epochs.len() - count;
        history.epochs[first..].iter().for_each(|record| self.pacer.observe(record));
        if self.record_steps {
            history.step_losses.extend_from_slice(&losses);
        }
        self.keep(updates, &records, &mut history.recording);
        history.traces.0.extend(self.tracer.iter().flat_map(|tracer| tracer.traces(&traced)));
        self.step += losses.len() as u64;
        Ok(seconds)
    }

    /// Adds what was kept in some updates to the recording.
    fn keep(&self, updates: Vec<u64>, records: &[Vec<f32>], recording: &mut Recording) {
        recording.updates.extend(updates);
        for (name, values) in self.recorded.iter().zip(records) {
            let Some((parameter, _)) = Kept::find(self.mlp.network(), name) else { continue };
            let empty = || Series::new(parameter.array_shape());
            recording.by_name.entry(name.clone()).or_insert_with(empty).extend(values);
        }
    }

    /// What a flight leaves, by one wait.
    async fn read_back(&self, losses: usize, records: usize) -> Result<ReadBack> {
        let backend = self.mlp.device().backend();
        let parameters = self.engine.model(self.mlp);
        let mut ranges = Vec::new();
        if backend.host().is_none() {
            ranges.push((parameters.storage(), 0..parameters.words()));
        }
        if let Some(buffer) = self.engine.buffer(names::LOSSES) {
            ranges.push((buffer.storage(), 0..losses));
        }
        if let Some(validation) = &self.validation {
            let predictions = &validation.predictor.predictions;
            ranges.push((predictions.storage(), 0..predictions.words()));
        }
        for name in &self.recorded {
            if let Some(buffer) = self.engine.buffer(&format!("{}{name}", names::KEPT)) {
                let words = buffer.words() / self.engine.plan.record_rows().max(1);
                ranges.push((buffer.storage(), 0..records * words));
            }
        }
        if let Some(tracer) = &self.tracer {
            ranges.extend(tracer.ranges()?);
        }
        let mut parts = backend.read(&ranges).await?.into_iter();
        let mut next = || parts.next().unwrap_or_default();
        let parameters = backend.host().is_none().then(&mut next);
        let losses = next();
        let predictions = if self.validation.is_some() { next() } else { Vec::new() };
        let records = self.recorded.iter().map(|_| next()).collect();
        Ok(ReadBack { losses, parameters, predictions, records, traced: parts.collect() })
    }

    /// Keeps the parameters that a flight has left, if somebody needs them and training has not left the numbers
    /// that f32 holds; else the network gets its last finite ones back.
    async fn take_over(&mut self, losses: &[f32], read: Option<Vec<f32>>) -> Result<()> {
        let (network, steps) = (self.mlp.network(), self.engine.plan.steps);
        if let Some(words) = read {
            let checked = check_finite(network, losses, &words, self.epoch, steps);
            match checked {
                Ok(()) => self.parameters = words,
                Err(_) => self.mlp.buffer().write(0, &self.parameters)?,
            }
            return checked;
        }
        if let Some(stopped) = self.engine.stopped() {
            // The device has kept the parameters finite; those that are kept here are of before the flight.
            if self.keeps {
                self.parameters = self.engine.model(self.mlp).read_async().await?;
            }
            self.leave(None).await?;
            return Err(diverged(network, losses, stopped, self.epoch, steps));
        }
        if let Some(host) = self.mlp.device().backend().host() {
            let (keeps, kept) = (self.keeps, &mut self.parameters);
            let (model, mut checked) = (self.engine.model(self.mlp), Ok(()));
            host.look(model.storage(), 0..model.words(), &mut |words| {
                checked = check_finite(network, losses, words, self.epoch, steps);
                if keeps && checked.is_ok() {
                    kept.clear();
                    kept.extend_from_slice(words);
                }
            });
            if keeps && checked.is_err() {
                self.mlp.buffer().write(0, &self.parameters)?;
            }
            return checked;
        }
        Ok(())
    }
}

/// The error of a training that its device has stopped.
fn diverged(
    network: &Network,
    losses: &[f32],
    stopped: Stopped,
    epoch: usize,
    steps: usize,
) -> Error {
    let named = stopped.parameter.and_then(|place| {
        let mut parameters = network.parameters().into_iter();
        parameters.find(|parameter| parameter.range().contains(&place))
    });
    // Of minibatches that share an update the first may have been it.
    let slot = stopped.slot as usize;
    let at = losses.iter().position(|loss| !loss.is_finite()).map_or(slot, |bad| bad.min(slot));
    not_finite(named, at, epoch, steps)
}

/// The error of step `at` after so many epochs, in which a parameter, or the loss, was not finite.
fn not_finite(named: Option<Parameter>, at: usize, epoch: usize, steps: usize) -> Error {
    Error::Diverged {
        what: named.map_or_else(|| "the loss".to_owned(), |parameter| parameter.name),
        epoch: epoch + at / steps + 1,
        step: (epoch * steps + at) as u64 + 1,
    }
}

/// Checks that the steps after so many epochs, of `steps` steps each, have not left the numbers that
/// f32 holds: by their losses, and by the parameters after the last of them.
///
/// # Errors
/// [`Error::Diverged`].
pub(super) fn check_finite(
    network: &Network,
    losses: &[f32],
    parameters: &[f32],
    epoch: usize,
    steps: usize,
) -> Result<()> {
    let bad_step = losses.iter().position(|loss| !loss.is_finite());
    let all_finite =
        |range: std::ops::Range<usize>| parameters[range].iter().all(|x| x.is_finite());
    if bad_step.is_none() && all_finite(0..parameters.len()) {
        return Ok(());
    }
    let named = network.parameters().into_iter().find(|parameter| !all_finite(parameter.range()));
    let at = bad_step.unwrap_or(losses.len() - 1);
    Err(not_finite(named, at, epoch, steps))
}
