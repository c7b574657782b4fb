//! The optimizer's step, one parameter a thread, or four.

use super::halves::Half;
use super::{Access, Dispatch, Halves, Kernel, Slot, THREADS, grid, offset, word};
use crate::op::{Op, View};
use crate::optim::Optimizer;

macro_rules! kernel {
    ($name:literal, $element:literal, $entry:literal, $bindings:expr $(, $rules:literal)?) => {
        Kernel {
            name: $name,
            entry: $entry,
            source: concat!(
                "alias Element = ",
                $element,
                ";\n",
                include_str!("../../../../shaders/common.wgsl"),
                include_str!(concat!("../../../../shaders/", $entry, ".wgsl")),
                $(include_str!(concat!("../../../../shaders/", $rules, ".wgsl")),)?
            ),
            bindings: $bindings,
        }
    };
}

const UPDATE_BINDINGS: &[Access] =
    &[Access::Read, Access::Write, Access::Write, Access::Write, Access::Write];
const DIRECTION_BINDINGS: &[Access] = &[Access::Read, Access::Write, Access::Write, Access::Write];
const TRUST_STEP_BINDINGS: &[Access] = &[Access::Read, Access::Read, Access::Read, Access::Write];

static UPDATE: Kernel = kernel!("update", "f32", "update", UPDATE_BINDINGS, "update_rules");
static UPDATE4: Kernel = kernel!("update4", "vec4<f32>", "update", UPDATE_BINDINGS, "update_rules");
static UPDATE_HALF: Kernel = Kernel {
    name: "update_half",
    entry: "update_half",
    source: concat!(
        "alias Element = vec4<f32>;\n",
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/update.wgsl"),
        include_str!("../../../../shaders/update_rules.wgsl"),
        include_str!("../../../../shaders/half.wgsl"),
        include_str!("../../../../shaders/update_half.wgsl"),
    ),
    bindings: &[
        Access::Read,
        Access::Write,
        Access::Write,
        Access::Write,
        Access::Write,
        Access::Write,
    ],
};
static DIRECTION: Kernel = kernel!("direction", "f32", "direction", DIRECTION_BINDINGS);
static DIRECTION4: Kernel = kernel!("direction4", "vec4<f32>", "direction", DIRECTION_BINDINGS);
static TRUST_STEP: Kernel = kernel!("trust_step", "f32", "trust_step", TRUST_STEP_BINDINGS);
static TRUST_STEP4: Kernel = kernel!("trust_step4", "vec4<f32>", "trust_step", TRUST_STEP_BINDINGS);

/// `struct Params` of `shaders/update.wgsl` and `shaders/direction.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    constants: [f32; 4],
    count: u32,
    parameters: u32,
    gradients: u32,
    moments: [u32; 3],
    padding: [u32; 2],
}

/// `struct Params` of `shaders/trust_step.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct TrustParams {
    count: u32,
    parameters: u32,
    direction: u32,
    parameter_norm: u32,
    direction_norm: u32,
    rate_factor: f32,
}

/// The dispatches of an optimizer's instruction; none for another one.
pub(super) fn lower(op: &Op, halves: &Halves) -> Vec<Dispatch> {
    match *op {
        Op::Update { optimizer, rate_factor, parameters, gradients, moments } => {
            let dispatch = update(optimizer, rate_factor, parameters, gradients, moments);
            match halves.get(parameters.buffer) {
                Some(half) => update_half(dispatch, parameters, half, halves),
                None => vec![dispatch],
            }
        }
        Op::Direction { optimizer, parameters, gradients, moments } => {
            vec![direction(optimizer, parameters, gradients, moments)]
        }
        Op::TrustStep { rate_factor, parameters, direction, parameter_norm, direction_norm } => {
            vec![trust_step(rate_factor, parameters, direction, [parameter_norm, direction_norm])]
        }
        _ => Vec::new(),
    }
}

/// The words of an element: 4 where all views allow it.
fn element(views: impl IntoIterator<Item = View>) -> usize {
    let aligned = |view: View| view.offset.is_multiple_of(4) && view.shape.len().is_multiple_of(4);
    if views.into_iter().all(aligned) { 4 } else { 1 }
}

fn slot(view: Option<View>) -> Slot {
    view.map_or(Slot::Unused, |view| Slot::Buffer(view.buffer))
}

fn update(
    optimizer: Optimizer,
    rate_factor: f32,
    parameters: View,
    gradients: View,
    moments: [Option<View>; 3],
) -> Dispatch {
    let words = element(moments.into_iter().flatten().chain([parameters, gradients]));
    let [first, second, third] = moments.map(slot);
    Dispatch {
        kernel: if words == 4 { &UPDATE4 } else { &UPDATE },
        constants: vec![
            ("OPTIMIZER", optimizer.code()),
            ("MOMENTS", word(optimizer.moments())),
            ("VARIANT", optimizer.variant()),
            ("THREADS", word(THREADS)),
        ],
        params: params(optimizer, rate_factor, words, parameters, gradients, moments),
        slots: vec![slot(Some(gradients)), slot(Some(parameters)), first, second, third],
        groups: grid((parameters.shape.len() / words).div_ceil(THREADS)),
        scratch: 0,
        work: 8 * parameters.shape.len() as u64,
    }
}

/// An update of parameters with the copy that is kept of them in f16: one dispatch where all lies in
/// fours.
fn update_half(
    mut dispatch: Dispatch,
    parameters: View,
    half: Half,
    halves: &Halves,
) -> Vec<Dispatch> {
    if dispatch.kernel.name != UPDATE4.name {
        return [vec![dispatch], halves.copied(parameters)].concat();
    }
    dispatch.kernel = &UPDATE_HALF;
    dispatch.constants.push(("SCALE", (half.scale as f32).to_bits()));
    dispatch.slots.push(Slot::Buffer(half.buffer));
    vec![dispatch]
}

fn direction(
    optimizer: Optimizer,
    parameters: View,
    gradients: View,
    moments: [Option<View>; 3],
) -> Dispatch {
    let words = element(moments.into_iter().flatten().chain([parameters, gradients]));
    let [first, second, _] = moments.map(slot);
    Dispatch {
        kernel: if words == 4 { &DIRECTION4 } else { &DIRECTION },
        constants: vec![("THREADS", word(THREADS))],
        params: params(optimizer, 1.0, words, parameters, gradients, moments),
        slots: vec![slot(Some(parameters)), slot(Some(gradients)), first, second],
        groups: grid((parameters.shape.len() / words).div_ceil(THREADS)),
        scratch: 0,
        work: 8 * parameters.shape.len() as u64,
    }
}

fn params(
    optimizer: Optimizer,
    rate_factor: f32,
    words: usize,
    parameters: View,
    gradients: View,
    moments: [Option<View>; 3],
) -> Vec<u32> {
    let [decay, a, b] = optimizer.constants();
    let at = |view: Option<View>| offset(view) / word(words);
    let params = Params {
        constants: [decay, a, b, rate_factor],
        count: word(parameters.shape.len() / words),
        parameters: at(Some(parameters)),
        gradients: at(Some(gradients)),
        moments: moments.map(at),
        padding: [0; 2],
    };
    bytemuck::cast_slice(&[params]).to_vec()
}

fn trust_step(
    rate_factor: f32,
    parameters: View,
    direction: View,
    [parameter_norm, direction_norm]: [View; 2],
) -> Dispatch {
    let words = element([parameters, direction]);
    let count = parameters.shape.len() / words;
    let params = TrustParams {
        count: word(count),
        parameters: word(parameters.offset / words),
        direction: word(direction.offset / words),
        parameter_norm: word(parameter_norm.offset),
        direction_norm: word(direction_norm.offset),
        rate_factor,
    };
    let views = [direction, parameter_norm, direction_norm, parameters];
    Dispatch {
        kernel: if words == 4 { &TRUST_STEP4 } else { &TRUST_STEP },
        constants: vec![("THREADS", word(THREADS))],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: views.map(|view| slot(Some(view))).to_vec(),
        groups: grid(count.div_ceil(THREADS)),
        scratch: 0,
        work: 2 * parameters.shape.len() as u64,
    }
}
