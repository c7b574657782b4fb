//! Plans bound to their buffers, replayed with only the step's arguments changing.

use std::sync::Arc;

use super::super::super::{Executable, Launch, Meter, Strategy, Timed};
use super::super::Shared;
use super::super::fused::step::Minibatches;
use super::super::timestamps::Timestamps;
use super::kernel::Kernels;
use super::packing::Touched;
use crate::error::Result;

/// A plan bound to its buffers.
pub(in super::super) struct TwoPassExecutable {
    pub(super) shared: Arc<Shared>,
    pub(super) kernels: Kernels,
    /// The buffers of the programs.
    pub(super) touched: Touched,
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

    /// Submits steps.
    fn submit(&self, launches: &[Launch]) -> Result<()> {
        self.shared.context.submit_pass(|pass| {
            for (number, launch) in launches.iter().enumerate() {
                self.kernels.step(pass, number, self.minibatches.rows(launch));
            }
        })
    }

    /// The same with each dispatch between timestamps.
    fn submit_timed(&self, launches: &[Launch]) -> Result<()> {
        let mut timestamps = Timestamps::new(&self.shared.context);
        for (number, launch) in launches.iter().enumerate() {
            let rows = self.minibatches.rows(launch);
            self.kernels.step_timed(&mut timestamps, &self.timed, number, rows)?;
        }
        timestamps.submit()
    }
}

impl Executable for TwoPassExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        let packing = &self.kernels.packing;
        self.shared.begin_run(&self.touched, Some(packing))?;
        packing.pack()?;
        for chunk in launches.chunks(self.most) {
            self.upload(chunk);
            if self.shared.context.profiler.is_on() {
                self.submit_timed(chunk)?;
            } else {
                self.submit(chunk)?;
            }
            Meter::add(&self.shared.context.meter.steps, chunk.len());
        }
        Ok(())
    }

    fn strategy(&self) -> Strategy {
        Strategy::TwoPass
    }
}

impl Drop for TwoPassExecutable {
    fn drop(&mut self) {
        // A device that is lost has nothing to bring back, and says so to whoever asks next.
        let _ = self.kernels.packing.unpack();
    }
}
