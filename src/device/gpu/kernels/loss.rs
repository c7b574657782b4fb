//! Row losses and the delta of the network's output, and what the rows of a minibatch count.

use super::{
    Access, Dispatch, Kernel, LOOP_LIMIT, Picked, Slot, THREADS, Target, check_row, grid, lanes,
    offset, picked, word,
};
use crate::error::Result;
use crate::nn::TargetKind;
use crate::op::{Op, Rows, View};

static LOSS: Kernel = Kernel {
    name: "loss",
    entry: "loss",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/pick.wgsl"),
        include_str!("../../../../shaders/activation_fused.wgsl"),
        include_str!("../../../../shaders/lanes.wgsl"),
        include_str!("../../../../shaders/loss.wgsl"),
        include_str!("../../../../shaders/loss_terms.wgsl"),
        include_str!("../../../../shaders/loss_rows.wgsl"),
    ),
    bindings: &[
        Access::Read,
        Access::Read,
        Access::Read,
        Access::Read,
        Access::Read,
        Access::Read,
        Access::Write,
        Access::Write,
    ],
};

static WEIGH: Kernel = Kernel {
    name: "weigh",
    entry: "weigh",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/pick.wgsl"),
        include_str!("../../../../shaders/weigh.wgsl"),
    ),
    bindings: &[Access::Read, Access::Read, Access::Read, Access::Write],
};

static WEIGH_SUM: Kernel = Kernel { name: "weigh_sum", entry: "weigh_sum", ..WEIGH };

/// The rows that a workgroup sums up the weights of; there are at most `LOOP_LIMIT` workgroups.
const WEIGHTS_PER_GROUP: usize = 4_096;

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
    weights: u32,
    positive: u32,
    delta: u32,
    row_losses: u32,
    scale: f32,
    constant: f32,
}

/// `struct Params` of `shaders/weigh.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct WeighParams {
    batch: u32,
    cols: u32,
    weights: u32,
    rows: u32,
    order: u32,
    partials: u32,
    output: u32,
}

pub(super) fn lower(op: &Op, target: Target) -> Result<Dispatch> {
    let &Op::Loss { loss, activation, scale, output, cached, targets, kind, .. } = op else {
        unreachable!("{} is not a loss", op.name());
    };
    let &Op::Loss { weights, positive, delta, row_losses, .. } = op else {
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
        weights: offset(weights),
        positive: offset(positive),
        delta: word(delta.offset),
        row_losses: word(row_losses.offset),
        scale,
        constant: loss.constant(),
    };
    let maybe = |view: Option<View>| view.map_or(Slot::Unused, |view| Slot::Buffer(view.buffer));
    Ok(Dispatch {
        kernel: &LOSS,
        constants: vec![
            ("LOSS", loss.code()),
            ("LABELS", u32::from(kind == TargetKind::Labels)),
            ("WEIGHTED", u32::from(weights.is_some())),
            ("POSITIVE", u32::from(positive.is_some())),
            ("DERIVATIVE", activation.code()),
            ("PICK", code),
            ("LANES", word(lanes)),
            ("THREADS", word(threads)),
        ],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![
            Slot::Buffer(output.buffer),
            maybe(cached),
            Slot::Buffer(targets.source.buffer),
            order,
            maybe(weights),
            maybe(positive),
            Slot::Buffer(delta.buffer),
            Slot::Buffer(row_losses.buffer),
        ],
        groups: grid(shape.rows.div_ceil(threads / lanes)),
        scratch: 0,
        work: 16 * shape.len() as u64,
    })
}

/// The minibatch's weights: their sum, where it is needed, and each over it.
pub(super) fn weigh(weights: Rows, mean: bool, output: View) -> Vec<Dispatch> {
    let batch = weights.count;
    let partials = batch.div_ceil(WEIGHTS_PER_GROUP).min(LOOP_LIMIT);
    let Picked { code, order, offset } = picked(weights);
    let params = WeighParams {
        batch: word(batch),
        cols: word(weights.source.shape.cols),
        weights: word(weights.source.offset),
        rows: word(weights.source.shape.rows),
        order: offset,
        partials: word(partials),
        output: word(output.offset),
    };
    let source = Slot::Buffer(weights.source.buffer);
    let destination = Slot::Buffer(output.buffer);
    let dispatch = |kernel, sums, destination, groups| Dispatch {
        kernel,
        constants: vec![("PICK", code), ("MEAN", u32::from(mean)), ("THREADS", word(THREADS))],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![source, order, sums, destination],
        groups: grid(groups),
        scratch: if mean { partials } else { 0 },
        work: batch as u64,
    };
    let groups = batch.div_ceil(THREADS);
    if !mean {
        return vec![dispatch(&WEIGH, Slot::Unused, destination, groups)];
    }
    vec![
        dispatch(&WEIGH_SUM, Slot::Unused, Slot::Scratch, partials),
        dispatch(&WEIGH, Slot::Scratch, destination, groups),
    ]
}
