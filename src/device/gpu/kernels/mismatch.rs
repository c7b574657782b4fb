//! Counting the elements in which two matrices differ.

use super::{Access, Dispatch, Kernel, Slot, grid, word};
use crate::op::View;

static MISMATCH: Kernel = Kernel {
    name: "mismatch",
    entry: "mismatch",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/mismatch.wgsl"),
    ),
    bindings: &[Access::Read, Access::Read, Access::Write],
};

static TOTAL: Kernel = Kernel {
    name: "mismatch_total",
    entry: "mismatch_total",
    source: include_str!("../../../../shaders/mismatch_total.wgsl"),
    bindings: &[Access::Read, Access::Write],
};

const THREADS: usize = 256;

/// The elements that a workgroup counts.
const PER_GROUP: usize = 4_096;

/// `struct Params` of `shaders/mismatch.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    a: u32,
    b: u32,
    relative: f32,
    absolute: f32,
}

pub(super) fn lower(a: View, b: View, relative: f32, absolute: f32, output: View) -> Vec<Dispatch> {
    let count = a.shape.len();
    let groups = count.div_ceil(PER_GROUP);
    let params =
        Params { count: word(count), a: word(a.offset), b: word(b.offset), relative, absolute };
    let counts = Dispatch {
        kernel: &MISMATCH,
        constants: vec![("THREADS", word(THREADS)), ("PER_GROUP", word(PER_GROUP))],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![Slot::Buffer(a.buffer), Slot::Buffer(b.buffer), Slot::Scratch],
        groups: grid(groups),
        scratch: groups,
        work: 4 * count as u64,
    };
    let total = Dispatch {
        kernel: &TOTAL,
        constants: vec![("THREADS", word(THREADS))],
        params: vec![word(groups), word(output.offset)],
        slots: vec![Slot::Scratch, Slot::Buffer(output.buffer)],
        groups: [1; 3],
        scratch: groups,
        work: groups as u64,
    };
    vec![counts, total]
}
