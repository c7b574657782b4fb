//! The WGSL of a plan: the formulas, and how numbers and functions are written.

use super::super::kernels::{Constants, picked, word};
use super::plan::Plan;
use super::specialize::keep_cases;
use crate::nn::TargetKind;

/// The formulas that are shared with the program's kernels.
const FORMULAS: &str = concat!(
    include_str!("../../../../shaders/step_args.wgsl"),
    include_str!("../../../../shaders/common.wgsl"),
    include_str!("../../../../shaders/real.wgsl"),
    include_str!("../../../../shaders/pick.wgsl"),
    include_str!("../../../../shaders/activation_fused.wgsl"),
    include_str!("../../../../shaders/activation.wgsl"),
    include_str!("../../../../shaders/loss_terms.wgsl"),
    include_str!("../../../../shaders/loss_rows.wgsl"),
    include_str!("../../../../shaders/update_rules.wgsl"),
    include_str!("../../../../shaders/steps.wgsl"),
);

/// The functions that choose among activations.
const CASES: &str = include_str!("../../../../shaders/activation_cases.wgsl");

/// The names of the moments in `shaders/update_rules.wgsl`.
pub(in super::super) const MOMENTS: [&str; 3] = ["first", "second", "third"];

/// The values of the formulas' `override` constants.
pub(in super::super) fn constants(plan: &Plan) -> Constants {
    vec![
        ("LOSS", plan.loss.code()),
        ("LABELS", u32::from(plan.kind == TargetKind::Labels)),
        ("OPTIMIZER", plan.optimizer.code()),
        ("MOMENTS", word(plan.moments.len())),
        ("VARIANT", plan.optimizer.variant()),
        ("PICK", picked(plan.rows()).code),
    ]
}

/// The formulas, reduced to the plan's loss, rule and activations, and the sizes they need; updates move
/// an `element` at a time.
pub(in super::super) fn formulas(plan: &Plan, element: &str) -> String {
    let codes = codes(plan);
    let text = keep_cases(FORMULAS, "OPTIMIZER", &[plan.optimizer.code()]);
    let text = keep_cases(&text, "LOSS", &[plan.loss.code()]);
    let text = keep_cases(&text, "code", &codes);
    let strides = plan.strides;
    let sizes = [
        ("FEATURES", word(plan.features.offset)),
        ("TARGETS", word(plan.targets.offset)),
        ("DATA_ROWS", word(plan.features.shape.rows)),
        ("ORDER", picked(plan.rows()).offset),
        ("LOSSES", word(plan.losses.offset)),
        ("SLOTS", word(plan.losses.shape.rows)),
        ("FEATURES_STRIDE", word(strides.features)),
        ("TARGETS_STRIDE", word(strides.targets)),
        ("ORDER_STRIDE", word(strides.order)),
        ("LOSSES_STRIDE", word(strides.losses)),
        ("PARAMETERS_STRIDE", word(strides.parameters)),
    ];
    let sizes: String =
        sizes.into_iter().map(|(name, value)| format!("const {name}: u32 = {value}u;\n")).collect();
    let (outputs, constant) = (plan.outputs(), number(plan.loss.constant()));
    format!(
        "alias Element = {element};\n\
         struct Params {{ cols: u32, first: u32, second: u32, third: u32, constant: f32 }}\n\
         const params = Params({outputs}u, 0u, 0u, 0u, {constant});\n{sizes}{text}"
    )
}

/// The codes of the activations that there are.
fn codes(plan: &Plan) -> Vec<u32> {
    let mut codes: Vec<u32> = plan.layers.iter().map(|layer| layer.activation.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The functions that apply any of the plan's activations.
pub(in super::super) fn activations(plan: &Plan) -> String {
    keep_cases(CASES, "code", &codes(plan))
}

/// The same with functions of its own for each: their names end in its code.
pub(in super::super) fn single_activations(plan: &Plan) -> String {
    let single = |code: u32| {
        let text = keep_cases(CASES, "code", &[code]);
        let names = ["value_of_number", "value_of", "derivative_of"];
        let renamed = |text: String, name: &str| {
            text.replace(&format!("{name}("), &format!("{name}_{code}("))
        };
        names.into_iter().fold(text, renamed)
    };
    codes(plan).into_iter().map(single).collect()
}

/// The names of the moments that there are.
pub(in super::super) fn moment_names(plan: &Plan) -> &'static [&'static str] {
    &MOMENTS[..plan.moments.len()]
}

/// A function of these lines.
pub(in super::super) fn function(head: &str, lines: impl IntoIterator<Item = String>) -> String {
    let body: String = lines.into_iter().map(|line| format!("    {line}\n")).collect();
    format!("fn {head} {{\n{body}}}\n")
}

/// An f32 as WGSL has it: the shortest text that is read as the same number.
pub(in super::super) fn number(x: f32) -> String {
    format!("{x:?}f")
}

/// The constants of an update as a vector.
pub(in super::super) fn vector(constants: [f32; 4]) -> String {
    let [a, b, c, d] = constants.map(number);
    format!("vec4<f32>({a}, {b}, {c}, {d})")
}
