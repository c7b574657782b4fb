//! A compiled training run: the programs of the whole and of the short last minibatch, bound to
//! the network's parameters, the data, and the optimizer's state.

use super::flight::Plan;
use super::resident::Placed;
use crate::data::Dataset;
use crate::device::{Buffer, Executable, Launch};
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::{Activation, Loss};
use crate::op::Shape;
use crate::optim::{Groups, Optimizer};
use crate::program::{Program, Step, names};

/// What a run is made of, beside network and data.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) loss: Loss,
    pub(super) optimizer: Option<Optimizer>,
    pub(super) groups: Groups,
    pub(super) batch_size: usize,
    pub(super) shuffle: bool,
    /// The most epochs that are queued before anything is read back.
    pub(super) most_epochs: usize,
}

impl Setup {
    /// All rows as one batch, and no update.
    pub(super) fn whole(loss: Loss, rows: usize) -> Self {
        Self {
            loss,
            optimizer: None,
            groups: Groups::default(),
            batch_size: rows,
            shuffle: false,
            most_epochs: 1,
        }
    }
}

/// Programs and buffers of a run.
pub(super) struct Engine {
    executable: Box<dyn Executable>,
    pub(super) plan: Plan,
    specs: Vec<String>,
    buffers: Vec<Buffer>,
}

impl Engine {
    /// Puts the data on the network's device and compiles the run.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Targets`], [`Error::Label`], [`Error::Argument`] where network,
    /// loss and data do not fit, and the device's.
    pub(super) fn new(mlp: &Mlp, data: &Dataset, setup: Setup) -> Result<Self> {
        mlp.check_inputs("fit", Shape::new(data.len(), data.inputs()))?;
        check_output(mlp, setup.loss)?;
        let device = mlp.device();
        let features = Placed::features(device, data)?;
        let outputs = mlp.network().outputs();
        let targets = Placed::targets(device, data, setup.loss, outputs)?;
        let plan = Plan::new(data.len(), &setup)?;
        let lower = |batch| {
            let network = mlp.network().clone();
            let (features, targets) = (features.source.clone(), targets.source.clone());
            let (loss, optimizer, groups) = (setup.loss, setup.optimizer, setup.groups.clone());
            let (order, slots) = (plan.order_words(), plan.slots());
            Step { network, loss, optimizer, groups, batch, features, targets, order, slots }
                .lower()
        };
        let programs: Vec<Program> =
            plan.batches().into_iter().map(lower).collect::<Result<_>>()?;

        let mut parts = features.parts.iter().chain(&targets.parts);
        let place = |spec: &crate::program::BufferSpec| match spec.name.as_str() {
            names::PARAMETERS => Ok(mlp.buffer().clone()),
            name if name.starts_with("features.") || name.starts_with("targets.") => {
                parts.next().cloned().map_or_else(|| device.allocate(spec.words), Ok)
            }
            _ => device.allocate(spec.words),
        };
        let buffers: Vec<Buffer> = programs[0].buffers.iter().map(place).collect::<Result<_>>()?;
        let executable = device.compile(&programs, &buffers)?;
        let specs = programs[0].buffers.iter().map(|spec| spec.name.clone()).collect();
        Ok(Self { executable, plan, specs, buffers })
    }

    /// A buffer of the run.
    pub(super) fn buffer(&self, name: &str) -> Option<&Buffer> {
        let at = self.specs.iter().position(|spec| spec == name)?;
        self.buffers.get(at)
    }

    /// Sets the row order of the epochs to come; without shuffling there is none to set.
    pub(super) fn write_order(&self, order: &[u32]) -> Result<()> {
        self.buffer(names::ORDER).map_or(Ok(()), |buffer| buffer.write(0, order))
    }

    /// Queues steps.
    pub(super) fn queue(&mut self, launches: &[Launch]) -> Result<()> {
        self.executable.run(launches)
    }
}

/// Checks that the loss can follow the last layer.
fn check_output(mlp: &Mlp, loss: Loss) -> Result<()> {
    let last = mlp.layers().last().map_or(Activation::Identity, |layer| layer.activation);
    if loss.takes_logits() && last != Activation::Identity {
        let expected =
            format!("{loss} takes logits: use `.output(width)`, which has no activation");
        return Err(Error::argument("the last layer's activation", last, expected));
    }
    Ok(())
}
