//! Softmax and its logarithm, by rows.

use super::{Access, Dispatch, Kernel, Slot, THREADS, Target, check_row, grid, lanes, word};
use crate::error::Result;
use crate::op::{Op, View};

static SOFTMAX: Kernel = Kernel {
    name: "softmax",
    entry: "softmax",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/lanes.wgsl"),
        include_str!("../../../../shaders/softmax.wgsl"),
    ),
    bindings: &[Access::Read, Access::Write],
};

/// `struct Params` of `shaders/softmax.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    cols: u32,
    input: u32,
    output: u32,
}

pub(super) fn lower(
    op: &Op,
    logarithm: bool,
    input: View,
    output: View,
    target: Target,
) -> Result<Dispatch> {
    let shape = input.shape;
    check_row(op, shape.cols, 3, target)?;
    let lanes = lanes(shape.cols, target);
    let threads = lanes.max(THREADS);
    let params = Params {
        rows: word(shape.rows),
        cols: word(shape.cols),
        input: word(input.offset),
        output: word(output.offset),
    };
    Ok(Dispatch {
        kernel: &SOFTMAX,
        constants: vec![
            ("LOGARITHM", u32::from(logarithm)),
            ("LANES", word(lanes)),
            ("THREADS", word(threads)),
        ],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![Slot::Buffer(input.buffer), Slot::Buffer(output.buffer)],
        groups: grid(shape.rows.div_ceil(threads / lanes)),
        scratch: 0,
        work: 16 * shape.len() as u64,
    })
}
