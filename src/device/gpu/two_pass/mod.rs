//! The two-pass strategy: a step in two dispatches, or three where the first layer is wide.
//!
//! Forward, loss and every delta are local to a row, so that one dispatch does them for blocks of rows;
//! a second does every layer's weight and bias gradient with the optimizer's update behind it, so that no
//! gradient goes to memory. The inputs of a wide first layer are cut into slices, which a dispatch before
//! sums one by one. Parameters are packed into vectors (`layout`, `shaders/two_pass.wgsl`), and are where the
//! program has them as soon as anybody looks (`packing`).
//!
//! What it runs is a plan of the programs (`fused`).

mod executable;
mod held;
mod kernel;
mod lanes;
mod layout;
mod packing;
mod source;
mod threads;
mod written;

use std::sync::Arc;

use self::executable::TwoPassExecutable;
pub(super) use self::kernel::Cache;
use self::kernel::{Buffers, Kernels};
pub(super) use self::packing::{Packing, Packings, Touched};
use self::source::Source;
use super::super::{Strategy, Timed};
use super::calibration::{Demand, Sizes};
use super::fused::check_buffers;
use super::fused::plan::Plan;
use super::fused::step::{Minibatches, Step};
use super::kernels::Target;
use super::recorder::MAX_WORK;
use super::{Shared, all_written};
use crate::error::Result;
use crate::op::Cost;
use crate::program::Program;

/// Steps whose arguments are uploaded at once, and that are submitted together.
const MAX_STEPS: usize = 512;

/// What fits an adapter, not bound to buffers yet.
pub(super) struct TwoPass {
    plan: Plan,
    source: Source,
    minibatches: Minibatches,
}

impl TwoPass {
    /// The programs as the strategy runs them.
    ///
    /// # Errors
    /// `Argument` with the reason why it cannot.
    pub(super) fn fitting(shared: &Shared, programs: &[Program]) -> Result<Self> {
        let unfit = |reason: String| Strategy::TwoPass.unfit(reason);
        let (plan, minibatches) = Plan::of(programs).map_err(unfit)?;
        let rows = minibatches.most_rows();
        let form = if lanes::suit(shared.target) { lanes::source } else { threads::source };
        let source = form(&plan, rows, shared.target).map_err(unfit)?;
        check_buffers(Source::buffers(&plan), shared.target).map_err(unfit)?;
        Ok(Self { plan, source, minibatches })
    }

    /// What a step demands; none where the program does it as fast.
    pub(super) fn demand(&self, target: Target) -> Option<Demand> {
        let rows = self.minibatches.most_rows();
        let sizes = Sizes::of(&self.plan, rows);
        let slices = self.source.layout.slices;
        if lanes::suit(target) {
            return sizes.two_pass_lanes(slices, lanes::lines(&self.plan, rows));
        }
        sizes.two_pass(slices)
    }

    /// The multiplications of a step.
    fn work(&self) -> usize {
        self.plan.work(self.minibatches.most_rows())
    }

    /// What the dispatches of a step are: the products they compute, and the data, weights and moments
    /// that they read and write.
    fn timed(&self) -> Vec<Timed> {
        let layers = &self.plan.layers;
        let weights = self.plan.weights();
        let (first, all) = (weights[0], weights.iter().sum::<usize>());
        let inputs = layers[0].inputs;
        let outputs: usize = layers.iter().map(|layer| layer.outputs).sum();
        let rows = self.minibatches.most_rows();
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
        let order = plan.order(buffers, targets);
        let fixed = [&values, features, targets, order, losses];
        let bound = Buffers {
            passes: fixed.into_iter().chain(&packed).collect(),
            packed: stored.iter().map(|&buffer| buffers[buffer]).zip(&packed).collect(),
            steps: &steps,
            stride,
        };
        let kernels = Kernels::compile(context, &shared.two_pass, source, &bound)?;
        shared.packings.add(&kernels.packing);
        let most = MAX_WORK / (2 * self.work() as u64).max(1);
        Ok(TwoPassExecutable {
            bytes: Vec::with_capacity(MAX_STEPS * stride),
            minibatches: minibatches.clone(),
            most: most.clamp(1, MAX_STEPS as u64) as usize,
            timed: self.timed(),
            touched: all_written(buffers),
            kernels,
            steps,
            stride,
            shared,
        })
    }
}
