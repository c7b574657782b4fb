//! Plans bound to their buffers, replayed with only the step's arguments changing.

use std::sync::Arc;

use super::super::super::{Executable, Launch, Meter, Strategy, Timed};
use super::super::Shared;
use super::super::fused::step::Minibatches;
use super::super::timestamps::Timestamps;
use super::kernel::Kernels;
use crate::error::Result;
use crate::op::Cost;

/// A plan bound to its buffers.
pub(in super::super) struct TwoPassExecutable {
    pub(super) shared: Arc<Shared>,
    pub(super) kernels: Kernels,
    /// What the dispatches of a step are where somebody profiles.
    pub(super) timed: Vec<Timed>,
    pub(super) minibatches: Minibatches,
    /// The most steps of a submission.
    pub(super) most: usize,
    /// The arguments of up to [`MAX_STEPS`](super::MAX_STEPS) steps, and as bytes on their way there.
    pub(super) steps: wgpu::Buffer,
    pub(super) bytes: Vec<u8>,
    pub(super) stride: usize,
}

impl TwoPassExecutable {
    /// Uploads the arguments of a submission's steps.
    fn upload(&mut self, launches: &[Launch]) {
        self.bytes.clear();
        for launch in launches {
            let step = self.minibatches.step(launch);
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
            self.kernels.step(&mut pass, number, self.minibatches.rows(launch));
        }
        if last {
            self.kernels.unpack(&mut pass);
        }
        drop(pass);
        encoder.finish()
    }

    /// Submits the same with each dispatch between timestamps.
    fn submit_timed(&self, launches: &[Launch], first: bool, last: bool) -> Result<()> {
        let mut timestamps = Timestamps::new(&self.shared.context);
        let moves = |kernel| Timed { instruction: "steps", kernel, cost: Cost::default() };
        if first {
            timestamps.dispatch(moves("pack"), |pass| self.kernels.pack(pass))?;
        }
        for (number, launch) in launches.iter().enumerate() {
            let rows = self.minibatches.rows(launch);
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
