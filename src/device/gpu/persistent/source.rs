//! The WGSL of a network: its sizes, its layers in order, and the shared functions after them.

use std::fmt::Write as _;

use super::super::kernels::{Constants, picked, word};
use super::layout::{Layout, Places};
use super::plan::{Plan, PlanLayer, Trained};
use super::specialize::keep_cases;
use crate::nn::TargetKind;

/// The functions: the kernel itself, and the formulas that it shares with the program's kernels.
const SHARED: &str = concat!(
    include_str!("../../../../shaders/common.wgsl"),
    include_str!("../../../../shaders/real.wgsl"),
    include_str!("../../../../shaders/pick.wgsl"),
    include_str!("../../../../shaders/activation_fused.wgsl"),
    include_str!("../../../../shaders/activation.wgsl"),
    include_str!("../../../../shaders/loss_terms.wgsl"),
    include_str!("../../../../shaders/loss_rows.wgsl"),
    include_str!("../../../../shaders/update_rules.wgsl"),
    include_str!("../../../../shaders/persistent.wgsl"),
);

/// The names of the moments in `shaders/update_rules.wgsl`.
const MOMENTS: [&str; 3] = ["first", "second", "third"];

/// The storage buffers before the moments: steps, features, targets, order, losses, parameters.
const BUFFERS: usize = 6;

/// How many storage buffers there are in all.
pub(super) fn buffers(plan: &Plan, layout: &Layout) -> usize {
    BUFFERS + plan.moments.len() + usize::from(!layout.values_inside)
}

/// The values of the kernel's `override` constants.
pub(super) fn constants(plan: &Plan, layout: &Layout) -> Constants {
    vec![
        ("THREADS", word(layout.threads)),
        ("LOSS", plan.loss.code()),
        ("LABELS", u32::from(plan.kind == TargetKind::Labels)),
        ("OPTIMIZER", plan.optimizer.code()),
        ("MOMENTS", word(plan.moments.len())),
        ("VARIANT", plan.optimizer.variant()),
        ("PICK", picked(plan.rows()).code),
    ]
}

/// The text for a plan.
pub(super) fn source(plan: &Plan, layout: &Layout) -> String {
    let mut text = sizes(plan, layout);
    for (i, (layer, places)) in plan.layers.iter().zip(&layout.layers).enumerate() {
        text += &format!("const LAYER_{i} = {};\n", constant(layer, places));
    }
    let last = plan.layers.len() - 1;
    text += &format!("const LAST = LAYER_{last};\n");
    text += &memory(plan, layout);
    let rows = "rows: u32, thread: u32";
    let forward = (0..=last).map(|i| format!("dense(LAYER_{i}, rows, thread);"));
    let backward =
        (1..=last).rev().map(|i| format!("back(LAYER_{i}, LAYER_{}, rows, thread);", i - 1));
    let descend = plan.layers.iter().enumerate().flat_map(|(i, layer)| {
        let call = |name: &str, trained: &Trained| {
            let [decay, a, b, factor] = trained.constants.map(number);
            format!("{name}(LAYER_{i}, vec4<f32>({decay}, {a}, {b}, {factor}), rows, thread);")
        };
        let bias = layer.bias.as_ref().map(|bias| call("move_biases", bias));
        [call("move_weights", &layer.weight)].into_iter().chain(bias)
    });
    text += &function("forward", rows, forward);
    text += &function("backward", rows, backward);
    text += &function("descend", rows, descend);
    text + &shared(plan)
}

/// The shared functions with what the plan takes of them: its loss, its rule, its activations.
fn shared(plan: &Plan) -> String {
    let mut codes: Vec<u32> = plan.layers.iter().map(|layer| layer.activation.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    let text = keep_cases(SHARED, "OPTIMIZER", &[plan.optimizer.code()]);
    let text = keep_cases(&text, "LOSS", &[plan.loss.code()]);
    keep_cases(&text, "code", &codes)
}

fn function(name: &str, arguments: &str, lines: impl Iterator<Item = String>) -> String {
    let body: String = lines.map(|line| format!("    {line}\n")).collect();
    format!("fn {name}({arguments}) {{\n{body}}}\n")
}

/// An f32 as WGSL has it: the shortest text that is read as the same number.
fn number(x: f32) -> String {
    format!("{x:?}f")
}

fn sizes(plan: &Plan, layout: &Layout) -> String {
    let data = picked(plan.rows());
    let sizes = [
        ("PARAMETERS", word(plan.words)),
        ("ROWS", word(layout.rows)),
        ("FEATURES", word(plan.features.offset)),
        ("TARGETS", word(plan.targets.offset)),
        ("DATA_ROWS", word(plan.features.shape.rows)),
        ("ORDER", data.offset),
        ("LOSSES", word(plan.losses.offset)),
        ("SLOTS", word(plan.losses.shape.rows)),
    ];
    let mut text = String::new();
    for (name, value) in sizes {
        text += &format!("const {name}: u32 = {value}u;\n");
    }
    let copied = layout.layers[0].input.is_some();
    text += &format!("const COPIED: bool = {copied};\n");
    // What the formulas of losses and updates know of their surroundings.
    text += "struct Params { cols: u32, first: u32, second: u32, third: u32, constant: f32 }\n";
    let outputs = plan.layers[plan.layers.len() - 1].outputs;
    let constant = number(plan.loss.constant());
    text + &format!("const params = Params({outputs}u, 0u, 0u, 0u, {constant});\n")
}

fn constant(layer: &PlanLayer, places: &Places) -> String {
    let place = |place: Option<usize>| place.map_or("WITHOUT".to_owned(), |at| format!("{at}u"));
    let Places { input, pre, output, delta } = *places;
    let fields = [
        format!("{}u, {}u", layer.inputs, layer.outputs),
        format!("{}u", layer.weight.offset),
        place(layer.bias.map(|bias| bias.offset)),
        place(input),
        place(pre),
        place(Some(output)),
        place(Some(delta)),
        place(Some(pre.unwrap_or(output))),
        format!("{}u", layer.activation.code()),
        number(layer.activation.parameter().unwrap_or(0.0)),
    ];
    format!("Layer({})", fields.join(", "))
}

/// The memory that there is by the network's size, and what moves it.
fn memory(plan: &Plan, layout: &Layout) -> String {
    let mut text = String::new();
    let (mut load, mut save) = (Vec::new(), Vec::new());
    for (i, name) in MOMENTS.into_iter().enumerate() {
        let words = if i < plan.moments.len() { plan.words } else { 1 };
        text += &format!("var<workgroup> {name}: array<f32, {words}>;\n");
        if i < plan.moments.len() {
            let binding = BUFFERS + i;
            let _ = writeln!(
                text,
                "@group(1) @binding({binding}) var<storage, read_write> stored_{name}: array<f32>;"
            );
            load.push(format!("{name}[i] = stored_{name}[i];"));
            save.push(format!("stored_{name}[i] = {name}[i];"));
        }
    }
    text += &function("load_moments", "i: u32", load.into_iter());
    text += &function("save_moments", "i: u32", save.into_iter());
    if layout.values_inside {
        text += &format!("var<workgroup> values: array<f32, {}>;\n", layout.values.max(1));
        text + &function("meet", "", ["workgroupBarrier();".to_owned()].into_iter())
    } else {
        let binding = BUFFERS + plan.moments.len();
        text += &format!(
            "@group(1) @binding({binding}) var<storage, read_write> values: array<f32>;\n"
        );
        let both = ["workgroupBarrier();", "storageBarrier();"].map(str::to_owned);
        text + &function("meet", "", both.into_iter())
    }
}
