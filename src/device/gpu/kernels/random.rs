//! Random numbers by counter: dropout and noise.

use super::{Access, Dispatch, Kernel, Slot, THREADS, grid, offset, word};
use crate::op::{View, dropout_threshold};

const fn kernel(name: &'static str) -> Kernel {
    Kernel {
        name,
        entry: name,
        source: concat!(
            include_str!("../../../../shaders/common.wgsl"),
            include_str!("../../../../shaders/random.wgsl"),
        ),
        bindings: &[Access::Read, Access::Write],
    }
}

static DROPOUT: Kernel = kernel("dropout");
static NOISE: Kernel = kernel("noise");

/// `struct Params` of `shaders/random.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    key: [u32; 2],
    count: u32,
    source: u32,
    destination: u32,
    threshold: u32,
    scale: f32,
    padding: u32,
}

pub(super) fn dropout(rate: f32, key: [u32; 2], input: Option<View>, output: View) -> Dispatch {
    let (threshold, scale) = (dropout_threshold(rate), 1.0 / (1.0 - rate));
    dispatch(&DROPOUT, key, input, output, threshold, scale)
}

pub(super) fn noise(deviation: f32, key: [u32; 2], values: View) -> Dispatch {
    dispatch(&NOISE, key, None, values, 0, deviation)
}

fn dispatch(
    kernel: &'static Kernel,
    key: [u32; 2],
    source: Option<View>,
    destination: View,
    threshold: u32,
    scale: f32,
) -> Dispatch {
    let count = destination.shape.len();
    let params = Params {
        key,
        count: word(count),
        source: offset(source),
        destination: word(destination.offset),
        threshold,
        scale,
        padding: 0,
    };
    let slot = source.map_or(Slot::Unused, |source| Slot::Buffer(source.buffer));
    Dispatch {
        kernel,
        constants: vec![("IN_PLACE", u32::from(source.is_none())), ("THREADS", word(THREADS))],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![slot, Slot::Buffer(destination.buffer)],
        groups: grid(count.div_ceil(THREADS)),
        scratch: 0,
        work: 64 * count as u64,
    }
}
