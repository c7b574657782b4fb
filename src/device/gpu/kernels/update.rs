//! The optimizer's step, one parameter a thread.

use super::{Access, Dispatch, Kernel, Slot, THREADS, grid, offset, placed, word};
use crate::op::View;
use crate::optim::Optimizer;

static UPDATE: Kernel = Kernel {
    name: "update",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/update.wgsl"),
    ),
    bindings: &[Access::Read, Access::Write, Access::Write, Access::Write],
};

/// `struct Params` of `shaders/update.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    constants: [f32; 4],
    count: u32,
    parameters: u32,
    gradients: u32,
    first: u32,
    second: u32,
    padding: [u32; 3],
}

pub(super) fn lower(
    optimizer: Optimizer,
    parameters: View,
    gradients: View,
    first: Option<View>,
    second: Option<View>,
) -> Dispatch {
    let params = Params {
        constants: optimizer.constants(),
        count: word(parameters.shape.len()),
        parameters: word(parameters.offset),
        gradients: word(gradients.offset),
        first: offset(first),
        second: offset(second),
        padding: [0; 3],
    };
    let (first_slot, first_in) = placed(first, &[parameters]);
    let second_others = [parameters, first.unwrap_or(parameters)];
    let (second_slot, second_in) = placed(second, &second_others);
    let parameter_slot = Slot::Buffer(parameters.buffer);
    Dispatch {
        kernel: &UPDATE,
        constants: vec![
            ("OPTIMIZER", optimizer.code()),
            ("MOMENTS", word(optimizer.moments())),
            ("FIRST_IN", first_in),
            ("SECOND_IN", second_in),
            ("THREADS", word(THREADS)),
        ],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![Slot::Buffer(gradients.buffer), parameter_slot, first_slot, second_slot],
        groups: grid(parameters.shape.len().div_ceil(THREADS)),
        scratch: 0,
        work: 8 * parameters.shape.len() as u64,
    }
}
