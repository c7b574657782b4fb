//! Row losses and the delta of the network's output.

use super::{
    Access, Dispatch, Kernel, Picked, Slot, THREADS, Target, check_row, grid, lanes, offset,
    picked, word,
};
use crate::error::Result;
use crate::op::Op;

static LOSS: Kernel = Kernel {
    name: "loss",
    entry: "loss",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/pick.wgsl"),
        include_str!("../../../../shaders/activation_fused.wgsl"),
        include_str!("../../../../shaders/lanes.wgsl"),
        include_str!("../../../../shaders/loss.wgsl"),
    ),
    bindings: &[
        Access::Read,
        Access::Read,
        Access::Read,
        Access::Read,
        Access::Write,
        Access::Write,
    ],
};

/// `struct Params` of `shaders/loss.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    batch: u32,
    cols: u32,
    output: u32,
    cached: u32,
    targets: u32,
    target_rows: u32,
    order: u32,
    delta: u32,
    row_losses: u32,
    scale: f32,
}

pub(super) fn lower(op: &Op, target: Target) -> Result<Dispatch> {
    let &Op::Loss { loss, activation, scale, output, cached, targets, delta, row_losses } = op
    else {
        unreachable!("{} is not a loss", op.name());
    };
    let shape = output.shape;
    check_row(op, shape.cols, 3, target)?;
    let lanes = lanes(shape.cols, target);
    let threads = lanes.max(THREADS);
    let Picked { code, order, offset: order_offset } = picked(targets);
    let params = Params {
        batch: word(shape.rows),
        cols: word(shape.cols),
        output: word(output.offset),
        cached: offset(cached),
        targets: word(targets.source.offset),
        target_rows: word(targets.source.shape.rows),
        order: order_offset,
        delta: word(delta.offset),
        row_losses: word(row_losses.offset),
        scale,
    };
    Ok(Dispatch {
        kernel: &LOSS,
        constants: vec![
            ("LOSS", loss.code()),
            ("DERIVATIVE", activation.code()),
            ("PICK", code),
            ("LANES", word(lanes)),
            ("THREADS", word(threads)),
        ],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![
            Slot::Buffer(output.buffer),
            cached.map_or(Slot::Unused, |cached| Slot::Buffer(cached.buffer)),
            Slot::Buffer(targets.source.buffer),
            order,
            Slot::Buffer(delta.buffer),
            Slot::Buffer(row_losses.buffer),
        ],
        groups: grid(shape.rows.div_ceil(threads / lanes)),
        scratch: 0,
        work: 16 * shape.len() as u64,
    })
}
