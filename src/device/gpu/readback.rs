//! Copying results to the host: one wait, however many ranges.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::super::Meter;
use super::context::{Context, lock};
use crate::error::Result;

/// A range of words of a buffer.
pub(super) type Part<'a> = (&'a wgpu::Buffer, Range<usize>);

/// The most words that one staging buffer holds: 256 MiB.
const MAX_STAGING: usize = 64 << 20;

/// The staging buffers that are kept for the next reading.
const MAX_IDLE: usize = 4;

/// Staging buffers that nobody reads from at the moment, so that epochs after the first allocate
/// nothing.
#[derive(Debug, Default)]
pub(super) struct Staging(Mutex<Vec<wgpu::Buffer>>);

impl Staging {
    /// A buffer of at least `words` words.
    fn take(&self, context: &Context, words: usize) -> Result<wgpu::Buffer> {
        let mut idle = lock(&self.0);
        if let Some(at) = idle.iter().position(|buffer| buffer.size() >= 4 * words as u64) {
            return Ok(idle.swap_remove(at));
        }
        drop(idle);
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        context.buffer("staging", words, usage)
    }

    /// Keeps a buffer that has been read, and of too many not the smallest.
    fn give(&self, buffer: wgpu::Buffer) {
        buffer.unmap();
        let mut idle = lock(&self.0);
        idle.push(buffer);
        idle.sort_by_key(wgpu::Buffer::size);
        if idle.len() > MAX_IDLE {
            idle.remove(0);
        }
    }
}

/// Reads the parts, after all work that is submitted.
pub(super) async fn read(context: &Context, parts: &[Part<'_>]) -> Result<Vec<Vec<f32>>> {
    let limit = usize::try_from(context.limits.max_buffer_size / 4).unwrap_or(usize::MAX);
    let mut results: Vec<Vec<f32>> =
        parts.iter().map(|(_, range)| Vec::with_capacity(range.len())).collect();
    for pieces in pieces(parts, limit.min(MAX_STAGING)) {
        let words = read_pieces(context, parts, &pieces).await?;
        let mut rest = &words[..];
        for (part, range) in pieces {
            let (piece, after) = rest.split_at(range.len());
            results[part].extend_from_slice(piece);
            rest = after;
        }
    }
    Meter::add(&context.meter.readbacks, 1);
    Ok(results)
}

/// A part by its number, and the range of the buffer that is read.
type Piece = (usize, Range<usize>);

/// Cuts the parts into groups of pieces that fit a staging buffer of `limit` words.
fn pieces(parts: &[Part<'_>], limit: usize) -> Vec<Vec<Piece>> {
    let mut groups = vec![Vec::new()];
    let mut free = limit;
    for (number, (_, range)) in parts.iter().enumerate() {
        let mut start = range.start;
        while start < range.end {
            if free == 0 {
                groups.push(Vec::new());
                free = limit;
            }
            let end = range.end.min(start + free);
            groups.last_mut().into_iter().for_each(|group| group.push((number, start..end)));
            free -= end - start;
            start = end;
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

async fn read_pieces(context: &Context, parts: &[Part<'_>], pieces: &[Piece]) -> Result<Vec<f32>> {
    let total: usize = pieces.iter().map(|(_, range)| range.len()).sum();
    let staging = context.staging.take(context, total)?;
    let mut encoder = context.device.create_command_encoder(&Default::default());
    let mut at = 0;
    for (part, range) in pieces {
        let source = 4 * range.start as u64;
        let bytes = 4 * range.len() as u64;
        encoder.copy_buffer_to_buffer(parts[*part].0, source, &staging, at, bytes);
        at += bytes;
    }
    context.submit(Some(encoder.finish()))?;

    let signal = Arc::new(Mutex::new(Signal::default()));
    let sender = signal.clone();
    staging.map_async(wgpu::MapMode::Read, 0..at, move |result| {
        let mut signal = lock(&sender);
        signal.result = Some(result.map_err(|error| error.to_string()));
        if let Some(waker) = signal.waker.take() {
            waker.wake();
        }
    });
    Mapped { context, signal }.await?;
    let view = staging
        .get_mapped_range(0..at)
        .map_err(|error| context.failed("read", error.to_string()))?;
    let words = bytemuck::pod_collect_to_vec(&view);
    drop(view);
    context.staging.give(staging);
    Ok(words)
}

/// What the callback of the mapping leaves.
#[derive(Default)]
struct Signal {
    result: Option<std::result::Result<(), String>>,
    waker: Option<Waker>,
}

/// Ready as soon as the staging buffer is mapped.
struct Mapped<'a> {
    context: &'a Context,
    signal: Arc<Mutex<Signal>>,
}

impl Future for Mapped<'_> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<Result<()>> {
        // Natively nobody else polls the device, so that waiting here is what makes it ready.
        #[cfg(not(target_arch = "wasm32"))]
        if lock(&self.signal).result.is_none() {
            self.context.drain()?;
        }
        let mut signal = lock(&self.signal);
        match signal.result.take() {
            Some(Ok(())) => Poll::Ready(self.context.check("read")),
            Some(Err(reason)) => {
                self.context.check("read")?;
                Poll::Ready(Err(self.context.failed("read", reason)))
            }
            None => {
                signal.waker = Some(task.waker().clone());
                Poll::Pending
            }
        }
    }
}
