//! Networks that go through their steps together: one executable over buffers that hold the numbers of
//! all, one after the other.

use std::sync::Arc;

use super::Job;
use super::alike::share_coefficients;
use super::data::Shelf;
use super::member::{Epochs, Member};
use crate::device::{Buffer, Compiled, Executable, Launch, Members};
use crate::error::{Error, Result};
use crate::nn::LossReduction;
use crate::persist::RunSettings;
use crate::program::{BufferSpec, Program, Step, names};
use crate::stopwatch::Stopwatch;
use crate::train::History;
use crate::train::engine::Setup;
use crate::train::flight::{EpochStep, Plan};
use crate::train::progress::Progress;
use crate::train::trainer::FLIGHT_SECONDS;

/// The most losses, and the most row numbers, of all networks that a flight keeps on the device.
const FLIGHT_WORDS: usize = 1 << 22;

/// The most launches of all networks together in a flight, where each has its own.
const FLIGHT_LAUNCHES: usize = 1 << 18;

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
            most_epochs: most_epochs(count, apart, [steps, first.data.len()]),
            ..Setup::of(trainer, &settings)
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
        let compiled = device.compile_many(&programs, &buffers, &members, setup.how(plan.steps))?;
        let Some(Compiled { executable, reason }) = compiled else { return Ok(None) };
        let named = |name: &str| programs[0].buffer(name).map(|at| buffers[at].clone());
        let missing =
            || Error::Program { op: "train_many", reason: "a step without losses".into() };
        let lists = if apart { count } else { 1 };
        let shown = group.iter().any(|job| job.trainer.progress);
        let progress = Progress::new(shown, trainer.epochs, count * first.data.len());
        progress.begin(executable.strategy(), &reason);
        Ok(Some(Self {
            members: group
                .iter()
                .zip(parameters)
                .map(|(job, p)| Member::new(job, p, &plan, (executable.strategy(), &reason)))
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
            progress,
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
