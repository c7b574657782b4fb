//! The persistent strategy: one workgroup runs many whole steps in one dispatch, with the parameters
//! and the optimizer's state in its memory. Networks that are trained side by side have a workgroup each.
//!
//! What it runs is a plan of the programs (`fused`). It has two forms: in the memory of a workgroup
//! (`workgroup`, `layout`), and for the smallest networks in the registers of one subgroup
//! (`registers`). The steps' arguments are a buffer, and a dispatch takes as many of them as fit the time
//! it may take (`pace`).

mod kernel;
mod layout;
mod pace;
mod registers;
mod source;
mod workgroup;

use std::sync::Arc;

pub(super) use self::kernel::Cache;
use self::kernel::{Kernel, MAX_DISPATCHES, Span};
use self::pace::Pace;
use self::source::Source;
use super::super::{Executable, Launch, Members, Meter, Strategy, Timed};
use super::calibration::{Demand, Sizes};
use super::fused::check_buffers;
use super::fused::plan::Plan;
use super::fused::step::{Minibatches, Step};
use super::kernels::{LOOP_LIMIT, word};
use super::two_pass::Touched;
use super::{Shared, all_written};
use crate::error::Result;
use crate::op::Cost;
use crate::program::Program;

/// Steps whose arguments are uploaded at once.
const MAX_STEPS: usize = 8_192;

/// The same of networks that have arguments of their own, for each of them, and for all together.
const STEPS_OF_MEMBER: usize = 128;
const STEPS_OF_MEMBERS: usize = 1 << 18;

/// Multiplications that one dispatch takes at most, where no clock says how long they take.
const MOST_AT_ONCE: usize = 200_000_000;

/// What fits an adapter, not bound to buffers yet.
pub(super) struct Persistent {
    members: usize,
    strategy: Strategy,
    plan: Plan,
    source: Source,
    minibatches: Minibatches,
}

impl Persistent {
    /// The programs as a strategy runs them.
    ///
    /// # Errors
    /// `Argument` with the reason why it cannot.
    pub(super) fn fitting(
        shared: &Shared,
        programs: &[Program],
        strategy: Strategy,
        members: Option<&Members>,
    ) -> Result<Self> {
        let unfit = |reason: String| strategy.unfit(reason);
        let (mut plan, minibatches) = Plan::of(programs).map_err(unfit)?;
        if let Some(members) = members {
            plan = plan.side_by_side(&members.strides);
        }
        let rows = minibatches.most_rows();
        let source = match strategy {
            Strategy::Registers => registers::source(&plan, rows, shared.target),
            _ => workgroup::source(&plan, rows, shared.target),
        };
        let source = source.map_err(unfit)?;
        if members.is_some() && source.values.is_some() {
            return Err(unfit("the values of several networks fit no workgroup's memory".into()));
        }
        check_buffers(source.buffers(&plan), shared.target).map_err(unfit)?;
        let members = members.map_or(1, |members| members.count);
        Ok(Self { members, strategy, plan, source, minibatches })
    }

    /// What a step demands.
    pub(super) fn demand(&self) -> Demand {
        let sizes = Sizes::of(&self.plan, self.minibatches.most_rows());
        match self.strategy {
            Strategy::Registers => sizes.registers(self.source.threads),
            _ => sizes.persistent(self.source.threads, self.source.iterations),
        }
    }

    /// The multiplications of a step.
    fn work(&self) -> usize {
        self.plan.work(self.minibatches.most_rows())
    }

    /// A step of all networks: the products that it computes, and the data that it reads.
    fn timed(&self) -> Timed {
        let rows = self.minibatches.most_rows();
        let weights = self.plan.weights();
        // Inputs have no deltas.
        let flop = 2 * rows * (3 * weights.iter().sum::<usize>() - weights[0]);
        let bytes = 4 * rows * (self.plan.layers[0].inputs + self.plan.outputs());
        let [flop, bytes] = [flop, bytes].map(|x| (self.members * x) as u64);
        Timed { instruction: "steps", kernel: self.strategy.name(), cost: Cost { flop, bytes } }
    }

    /// Makes all that running needs.
    pub(super) fn bind(
        self,
        shared: Arc<Shared>,
        buffers: &[&wgpu::Buffer],
    ) -> Result<PersistentExecutable> {
        let Self { members, strategy, plan, source, minibatches } = &self;
        let context = &shared.context;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let room = (members * STEPS_OF_MEMBER).clamp(MAX_STEPS, STEPS_OF_MEMBERS);
        let steps = context.buffer("steps", room * size_of::<Step>() / 4, usage)?;
        let values = |words| context.buffer("values", words, wgpu::BufferUsages::STORAGE);
        let values = source.values.map(values).transpose()?;
        let order = plan.order(buffers, &steps);
        let [features, targets] = [plan.features, plan.targets].map(|view| buffers[view.buffer]);
        let fixed = [&steps, features, targets, order];
        let written = [buffers[plan.losses.buffer], buffers[plan.parameters]];
        let moments = plan.moments.iter().map(|&moment| buffers[moment]);
        let bound: Vec<&wgpu::Buffer> =
            fixed.into_iter().chain(written).chain(moments).chain(&values).collect();
        let kernel = Kernel::compile(context, &shared.persistent, source, &bound)?;
        let most = (LOOP_LIMIT / source.iterations).min(MOST_AT_ONCE / (members * self.work()));
        Ok(PersistentExecutable {
            pace: Pace::new(most.clamp(1, MAX_STEPS / MAX_DISPATCHES)),
            room,
            bytes: Vec::with_capacity(MAX_STEPS * size_of::<Step>()),
            members: word(*members),
            timed: self.timed(),
            minibatches: minibatches.clone(),
            strategy: *strategy,
            kernel,
            touched: all_written(buffers),
            steps,
            shared,
        })
    }
}

/// A plan bound to its buffers.
pub(super) struct PersistentExecutable {
    shared: Arc<Shared>,
    strategy: Strategy,
    kernel: Kernel,
    /// The buffers of the programs.
    touched: Touched,
    minibatches: Minibatches,
    members: u32,
    /// A step of all of them, where somebody profiles.
    timed: Timed,
    /// The arguments of up to `room` steps, and as bytes on their way there.
    steps: wgpu::Buffer,
    room: usize,
    bytes: Vec<u8>,
    pace: Pace,
}

impl PersistentExecutable {
    /// Uploads the arguments of a submission's steps, one list after the other.
    fn upload<'a>(&mut self, launches: impl Iterator<Item = &'a Launch>) {
        self.bytes.clear();
        for launch in launches {
            let step = self.minibatches.step(launch);
            self.bytes.extend_from_slice(bytemuck::bytes_of(&step));
        }
        let context = &self.shared.context;
        // In order with the submissions: those before have read what is overwritten here.
        context.queue.write_buffer(&self.steps, 0, &self.bytes);
        Meter::add(&context.meter.uploads, 1);
    }

    /// Queues lists of launches that are equally long: one that all networks share, or one for each.
    fn queue(&mut self, lists: &[&[Launch]]) -> Result<()> {
        self.shared.begin_run(&self.touched, None)?;
        let launches = lists.first().map_or(0, |list| list.len());
        let steps = self.pace.begin(launches);
        let most = (steps * MAX_DISPATCHES).min(self.room / lists.len().max(1));
        for first in (0..launches).step_by(most) {
            let count = most.min(launches - first);
            self.upload(lists.iter().flat_map(|list| &list[first..first + count]));
            let stride = if lists.len() > 1 { count } else { 0 };
            let spans: Vec<Span> = (0..count)
                .step_by(steps)
                .map(|first| Span::new(first, steps.min(count - first), stride))
                .collect();
            let context = &self.shared.context;
            self.kernel.submit(context, &spans, self.members, self.timed)?;
            Meter::add(&context.meter.steps, count * self.members as usize);
        }
        Ok(())
    }
}

impl Executable for PersistentExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        self.queue(&[launches])
    }

    fn run_many(&mut self, lists: &[Vec<Launch>]) -> Result<()> {
        let lists: Vec<&[Launch]> = lists.iter().map(Vec::as_slice).collect();
        self.queue(&lists)
    }

    fn strategy(&self) -> Strategy {
        self.strategy
    }
}
