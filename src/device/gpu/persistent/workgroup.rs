//! The form that keeps everything in the memory of a workgroup: for all networks that fit there.

use super::super::fused::places::{Places, place};
use super::super::fused::plan::{Plan, PlanLayer, Trained};
use super::super::fused::wgsl::{self, function, vector};
use super::super::kernels::Target;
use super::layout::Layout;
use super::source::{self, Source};

const KERNEL: &str = include_str!("../../../../shaders/persistent.wgsl");

/// The kernel of a plan whose minibatches have at most `rows` rows.
///
/// # Errors
/// What does not fit the adapter.
pub(super) fn source(plan: &Plan, rows: usize, target: Target) -> Result<Source, String> {
    let layout = Layout::of(plan, rows, target)?;
    let copied = layout.layers[0].input.is_some();
    let mut text = format!(
        "const PARAMETERS: u32 = {}u;\nconst ROWS: u32 = {rows}u;\nconst COPIED: bool = {copied};\n",
        plan.words
    );
    for (i, (layer, places)) in plan.layers.iter().zip(&layout.layers).enumerate() {
        text += &format!("const LAYER_{i} = {};\n", constant(layer, places));
    }
    let last = plan.layers.len() - 1;
    text += &format!("const LAST = LAYER_{last};\n");
    text += &memory(plan, &layout);
    let forward = (0..=last).map(|i| format!("dense(LAYER_{i}, rows, thread);"));
    let backward =
        (1..=last).rev().map(|i| format!("back(LAYER_{i}, LAYER_{}, rows, thread);", i - 1));
    let descend = plan.layers.iter().enumerate().flat_map(|(i, layer)| {
        let call = |name: &str, trained: &Trained| {
            format!("{name}(LAYER_{i}, {}, rows, thread);", vector(trained.constants))
        };
        let bias = layer.bias.as_ref().map(|bias| call("move_biases", bias));
        [call("move_weights", &layer.weight)].into_iter().chain(bias)
    });
    text += &function("forward(rows: u32, thread: u32)", forward);
    text += &function("backward(rows: u32, thread: u32)", backward);
    text += &function("descend(rows: u32, thread: u32)", descend);
    Ok(Source {
        text: text + &wgsl::formulas(plan, "f32") + &wgsl::activations(plan) + KERNEL,
        constants: source::constants(plan, layout.threads),
        threads: layout.threads,
        values: (!layout.values_inside).then_some(layout.values),
        iterations: layout.iterations,
    })
}

fn constant(layer: &PlanLayer, places: &Places) -> String {
    let PlanLayer { inputs, outputs, weight, .. } = *layer;
    let bias = place(layer.bias.map(|bias| bias.offset));
    format!("Layer({inputs}u, {outputs}u, {}u, {bias}, {})", weight.offset, places.fields(layer))
}

/// The memory of moments and values, what moves the moments, and where threads meet.
fn memory(plan: &Plan, layout: &Layout) -> String {
    let names = wgsl::moment_names(plan).iter();
    let load = names.clone().map(|name| format!("{name}[i] = stored_{name}[begin + i];"));
    let save = names.map(|name| format!("stored_{name}[begin + i] = {name}[i];"));
    let mut text = source::moments(plan, "workgroup", plan.words);
    text += &function("load_moments(begin: u32, i: u32)", load);
    text += &function("save_moments(begin: u32, i: u32)", save);
    let mut barriers = vec!["workgroupBarrier();".to_owned()];
    if layout.values_inside {
        text += &format!("var<workgroup> values: array<f32, {}>;\n", layout.values.max(1));
    } else {
        text += &source::values_binding(plan);
        barriers.push("storageBarrier();".to_owned());
    }
    text + &function("meet()", barriers)
}
