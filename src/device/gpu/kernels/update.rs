//! The optimizer's step, one parameter a thread, or four.

use super::{Access, Dispatch, Kernel, Slot, THREADS, grid, offset, word};
use crate::op::View;
use crate::optim::Optimizer;

macro_rules! update {
    ($name:literal, $element:literal) => {
        Kernel {
            name: $name,
            entry: "update",
            source: concat!(
                "alias Element = ",
                $element,
                ";\n",
                include_str!("../../../../shaders/common.wgsl"),
                include_str!("../../../../shaders/update.wgsl"),
            ),
            bindings: &[Access::Read, Access::Write, Access::Write, Access::Write],
        }
    };
}

static UPDATE: Kernel = update!("update", "f32");
static UPDATE4: Kernel = update!("update4", "vec4<f32>");

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
    let views = [Some(parameters), Some(gradients), first, second];
    let aligned = |view: View| view.offset.is_multiple_of(4) && view.shape.len().is_multiple_of(4);
    let vector = views.into_iter().flatten().all(aligned);
    let (kernel, words) = if vector { (&UPDATE4, 4) } else { (&UPDATE, 1) };
    let count = parameters.shape.len() / words;
    let at = |view: Option<View>| offset(view) / word(words);
    let params = Params {
        constants: optimizer.constants(),
        count: word(count),
        parameters: at(Some(parameters)),
        gradients: at(Some(gradients)),
        first: at(first),
        second: at(second),
        padding: [0; 3],
    };
    let slot = |view: Option<View>| view.map_or(Slot::Unused, |view| Slot::Buffer(view.buffer));
    let parameter_slot = Slot::Buffer(parameters.buffer);
    Dispatch {
        kernel,
        constants: vec![
            ("OPTIMIZER", optimizer.code()),
            ("MOMENTS", word(optimizer.moments())),
            ("THREADS", word(THREADS)),
        ],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![Slot::Buffer(gradients.buffer), parameter_slot, slot(first), slot(second)],
        groups: grid(count.div_ceil(THREADS)),
        scratch: 0,
        work: 8 * parameters.shape.len() as u64,
    }
}
