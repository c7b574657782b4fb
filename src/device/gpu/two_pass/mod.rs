//! The two-pass strategy: a step in two dispatches, or three where the first layer is wide.
//!
//! Forward, loss and every delta are local to a row, so that one dispatch does them for blocks of rows;
//! a second does every layer's weight and bias gradient with the optimizer's update behind it, so that no
//! gradient goes to memory. The inputs of a wide first layer are cut into slices, which a dispatch before
//! sums one by one. Between runs parameters are where the program has them; in a run they are packed
//! into vectors (`layout`, `shaders/two_pass.wgsl`).
//!
//! What it runs is read out of the programs, as for the persistent strategy, and refused alike.

mod kernel;
mod lanes;
mod layout;
mod source;
mod threads;
mod written;

use std::sync::Arc;

pub(super) use self::kernel::Cache;
use self::kernel::{Buffers, Kernels};
use self::source::Source;
use super::super::{Executable, Launch, Meter, Strategy, Timed};
use super::Shared;
use super::kernels::{Slot, picked, word};
use super::persistent::plan::{Minibatch, Plan, PlanLayer};
use super::recorder::MAX_WORK;
use super::timestamps::Timestamps;
use crate::error::Result;
use crate::op::{Cost, StepArgs};
use crate::program::Program;

/// Steps whose arguments are uploaded at once, and that are submitted together.
const MAX_STEPS: usize = 512;

/// The widest layer for which the strategy is chosen.
const MOST_UNITS: usize = 512;

/// The multiplications of a step up to which it is chosen on hardware, where the program's tiled products
/// win in the end; an estimate, as nothing was measured there.
const MOST_WORK: usize = 100_000_000;

/// The seconds that it saves a step at the least where it is chosen, and on software besides for each
/// multiplication. By what docs/gpu.md measures.
const SAVED: f64 = 2e-5;
const SAVED_ON_SOFTWARE: f64 = 5e-5;
const SAVED_A_PRODUCT: f64 = 1e-10;

/// The seconds that compiling takes a layer; on software also a unit.
const SECONDS_PER_LAYER: f64 = 0.1;
const SECONDS_PER_SOFTWARE_LAYER: f64 = 0.3;
const SECONDS_PER_UNIT: f64 = 0.02;

/// `Step` of `shaders/steps.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Step {
    args: StepArgs,
    rows: u32,
    delta_scale: f32,
    loss_scale: f32,
    padding: u32,
}

/// What fits an adapter, not bound to buffers yet.
pub(super) struct TwoPass {
    plan: Plan,
    source: Source,
    minibatches: Vec<Minibatch>,
}

impl TwoPass {
    /// The programs as the strategy runs them.
    ///
    /// # Errors
    /// `Argument` with the reason why it cannot.
    pub(super) fn fitting(shared: &Shared, programs: &[Program]) -> Result<Self> {
        let unfit = |reason: String| Strategy::TwoPass.unfit(reason);
        let (plan, minibatches) = Plan::of(programs).map_err(unfit)?;
        let rows = minibatches.iter().map(|minibatch| minibatch.rows).max().unwrap_or(1);
        let form = if lanes::suit(shared.target) { lanes::source } else { threads::source };
        let source = form(&plan, rows, shared.target).map_err(unfit)?;
        let (buffers, most) = (Source::buffers(&plan), shared.target.max_buffers);
        if buffers > most {
            let reason = format!("it needs {buffers} storage buffers, and the adapter has {most}");
            return Err(unfit(reason));
        }
        Ok(Self { plan, source, minibatches })
    }

    /// The same where it is likely to be faster than the program for so many steps.
    pub(super) fn suited(shared: &Shared, programs: &[Program], steps: usize) -> Option<Self> {
        let this = Self::fitting(shared, programs).ok()?;
        let software = shared.target.software;
        let narrow = this.plan.layers.iter().all(|layer| layer.outputs <= MOST_UNITS);
        let small = software || this.work() <= MOST_WORK;
        let saved =
            if software { SAVED_ON_SOFTWARE + SAVED_A_PRODUCT * this.work() as f64 } else { SAVED };
        let pays = this.compilation(software) <= saved * steps as f64;
        (narrow && small && pays).then_some(this)
    }

    /// About how long compiling takes, in seconds.
    fn compilation(&self, software: bool) -> f64 {
        let layers = &self.plan.layers;
        if !software {
            return SECONDS_PER_LAYER * layers.len() as f64;
        }
        let units = |layer: &PlanLayer| layer.outputs.min(lanes::MOST_UNITS) as f64;
        let seconds = |layer| SECONDS_PER_SOFTWARE_LAYER + SECONDS_PER_UNIT * units(layer);
        layers.iter().map(seconds).sum()
    }

    /// The multiplications of a step.
    fn work(&self) -> usize {
        let layers = self.plan.layers.iter().map(|layer| layer.inputs * layer.outputs);
        let rows = self.minibatches.iter().map(|minibatch| minibatch.rows).max();
        3 * rows.unwrap_or(1) * layers.sum::<usize>()
    }

    /// What the dispatches of a step are: the products they compute, and the data, weights and moments
    /// that they read and write.
    fn timed(&self) -> Vec<Timed> {
        let layers = &self.plan.layers;
        let weights: Vec<usize> = layers.iter().map(|layer| layer.inputs * layer.outputs).collect();
        let (first, all) = (weights[0], weights.iter().sum::<usize>());
        let inputs = layers[0].inputs;
        let outputs: usize = layers.iter().map(|layer| layer.outputs).sum();
        let rows = self.minibatches.iter().map(|minibatch| minibatch.rows).max().unwrap_or(1);
        // Without a dispatch for the inputs the rows' does what that would do.
        let split = self.source.passes.iter().any(|pass| pass.entry == "inputs");
        let moved = 2 * self.plan.words * (1 + self.plan.moments.len());
        let timed = |entry: &'static str| {
            let (products, words) = match entry {
                "inputs" => (first, first + rows * inputs),
                "rows" if split => (2 * (all - first), all - first + rows * 2 * outputs),
                "rows" => (2 * all - first, all + rows * (inputs + 2 * outputs)),
                _ => (all, moved + rows * (inputs + 2 * outputs)),
            };
            let cost = Cost { flop: (2 * rows * products) as u64, bytes: 4 * words as u64 };
            Timed { instruction: "steps", kernel: entry, cost }
        };
        self.source.passes.iter().map(|pass| timed(pass.entry)).collect()
    }

    /// Makes all that running needs.
    pub(super) fn bind(
        self,
        shared: Arc<Shared>,
        buffers: &[&wgpu::Buffer],
    ) -> Result<TwoPassExecutable> {
        let Self { plan, source, minibatches } = &self;
        let context = &shared.context;
        let stride = size_of::<Step>()
            .next_multiple_of(context.limits.min_uniform_buffer_offset_alignment as usize);
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let steps = context.buffer("steps", MAX_STEPS * stride / 4, usage)?;
        let storage = |label, words| context.buffer(label, words, wgpu::BufferUsages::STORAGE);
        let values = storage("values", source.layout.values(plan))?;
        let stored: Vec<usize> = [plan.parameters].iter().chain(&plan.moments).copied().collect();
        let packed =
            stored.iter().map(|_| storage("packed", source.layout.width * source.layout.vectors));
        let packed: Vec<wgpu::Buffer> = packed.collect::<Result<_>>()?;
        let [features, targets, losses] =
            [plan.features, plan.targets, plan.losses].map(|view| buffers[view.buffer]);
        let order = match picked(plan.rows()).order {
            Slot::Buffer(order) => buffers[order],
            // There is none, and nothing reads it.
            _ => targets,
        };
        let fixed = [&values, features, targets, order, losses];
        let bound = Buffers {
            passes: fixed.into_iter().chain(&packed).collect(),
            packed: stored.iter().map(|&buffer| buffers[buffer]).zip(&packed).collect(),
            steps: &steps,
            stride,
        };
        let kernels = Kernels::compile(context, &shared.two_pass, source, &bound)?;
        let most = MAX_WORK / (2 * self.work() as u64).max(1);
        Ok(TwoPassExecutable {
            bytes: Vec::with_capacity(MAX_STEPS * stride),
            minibatches: minibatches.clone(),
            most: most.clamp(1, MAX_STEPS as u64) as usize,
            timed: self.timed(),
            kernels,
            steps,
            stride,
            shared,
        })
    }
}

/// A plan bound to its buffers.
pub(super) struct TwoPassExecutable {
    shared: Arc<Shared>,
    kernels: Kernels,
    /// What the dispatches of a step are where somebody profiles.
    timed: Vec<Timed>,
    minibatches: Vec<Minibatch>,
    /// The most steps of a submission.
    most: usize,
    /// The arguments of up to [`MAX_STEPS`] steps, and as bytes on their way there.
    steps: wgpu::Buffer,
    bytes: Vec<u8>,
    stride: usize,
}

impl TwoPassExecutable {
    /// Uploads the arguments of a submission's steps.
    fn upload(&mut self, launches: &[Launch]) {
        self.bytes.clear();
        for launch in launches {
            let Minibatch { rows, delta_scale, loss_scale } = self.minibatches[launch.program];
            let args = launch.args;
            let step = Step { args, rows: word(rows), delta_scale, loss_scale, padding: 0 };
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytemuck::bytes_of(&step));
            self.bytes.resize(start + self.stride, 0);
        }
        let context = &self.shared.context;
        // In order with the submissions: those before have read what is overwritten here.
        context.queue.write_buffer(&self.steps, 0, &self.bytes);
        Meter::add(&context.meter.uploads, 1);
    }

    /// The commands of a submission, the first or the last one of a run.
    fn encode(&self, launches: &[Launch], first: bool, last: bool) -> wgpu::CommandBuffer {
        let mut encoder = self.shared.context.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        if first {
            self.kernels.pack(&mut pass);
        }
        for (number, launch) in launches.iter().enumerate() {
            self.kernels.step(&mut pass, number, self.minibatches[launch.program].rows);
        }
        if last {
            self.kernels.unpack(&mut pass);
        }
        drop(pass);
        encoder.finish()
    }
}

impl TwoPassExecutable {
    /// Submits the same with each dispatch between timestamps.
    fn submit_timed(&self, launches: &[Launch], first: bool, last: bool) -> Result<()> {
        let mut timestamps = Timestamps::new(&self.shared.context);
        let moves = |kernel| Timed { instruction: "steps", kernel, cost: Cost::default() };
        if first {
            timestamps.dispatch(moves("pack"), |pass| self.kernels.pack(pass))?;
        }
        for (number, launch) in launches.iter().enumerate() {
            let rows = self.minibatches[launch.program].rows;
            self.kernels.step_timed(&mut timestamps, &self.timed, number, rows)?;
        }
        if last {
            timestamps.dispatch(moves("unpack"), |pass| self.kernels.unpack(pass))?;
        }
        timestamps.submit()
    }
}

impl Executable for TwoPassExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        self.shared.recorder.flush()?;
        let mut done = 0;
        for chunk in launches.chunks(self.most) {
            self.upload(chunk);
            let first = done == 0;
            done += chunk.len();
            let last = done == launches.len();
            if self.shared.context.profiler.is_on() {
                self.submit_timed(chunk, first, last)?;
            } else {
                self.shared.context.submit(Some(self.encode(chunk, first, last)))?;
            }
            Meter::add(&self.shared.context.meter.steps, chunk.len());
        }
        Ok(())
    }

    fn strategy(&self) -> Strategy {
        Strategy::TwoPass
    }
}
