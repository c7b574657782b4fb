//! Transposition, by tiles in workgroup memory so that both sides are read and written in rows.

use super::{Access, Dispatch, Kernel, Slot, grid, word};
use crate::op::View;

static TRANSPOSE: Kernel = Kernel {
    name: "transpose",
    entry: "transpose",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/transpose.wgsl"),
    ),
    bindings: &[Access::Read, Access::Write],
};

/// The rows and columns of a tile; a workgroup has a thread for each element.
const TILE: usize = 16;

/// `struct Params` of `shaders/transpose.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    cols: u32,
    input: u32,
    output: u32,
}

pub(super) fn lower(input: View, output: View) -> Dispatch {
    let params = Params {
        rows: word(input.shape.rows),
        cols: word(input.shape.cols),
        input: word(input.offset),
        output: word(output.offset),
    };
    let tiles = input.shape.rows.div_ceil(TILE) * input.shape.cols.div_ceil(TILE);
    Dispatch {
        kernel: &TRANSPOSE,
        constants: vec![("TILE", word(TILE))],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![Slot::Buffer(input.buffer), Slot::Buffer(output.buffer)],
        groups: grid(tiles),
        scratch: 0,
        work: input.shape.len() as u64,
    }
}
