//! Kernels that compute one element a thread: fill, binary, scalar, activate, differentiate, and
//! what is left of an activation that another kernel does not apply itself.

use super::{Access, Constants, Dispatch, Kernel, Slot, THREADS, grid, word};
use crate::nn::Activation;
use crate::op::{Op, View};

const SOURCE: &str = concat!(
    include_str!("../../../../shaders/common.wgsl"),
    include_str!("../../../../shaders/real.wgsl"),
    include_str!("../../../../shaders/activation_fused.wgsl"),
    include_str!("../../../../shaders/activation.wgsl"),
    include_str!("../../../../shaders/activation_cases.wgsl"),
    include_str!("../../../../shaders/phi.wgsl"),
    include_str!("../../../../shaders/elementwise.wgsl"),
);

const fn kernel(name: &'static str) -> Kernel {
    Kernel {
        name,
        entry: name,
        source: SOURCE,
        bindings: &[Access::Read, Access::Read, Access::Write],
    }
}

static FILL: Kernel = kernel("fill");
static BINARY: Kernel = kernel("binary");
static SCALAR: Kernel = kernel("scalar");
static ACTIVATE: Kernel = kernel("activate");
static DIFFERENTIATE: Kernel = kernel("differentiate");
static ACTIVATE_IN_PLACE: Kernel = kernel("activate_in_place");
static CHAIN: Kernel = kernel("chain");

/// `struct Params` of `shaders/elementwise.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    cols: u32,
    a: u32,
    b: u32,
    b_row: u32,
    b_col: u32,
    output: u32,
    value: f32,
}

pub(super) fn lower(op: &Op) -> Dispatch {
    let none = Params::default();
    match *op {
        Op::Fill { value, output } => {
            dispatch(&FILL, vec![], None, None, output, Params { value, ..none })
        }
        Op::Binary { op, a, b, output } => {
            let params = Params {
                b_row: if b.shape.rows == 1 { 0 } else { word(b.shape.cols) },
                b_col: u32::from(b.shape.cols != 1),
                ..none
            };
            let constants = vec![("OPERATION", op as u32)];
            dispatch(&BINARY, constants, Some(a), Some(b), output, params)
        }
        Op::Scalar { op, a, scalar, output } => {
            let constants = vec![("OPERATION", op as u32)];
            dispatch(&SCALAR, constants, Some(a), None, output, Params { value: scalar, ..none })
        }
        Op::Activate { activation, input, output } => {
            let constants = constants_of(activation);
            dispatch(&ACTIVATE, constants, Some(input), None, output, none)
        }
        Op::Differentiate { activation, input, output } => {
            let constants = constants_of(activation);
            dispatch(&DIFFERENTIATE, constants, Some(input), None, output, none)
        }
        _ => unreachable!("{} is not elementwise", op.name()),
    }
}

/// output = phi(output)
pub(super) fn activate_in_place(activation: Activation, output: View) -> Dispatch {
    let constants = constants_of(activation);
    dispatch(&ACTIVATE_IN_PLACE, constants, None, None, output, Params::default())
}

/// delta = delta phi', from what forward kept
pub(super) fn chain(activation: Activation, cached: View, delta: View) -> Dispatch {
    dispatch(&CHAIN, constants_of(activation), Some(cached), None, delta, Params::default())
}

fn constants_of(activation: Activation) -> Constants {
    let parameter = activation.parameter().unwrap_or(0.0);
    vec![("ACTIVATION", activation.code()), ("PARAMETER", parameter.to_bits())]
}

fn dispatch(
    kernel: &'static Kernel,
    mut constants: Constants,
    a: Option<View>,
    b: Option<View>,
    output: View,
    params: Params,
) -> Dispatch {
    let slot = |view: Option<View>| view.map_or(Slot::Unused, |view| Slot::Buffer(view.buffer));
    let params = Params {
        count: word(output.shape.len()),
        cols: word(output.shape.cols),
        a: super::offset(a),
        b: super::offset(b),
        output: word(output.offset),
        ..params
    };
    constants.push(("THREADS", word(THREADS)));
    Dispatch {
        kernel,
        constants,
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![slot(a), slot(b), Slot::Buffer(output.buffer)],
        groups: grid(output.shape.len().div_ceil(THREADS)),
        scratch: 0,
        work: output.shape.len() as u64,
    }
}
