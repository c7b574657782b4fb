//! A compiled training run: the programs of the whole and of the short last minibatch, bound to
//! the network's parameters, the data, and the optimizer's state.

use super::Trainer;
use super::flight::{EpochStep, Plan};
use super::objective::{Objective, Weights};
use super::recording::Recorder;
use super::resident::Placed;
use crate::data::Dataset;
use crate::device::{
    Buffer, Calibration, Compiled, Executable, How, Launch, Precision, Stopped, Strategy,
};
use crate::error::Result;
use crate::mlp::Mlp;
use crate::nn::{LossReduction, Network, TargetKind};
use crate::op::Shape;
use crate::persist::RunSettings;
use crate::program::{Kept, Program, Share, Source, Step, names};

/// What a run is made of, beside network and data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup<'a> {
    pub(super) settings: &'a RunSettings,
    /// Whether parameters move; else gradients are left as they are, and nothing is drawn.
    pub(super) trains: bool,
    pub(super) recorder: Option<&'a Recorder>,
    pub(super) strategy: Strategy,
    /// What the strategy is chosen by, if not by the device's own.
    pub(super) calibration: Option<Calibration>,
    /// The epochs that are planned in all.
    pub(super) epochs: usize,
    /// The most epochs that are queued before anything is read back.
    pub(super) most_epochs: usize,
}

impl<'a> Setup<'a> {
    /// What a trainer asks for, with nobody looking at it and as many epochs queued as there are.
    pub(super) fn of(trainer: &Trainer, settings: &'a RunSettings) -> Self {
        Self {
            settings,
            trains: true,
            recorder: None,
            strategy: trainer.strategy,
            calibration: trainer.calibration,
            epochs: trainer.epochs,
            most_epochs: usize::MAX,
        }
    }

    /// Computes gradients and leaves them.
    pub(super) fn gradients(settings: &'a RunSettings) -> Self {
        let strategy = Strategy::Program;
        Self {
            settings,
            trains: false,
            recorder: None,
            strategy,
            calibration: None,
            epochs: 1,
            most_epochs: 1,
        }
    }
}

/// Where a run's data are.
pub(super) struct Sources {
    pub(super) features: Source,
    pub(super) targets: Source,
    pub(super) kind: TargetKind,
    pub(super) weights: Option<Source>,
}

impl Setup<'_> {
    /// How the steps of epochs with so many each are to be executed.
    pub(super) fn how(&self, steps: usize) -> How {
        How {
            strategy: self.strategy,
            // Who asks for gradients gets those of f32.
            precision: if self.trains { self.settings.precision } else { Precision::F32 },
            calibration: self.calibration,
            steps: self.epochs.saturating_mul(steps),
        }
    }

    /// The step of each kind of minibatch.
    pub(super) fn steps(&self, network: &Network, plan: &Plan, sources: &Sources) -> Vec<Step> {
        let settings = self.settings;
        let kept = Kept {
            names: self.recorder.map(|recorder| recorder.names.clone()).unwrap_or_default(),
            rows: plan.record_rows(),
        };
        let step = |&(batch, share): &(usize, Share)| {
            let data = [&sources.features, &sources.targets].map(Source::clone);
            let optimizer = self.trains.then_some(settings.optimizer);
            Step {
                reduction: settings.reduction,
                groups: settings.groups.clone(),
                regularization: settings.regularization,
                seed: self.trains.then_some(settings.seed),
                share,
                target_kind: sources.kind,
                weights: sources.weights.clone(),
                positive_weights: settings.positive_weights.is_some(),
                order: plan.order_words(),
                slots: plan.slots(),
                kept: kept.clone(),
                ..Step::new(network.clone(), settings.loss, optimizer, batch, data)
            }
        };
        plan.minibatches().iter().map(step).collect()
    }
}

/// Programs and buffers of a run.
pub(super) struct Engine {
    executable: Box<dyn Executable>,
    /// Why by its strategy.
    pub(super) reason: String,
    pub(super) plan: Plan,
    pub(super) epoch: Vec<EpochStep>,
    reduction: LossReduction,
    /// What each row of the data counts; none where each counts once.
    weights: Option<Weights>,
    /// The step of each kind of minibatch.
    pub(super) steps: Vec<Step>,
    specs: Vec<String>,
    buffers: Vec<Buffer>,
}

impl Engine {
    /// Puts the data on the network's device and compiles the run.
    ///
    /// # Errors
    /// `Shape`, `Targets`, `Label`, `Argument` where network, loss and data do not fit, and the
    /// device's.
    pub(super) fn new(mlp: &Mlp, data: &Dataset, setup: Setup<'_>) -> Result<Self> {
        mlp.check_inputs("fit", Shape::new(data.len(), data.inputs()))?;
        let settings = setup.settings;
        let objective = Objective::of(settings);
        let Objective { loss, reduction, positive_weights, .. } = objective;
        objective.check(mlp)?;
        let device = mlp.device();
        let features = Placed::features(device, data)?;
        let outputs = mlp.network().outputs();
        let targets = Placed::targets(device, data, loss, outputs)?;
        let weights = objective.weights(data, outputs)?;
        let placed = (weights.as_ref())
            .map(|weights| Placed::new(device, weights.words.clone(), data.len(), weights.cols))
            .transpose()?;
        setup.recorder.map_or(Ok(()), |recorder| recorder.check(mlp.network()))?;
        let plan = Plan::new(data.len(), mlp.network(), setup)?;
        let sources = Sources {
            features: features.source,
            targets: targets.source,
            kind: data.targets().kind(),
            weights: placed.as_ref().map(|weights| weights.source.clone()),
        };
        let steps = setup.steps(mlp.network(), &plan, &sources);
        let programs: Vec<Program> = steps.iter().map(Step::lower).collect::<Result<_>>()?;

        let weight_parts = placed.iter().flat_map(|weights| &weights.parts);
        let mut parts = features.parts.iter().chain(&targets.parts).chain(weight_parts);
        let place = |(spec, words): (&crate::program::BufferSpec, usize)| match spec.name.as_str() {
            names::PARAMETERS => Ok(mlp.buffer().clone()),
            names::POSITIVE_WEIGHTS => device.upload(positive_weights.unwrap_or_default()),
            name if names::is_data(name) => {
                parts.next().cloned().map_or_else(|| device.allocate(spec.words), Ok)
            }
            _ => device.allocate(words),
        };
        let how = setup.how(plan.steps);
        let words = device.step_words(&programs, how.precision);
        let specs = programs[0].buffers.iter().zip(words);
        let buffers: Vec<Buffer> = specs.map(place).collect::<Result<_>>()?;
        let Compiled { executable, reason } = device.compile_step(&programs, &buffers, how)?;
        let specs = programs[0].buffers.iter().map(|spec| spec.name.clone()).collect();
        let epoch = plan.epoch();
        Ok(Self { executable, reason, plan, epoch, reduction, weights, steps, specs, buffers })
    }

    /// A buffer of the run.
    pub(super) fn buffer(&self, name: &str) -> Option<&Buffer> {
        let at = self.specs.iter().position(|spec| spec == name)?;
        self.buffers.get(at)
    }

    /// The parameters of the model that is trained towards: the network's own, or their average.
    pub(super) fn model<'a>(&'a self, mlp: &'a Mlp) -> &'a Buffer {
        self.buffer(names::AVERAGE).unwrap_or(mlp.buffer())
    }

    /// Sets the row order of the epochs to come; without shuffling there is none to set.
    pub(super) fn write_order(&self, order: &[u32]) -> Result<()> {
        self.buffer(names::ORDER).map_or(Ok(()), |buffer| buffer.write(0, order))
    }

    /// The loss of an epoch from those of its steps, over rows in `order`, or as they lie.
    pub(super) fn epoch_loss(&self, losses: &[f32], order: &[u32]) -> f64 {
        match &self.weights {
            Some(weights) if self.reduction.is_mean() => weights.mean(&self.plan, losses, order),
            _ => self.plan.loss(self.reduction, losses),
        }
    }

    /// How steps are executed.
    pub(super) fn strategy(&self) -> Strategy {
        self.executable.strategy()
    }

    /// Has the parameters stay finite, if the device can.
    pub(super) fn watch(&mut self) -> bool {
        self.executable.watch()
    }

    /// Why steps were left out, if the device watches.
    pub(super) fn stopped(&mut self) -> Option<Stopped> {
        self.executable.stopped()
    }

    /// Queues steps.
    pub(super) fn queue(&mut self, launches: &[Launch]) -> Result<()> {
        self.executable.run(launches)
    }
}
