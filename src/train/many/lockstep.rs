//! Networks that go through their steps together: one executable over buffers that hold the numbers of
//! all, one after the other.

use std::sync::Arc;

use super::Job;
use super::data::{Shelf, have_own_data};
use crate::device::{Buffer, DeviceKind, Executable, Launch, Members, Precision, Strategy};
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::LossReduction;
use crate::op::Shape;
use crate::persist::RunSettings;
use crate::program::{BufferSpec, Program, Step, names};
use crate::stopwatch::Stopwatch;
use crate::train::engine::Setup;
use crate::train::flight::{EpochStep, Plan};
use crate::train::objective::Objective;
use crate::train::pacing::Pacer;
use crate::train::progress::Progress;
use crate::train::resident::target_words;
use crate::train::run::check_finite;
use crate::train::trainer::FLIGHT_SECONDS;
use crate::train::{EpochRecord, History, Trainer};

/// The most networks of a dispatch: the workgroups that all adapters take.
const MOST_MEMBERS: usize = 65_535;

/// The most losses, and the most row numbers, of all networks that a flight keeps on the device.
const FLIGHT_WORDS: usize = 1 << 22;

/// The most launches of all networks together in a flight, where each has its own.
const FLIGHT_LAUNCHES: usize = 1 << 18;

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
    target_words(data, objective.loss, mlp.network().outputs()).map(drop)
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
        && (a.epochs, a.strategy) == (b.epochs, b.strategy)
        && a.settings.optimizer.is_alike(&b.settings.optimizer)
        && common(a) == common(b)
        && (x.len(), x.targets().kind(), x.outputs()) == (y.len(), y.targets().kind(), y.outputs())
}

/// Whether the steps of two trainings have the same coefficients.
fn share_coefficients(one: &Trainer, other: &Trainer) -> bool {
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

/// A network of those that go in step.
struct Member<'a> {
    mlp: &'a Mlp,
    seed: u64,
    record_steps: bool,
    pacer: Pacer,
    /// Its parameters as they were last read and finite.
    parameters: Vec<f32>,
    history: History,
    /// Why it is out; its workgroup goes on, and nobody looks at what it does.
    out: Option<Error>,
}

/// Trainings under way.
pub(super) struct Lockstep<'a> {
    members: Vec<Member<'a>>,
    epochs: usize,
    plan: Plan,
    epoch: Vec<EpochStep>,
    reduction: LossReduction,
    executable: Box<dyn Executable>,
    buffers: Buffers,
    /// One list for each member, or for all.
    launches: Vec<Vec<Launch>>,
    done: usize,
    progress: Progress,
}

/// The buffers that hold the numbers of all members.
struct Buffers {
    parameters: Buffer,
    losses: Buffer,
    order: Option<Buffer>,
}

impl<'a> Lockstep<'a> {
    /// The trainings of a group on its device, if that has a way to train them together.
    ///
    /// # Errors
    /// `Argument` for a strategy that cannot run them, and the device's.
    pub(super) async fn new(group: &[&'a Job<'_>]) -> Result<Option<Self>> {
        let [first, ..] = group else { return Ok(None) };
        let (trainer, network) = (&first.trainer, first.mlp.network());
        let (device, count) = (first.mlp.device(), group.len());
        let settings = RunSettings { rows: first.data.len(), ..trainer.settings.clone() };
        let apart = group.iter().any(|job| !share_coefficients(trainer, &job.trainer));
        let steps = first.data.len().div_ceil(settings.batch_size.max(1));
        let setup = Setup {
            settings: &settings,
            trains: true,
            recorder: None,
            strategy: trainer.strategy,
            epochs: trainer.epochs,
            most_epochs: most_epochs(count, apart, [steps, first.data.len()]),
        };
        let plan = Plan::new(first.data.len(), network, setup)?;
        let data = Shelf::new(device, group)?;
        let programs: Vec<Program> = setup
            .steps(network, &plan, &data.sources)
            .iter()
            .map(Step::lower)
            .collect::<Result<_>>()?;

        let all: Vec<_> = group
            .iter()
            .map(|job| (job.mlp.buffer().storage(), 0..network.parameter_words()))
            .collect();
        let parameters = device.backend().read(&all).await?;
        let specs = &programs[0].buffers;
        let strides: Vec<usize> = specs.iter().map(|spec| data.stride(spec)).collect();
        let place = |(spec, stride): (&BufferSpec, &usize)| match spec.name.as_str() {
            names::PARAMETERS => device.upload_shared(Arc::new(parameters.concat())),
            name => match data.buffer(name) {
                Some(buffer) => Ok(buffer.clone()),
                None => device.allocate(spec.words + (count - 1) * stride),
            },
        };
        let buffers: Vec<Buffer> = specs.iter().zip(&strides).map(place).collect::<Result<_>>()?;
        let members = Members { count, strides };
        let planned = trainer.epochs.saturating_mul(plan.steps);
        let compiled =
            device.compile_many(&programs, &buffers, &members, trainer.strategy, planned)?;
        let Some(executable) = compiled else { return Ok(None) };
        let named = |name: &str| programs[0].buffer(name).map(|at| buffers[at].clone());
        let missing =
            || Error::Program { op: "train_many", reason: "a step without losses".into() };
        let lists = if apart { count } else { 1 };
        let shown = group.iter().any(|job| job.trainer.progress);
        Ok(Some(Self {
            members: group
                .iter()
                .zip(parameters)
                .map(|(job, p)| Member::new(job, p, &plan, executable.strategy()))
                .collect(),
            epochs: trainer.epochs,
            epoch: plan.epoch(),
            reduction: settings.reduction,
            buffers: Buffers {
                parameters: named(names::PARAMETERS).ok_or_else(missing)?,
                losses: named(names::LOSSES).ok_or_else(missing)?,
                order: named(names::ORDER),
            },
            launches: vec![Vec::with_capacity(plan.slots()); lists],
            done: 0,
            progress: Progress::new(shown, trainer.epochs, count * first.data.len()),
            plan,
            executable,
        }))
    }

    /// Trains all of them to the end, and leaves their networks with what they learned.
    pub(super) async fn train(mut self) -> Vec<Result<History>> {
        let mut flight = 1;
        while self.done < self.epochs && self.members.iter().any(|member| member.out.is_none()) {
            let count = flight.min(self.plan.epochs).min(self.epochs - self.done);
            match self.flight(count).await {
                Ok(seconds) if seconds < FLIGHT_SECONDS => flight = flight.max(2 * count),
                Ok(_) => {}
                Err(error) => return self.members.iter().map(|_| Err(error.clone())).collect(),
            }
        }
        self.progress.finish();
        self.members.into_iter().map(Member::end).collect()
    }

    /// Trains `count` epochs, reads what they left in one go, and gives the seconds they took.
    async fn flight(&mut self, count: usize) -> Result<f64> {
        let watch = Stopwatch::start();
        let Self { plan, buffers, members, done, .. } = self;
        if let Some(order) = &buffers.order {
            let own = order.words() / members.len();
            let mut words = Vec::with_capacity(order.words());
            for (number, member) in members.iter().enumerate() {
                words.resize(number * own, 0);
                words.extend(plan.order(member.seed, *done, count));
            }
            order.write(0, &words)?;
        }
        for (member, launches) in members.iter_mut().zip(&mut self.launches) {
            let step = (*done * plan.steps) as u64;
            let coefficients = |step| member.pacer.coefficients(step);
            plan.launches(&self.epoch, count, step, coefficients, launches);
        }
        self.executable.run_many(&self.launches)?;

        let (steps, own) = (count * plan.steps, buffers.losses.words() / members.len());
        let all = (buffers.parameters.storage(), 0..buffers.parameters.words());
        let losses = |i: usize| (buffers.losses.storage(), i * own..i * own + steps);
        let ranges: Vec<_> = [all].into_iter().chain((0..members.len()).map(losses)).collect();
        let read = buffers.parameters.device().backend().read(&ranges).await?;
        let Some((parameters, losses)) = read.split_first() else { return Ok(0.0) };

        let seconds = watch.seconds();
        let of_member = parameters.chunks_exact(parameters.len() / members.len());
        let epoch =
            Epochs { plan, reduction: self.reduction, done: *done, each: seconds / count as f64 };
        for ((member, losses), parameters) in members.iter_mut().zip(losses).zip(of_member) {
            member.see(&epoch, losses, parameters);
        }
        self.done += count;
        let running = self.members.iter().find(|member| member.out.is_none());
        if let Some(last) = running.and_then(|member| member.history.last()) {
            self.progress.update(last);
        }
        Ok(seconds)
    }
}

/// The most epochs of a flight of so many networks with so many steps and rows an epoch.
fn most_epochs(count: usize, apart: bool, [steps, rows]: [usize; 2]) -> usize {
    let launches = if apart { FLIGHT_LAUNCHES / steps } else { usize::MAX };
    launches.min(FLIGHT_WORDS / steps.max(rows)) / count
}

/// The epochs of a flight.
struct Epochs<'a> {
    plan: &'a Plan,
    reduction: LossReduction,
    /// How many there were before.
    done: usize,
    /// The seconds of each.
    each: f64,
}

impl<'a> Member<'a> {
    fn new(job: &'a Job<'_>, parameters: Vec<f32>, plan: &Plan, strategy: Strategy) -> Self {
        let settings = &job.trainer.settings;
        Self {
            mlp: job.mlp,
            seed: settings.seed,
            record_steps: job.trainer.record_steps,
            pacer: Pacer::new(settings.optimizer, settings.schedule.clone(), plan.updates()),
            parameters,
            history: History { strategy, ..History::default() },
            out: None,
        }
    }

    /// Takes what a flight has left.
    fn see(&mut self, epochs: &Epochs<'_>, losses: &[f32], parameters: &[f32]) {
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

    fn end(self) -> Result<History> {
        self.mlp.buffer().write(0, &self.parameters)?;
        self.out.map_or(Ok(self.history), Err)
    }
}
