//! What happens between gradient and update, and after it: penalize, clip, limit_norm, average.

use super::{Access, Dispatch, Kernel, Slot, THREADS, grid, offset, word};
use crate::op::{NORM_EPSILON, Op, View};

const fn kernel(name: &'static str) -> Kernel {
    Kernel {
        name,
        entry: name,
        source: concat!(
            include_str!("../../../../shaders/common.wgsl"),
            include_str!("../../../../shaders/adjust.wgsl"),
        ),
        bindings: &[Access::Read, Access::Write],
    }
}

static PENALIZE: Kernel = kernel("penalize");
static CLIP: Kernel = kernel("clip");
static LIMIT_NORM: Kernel = kernel("limit_norm");
static AVERAGE: Kernel = kernel("average");

/// `struct Params` of `shaders/adjust.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    operand: u32,
    values: u32,
    norm_stride: u32,
    cols: u32,
    first: f32,
    second: f32,
}

pub(super) fn lower(op: &Op) -> Dispatch {
    match *op {
        Op::Penalize { l1, l2, parameters, gradients } => {
            dispatch(&PENALIZE, Some(parameters), gradients, [l1, l2])
        }
        Op::Clip { limit, values } => dispatch(&CLIP, None, values, [limit, 0.0]),
        Op::LimitNorm { limit, norms, values } => {
            dispatch(&LIMIT_NORM, Some(norms), values, [limit, NORM_EPSILON])
        }
        Op::Average { decay, parameters, average } => {
            dispatch(&AVERAGE, Some(parameters), average, [1.0 - decay, 0.0])
        }
        _ => unreachable!("{} adjusts nothing", op.name()),
    }
}

fn dispatch(
    kernel: &'static Kernel,
    operand: Option<View>,
    values: View,
    [first, second]: [f32; 2],
) -> Dispatch {
    let count = values.shape.len();
    let params = Params {
        count: word(count),
        operand: offset(operand),
        values: word(values.offset),
        norm_stride: u32::from(operand.is_some_and(|norms| norms.shape.len() > 1)),
        cols: word(values.shape.cols),
        first,
        second,
    };
    let slot = operand.map_or(Slot::Unused, |operand| Slot::Buffer(operand.buffer));
    Dispatch {
        kernel,
        constants: vec![("THREADS", word(THREADS))],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![slot, Slot::Buffer(values.buffer)],
        groups: grid(count.div_ceil(THREADS)),
        scratch: 0,
        work: 4 * count as u64,
    }
}
