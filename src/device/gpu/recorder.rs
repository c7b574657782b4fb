//! Eager instructions, collected until somebody reads, writes, runs or enough have come together.

use std::sync::{Arc, Mutex};

use super::super::{Meter, Timed};
use super::binding::{Binder, Bound, Place};
use super::context::{Context, lock};
use super::kernels::Dispatch;
use super::pipelines::Pipelines;
use super::timestamps::Timestamps;
use crate::error::Result;
use crate::op::StepArgs;

/// Dispatches that are collected before they are submitted.
pub(super) const MAX_PENDING: usize = 256;

/// Floating-point operations that are submitted together: about a second on a software adapter.
pub(super) const MAX_WORK: u64 = 10_000_000_000;

/// Words of scratch memory that there are from the start; more is made when it is needed.
const FIRST_SCRATCH: usize = 1 << 16;

/// Bytes written to buffers before they are handed to the driver.
const MAX_UPLOAD: usize = 64 << 20;

/// The queue of eager instructions.
#[derive(Debug)]
pub(super) struct Recorder {
    context: Arc<Context>,
    /// For each pending dispatch the step's arguments, and after all of them its parameters.
    uniforms: wgpu::Buffer,
    args: wgpu::BindGroup,
    stride: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pending: Vec<Bound>,
    /// What each of them is where somebody profiles.
    timed: Vec<Timed>,
    /// What `uniforms` is to hold.
    bytes: Vec<u8>,
    work: u64,
    uploaded: usize,
    scratch: wgpu::Buffer,
    scratch_words: usize,
}

impl Recorder {
    pub(super) fn new(context: Arc<Context>, pipelines: &Pipelines) -> Result<Self> {
        let stride = Binder::stride(&context);
        let bytes = vec![0; 2 * MAX_PENDING * stride];
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniforms = context.buffer("uniform", bytes.len() / 4, usage)?;
        let args = pipelines.bind_args(&context, &uniforms);
        let scratch = context.buffer("scratch", FIRST_SCRATCH, wgpu::BufferUsages::STORAGE)?;
        let state = State {
            pending: Vec::with_capacity(MAX_PENDING),
            timed: Vec::with_capacity(MAX_PENDING),
            bytes,
            work: 0,
            uploaded: 0,
            scratch,
            scratch_words: FIRST_SCRATCH,
        };
        Ok(Self { context, uniforms, args, stride, state: Mutex::new(state) })
    }

    /// Adds the dispatches of an instruction, and where somebody profiles what each of them is.
    pub(super) fn record(
        &self,
        pipelines: &Pipelines,
        binder: &Binder,
        (dispatches, timed): (&[Dispatch], &[Timed]),
        buffers: &[&wgpu::Buffer],
        args: &StepArgs,
    ) -> Result<()> {
        let state = &mut *lock(&self.state);
        for (number, dispatch) in dispatches.iter().enumerate() {
            if dispatch.scratch > state.scratch_words {
                let words = dispatch.scratch.next_power_of_two();
                state.scratch =
                    self.context.buffer("scratch", words, wgpu::BufferUsages::STORAGE)?;
                state.scratch_words = words;
            }
            if state.pending.len() == MAX_PENDING || state.work > MAX_WORK {
                self.submit(state)?;
            }
            let slot = state.pending.len() * self.stride;
            let offset = MAX_PENDING * self.stride + slot;
            let place =
                Place { buffers, scratch: &state.scratch, uniforms: &self.uniforms, offset };
            let bound = binder.bind(&self.context, pipelines, dispatch, place)?;
            let mut put = |at: usize, bytes: &[u8]| {
                state.bytes[at..at + bytes.len()].copy_from_slice(bytes);
            };
            put(slot, bytemuck::bytes_of(args));
            put(offset, bytemuck::cast_slice(&dispatch.params));
            state.work += bound.work;
            state.pending.push(bound);
            state.timed.push(timed.get(number).copied().unwrap_or_default());
        }
        Ok(())
    }

    /// Hands everything that is pending to the driver.
    pub(super) fn flush(&self) -> Result<()> {
        self.submit(&mut lock(&self.state))
    }

    /// Overwrites a part of a buffer, after everything that is pending.
    pub(super) fn write(&self, buffer: &wgpu::Buffer, offset: usize, bytes: &[u8]) -> Result<()> {
        let state = &mut *lock(&self.state);
        self.submit(state)?;
        self.context.queue.write_buffer(buffer, 4 * offset as u64, bytes);
        Meter::add(&self.context.meter.uploads, 1);
        state.uploaded += bytes.len();
        if state.uploaded > MAX_UPLOAD {
            state.uploaded = 0;
            return self.context.submit(None);
        }
        self.context.check("write")
    }

    fn submit(&self, state: &mut State) -> Result<()> {
        if state.pending.is_empty() {
            return Ok(());
        }
        let used = state.pending.len() * self.stride;
        let params = MAX_PENDING * self.stride;
        for range in [0..used, params..params + used] {
            let bytes = &state.bytes[range.clone()];
            self.context.queue.write_buffer(&self.uniforms, range.start as u64, bytes);
        }
        state.work = 0;
        state.uploaded = 0;
        if self.context.profiler.is_on() {
            return self.submit_timed(state);
        }
        state.timed.clear();
        self.context.submit_pass(|pass| {
            for (index, bound) in state.pending.drain(..).enumerate() {
                pass.set_bind_group(0, &self.args, &[(index * self.stride) as u32]);
                bound.encode(pass);
            }
        })
    }

    /// The same with each dispatch between timestamps.
    fn submit_timed(&self, state: &mut State) -> Result<()> {
        let mut timestamps = Timestamps::new(&self.context);
        let pending = state.pending.drain(..).zip(state.timed.drain(..));
        for (index, (bound, timed)) in pending.enumerate() {
            timestamps.dispatch(timed, |pass| {
                pass.set_bind_group(0, &self.args, &[(index * self.stride) as u32]);
                bound.encode(pass);
            })?;
        }
        timestamps.submit()
    }

    #[cfg(test)]
    pub(super) fn pending(&self) -> usize {
        lock(&self.state).pending.len()
    }
}
