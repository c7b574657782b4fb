//! Copies in f16 of what is kept in f32.

use std::ops::Range;

use super::halves::Half;
use super::{Access, Dispatch, Kernel, Slot, THREADS, grid, word};

static NARROW: Kernel = Kernel {
    name: "narrow",
    entry: "narrow",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/half.wgsl"),
        include_str!("../../../../shaders/narrow.wgsl"),
    ),
    bindings: &[Access::Read, Access::Write],
};

/// `struct Params` of `shaders/narrow.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    first: u32,
    count: u32,
    padding: [u32; 2],
}

/// Copies the words of a range, and those beside them that make up whole fours.
pub(super) fn lower(buffer: usize, range: Range<usize>, half: Half) -> Dispatch {
    let (first, end) = (range.start / 4, range.end.div_ceil(4));
    let count = end - first;
    let params = Params { first: word(first), count: word(count), padding: [0; 2] };
    Dispatch {
        kernel: &NARROW,
        constants: vec![("SCALE", (half.scale as f32).to_bits()), ("THREADS", word(THREADS))],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![Slot::Buffer(buffer), Slot::Buffer(half.buffer)],
        groups: grid(count.div_ceil(THREADS)),
        scratch: 0,
        work: 4 * count as u64,
    }
}
