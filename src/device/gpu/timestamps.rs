//! Timestamps around dispatches, while somebody profiles: each has a pass of its own, and is waited for.

use super::super::Timed;
use super::context::Context;
use super::kernels::Dispatch;
use super::readback;
use crate::error::Result;
use crate::op::{Cost, Op};

/// The dispatches of a submission: two queries each, and a query set has 4,096.
const MOST: usize = 2_048;

/// What is timed where these dispatches are an instruction: the one that does most has its cost.
pub(super) fn timed(op: &Op, dispatches: &[Dispatch]) -> Vec<Timed> {
    let most = (0..dispatches.len()).max_by_key(|&at| dispatches[at].work);
    let of = |(at, dispatch): (usize, &Dispatch)| {
        let cost = if Some(at) == most { op.cost() } else { Cost::default() };
        Timed { instruction: op.name(), kernel: dispatch.kernel.name, cost }
    };
    dispatches.iter().enumerate().map(of).collect()
}

/// Dispatches on their way, between timestamps.
pub(super) struct Timestamps<'a> {
    context: &'a Context,
    encoder: wgpu::CommandEncoder,
    queries: wgpu::QuerySet,
    timed: Vec<Timed>,
}

impl<'a> Timestamps<'a> {
    /// None so far.
    pub(super) fn new(context: &'a Context) -> Self {
        let queries = context.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("timestamps"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * MOST as u32,
        });
        let encoder = context.device.create_command_encoder(&Default::default());
        Self { context, encoder, queries, timed: Vec::new() }
    }

    /// Encodes a dispatch.
    pub(super) fn dispatch(
        &mut self,
        timed: Timed,
        encode: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) -> Result<()> {
        if self.timed.len() == MOST {
            self.submit()?;
        }
        let at = 2 * self.timed.len() as u32;
        let writes = wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(at),
            end_of_pass_write_index: Some(at + 1),
        };
        let descriptor =
            wgpu::ComputePassDescriptor { label: None, timestamp_writes: Some(writes) };
        encode(&mut self.encoder.begin_compute_pass(&descriptor));
        self.timed.push(timed);
        Ok(())
    }

    /// Runs what was encoded, waits, and hands the times to the profiler.
    pub(super) fn submit(&mut self) -> Result<()> {
        let Self { context, queries, timed, .. } = self;
        let count = 2 * timed.len();
        if count == 0 {
            return Ok(());
        }
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let ticks = context.buffer("timestamps", 2 * count, usage)?;
        let next = context.device.create_command_encoder(&Default::default());
        let mut encoder = std::mem::replace(&mut self.encoder, next);
        encoder.resolve_query_set(queries, 0..count as u32, &ticks, 0);
        context.submit(Some(encoder.finish()))?;
        let read = pollster::block_on(readback::read(context, &[(&ticks, 0..2 * count)]))?;
        let ticks: Vec<u64> =
            read.iter().flat_map(|words| bytemuck::pod_collect_to_vec(words)).collect();
        let period = 1e-9 * f64::from(context.queue.get_timestamp_period());
        for (timed, ticks) in timed.drain(..).zip(ticks.chunks_exact(2)) {
            context.profiler.add(timed, period * ticks[1].saturating_sub(ticks[0]) as f64);
        }
        Ok(())
    }
}
