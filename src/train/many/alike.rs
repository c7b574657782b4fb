//! Which trainings go in step.

use super::Job;
use super::data::have_own_data;
use crate::device::{DeviceKind, Precision, Strategy};
use crate::error::{Error, Result};
use crate::op::Shape;
use crate::persist::RunSettings;
use crate::train::Trainer;
use crate::train::objective::Objective;
use crate::train::resident::check_targets_fit;

/// The most networks of a dispatch: the workgroups that all adapters take.
const MOST_MEMBERS: usize = 65_535;

/// Whether a training may go in step with others: nobody looks at it between two epochs, and nothing
/// stands against it that it had better be told by itself.
pub(super) fn may_join(job: &Job<'_>) -> bool {
    let trainer = &job.trainer;
    let watched = !trainer.watchers.is_empty()
        || trainer.checkpoints.is_some()
        || trainer.resume.is_some()
        || trainer.recorder.is_some()
        || trainer.trace_every.is_some()
        || trainer.validation.is_some()
        || trainer.settings.schedule.schedule.monitor().is_some();
    let on_gpu = job.mlp.device().info().kind != DeviceKind::Cpu;
    let precise = trainer.settings.precision == Precision::F32;
    on_gpu && precise && !watched && trainer.strategy != Strategy::Program && check(job).is_ok()
}

/// Checks what depends on the network and its data.
fn check(job: &Job<'_>) -> Result<()> {
    let Job { trainer, mlp, data, .. } = job;
    trainer.check()?;
    mlp.check_inputs("fit", Shape::new(data.len(), data.inputs()))?;
    let objective = Objective::of(&trainer.settings);
    objective.check(mlp)?;
    if objective.weights(data, mlp.network().outputs())?.is_some() {
        return Err(Error::argument("the weights", "given", "no strategy knows weighted rows"));
    }
    check_targets_fit(data, objective.loss, mlp.network().outputs())
}

/// Whether two trainings differ in nothing but their numbers.
pub(super) fn are_alike(one: &Job<'_>, other: &Job<'_>) -> bool {
    let (a, b) = (&one.trainer, &other.trainer);
    let [x, y] = [one.data, other.data];
    let common = |trainer: &Trainer| RunSettings {
        seed: 0,
        schedule: Default::default(),
        optimizer: a.settings.optimizer,
        ..trainer.settings.clone()
    };
    one.mlp.device() == other.mlp.device()
        && one.mlp.network() == other.mlp.network()
        && (a.epochs, a.strategy, a.calibration) == (b.epochs, b.strategy, b.calibration)
        && a.settings.optimizer.is_alike(&b.settings.optimizer)
        && common(a) == common(b)
        && (x.len(), x.targets().kind(), x.outputs()) == (y.len(), y.targets().kind(), y.outputs())
}

/// Whether the steps of two trainings have the same coefficients.
pub(super) fn share_coefficients(one: &Trainer, other: &Trainer) -> bool {
    one.settings.optimizer == other.settings.optimizer
        && one.settings.schedule == other.settings.schedule
}

/// The most networks of a group that the buffers of the device hold.
pub(super) fn most_members(group: &[&Job<'_>]) -> usize {
    let Some(Job { mlp, data, .. }) = group.first() else { return 1 };
    // Row orders and losses have no more words than there are rows.
    let row = if have_own_data(group) { data.inputs().max(data.outputs()) } else { 1 };
    let largest = mlp.buffer().words().max(data.len() * row);
    (mlp.device().max_words() / largest).clamp(1, MOST_MEMBERS)
}
