//! The form for hardware: a number, or a vector of parameters, a thread.

use super::super::fused::plan::{Plan, PlanLayer};
use super::super::fused::wgsl::function;
use super::super::kernels::{LOOP_LIMIT, Target};
use super::layout::{Form, Layout, Packed};
use super::source::{Groups, Pass, Source, aligned, moments, own_moments, size, update_constants};

const KERNELS: &str = include_str!("../../../../shaders/two_pass_threads.wgsl");
const FEATURES: &str = include_str!("../../../../shaders/two_pass_features.wgsl");
const FEATURES_IN_FOURS: &str = include_str!("../../../../shaders/two_pass_features4.wgsl");

/// The words of a vector.
const WIDTH: usize = 4;

/// The threads of a workgroup of the passes that share nothing between threads, and of `rows`.
const THREADS: usize = 64;
const ROWS_THREADS: usize = 256;

/// The most rows that a workgroup holds: more would leave most of the device without work.
const MOST_ROWS: usize = 16;

/// From how many vectors of inputs on the first layer is split, and the fewest of a slice.
const WIDE: usize = 32;
const LEAST_SLICE: usize = 8;

/// How many workgroups fill a device, and into how many slices that may cut the first layer: `rows`
/// has to add them up.
const ENOUGH_GROUPS: usize = 256;
const MOST_SLICES: usize = 64;

/// The kernels of a plan whose minibatches have at most `rows` rows.
///
/// # Errors
/// What does not fit the adapter.
pub(super) fn source(plan: &Plan, rows: usize, target: Target) -> Result<Source, String> {
    let form = Form { width: WIDTH, tile: 1, rows, turned: false, slices: slices(plan, rows) };
    let layout = Layout::of(plan, form);
    let threads = ROWS_THREADS.min(target.max_threads as usize);
    let held = WIDTH * layout.record;
    let most = target.max_workgroup_words.saturating_sub(threads) / held;
    if most == 0 {
        return Err(format!(
            "the values of a row take {} bytes, and a workgroup of this adapter has {}: take fewer \
             or narrower layers",
            4 * held,
            4 * target.max_workgroup_words
        ));
    }
    let widest = plan.layers.iter().map(|layer| layer.outputs).max().unwrap_or(1);
    let block = (threads / widest).clamp(1, MOST_ROWS).min(most).min(rows);
    let iterations = iterations(plan, &layout, block, threads);
    if iterations.max(rows) > LOOP_LIMIT {
        return Err(format!(
            "a step takes one thread more than the {LOOP_LIMIT} iterations after which drivers \
             have been seen to end loops: take smaller minibatches or narrower layers"
        ));
    }
    let passes = passes(plan, &layout, block, threads);
    let text = [
        size("BLOCK", block),
        size("HELD", block * held),
        moments(plan, "", "vec4<f32>"),
        own_moments(plan.moments.len()),
        calls(plan, &layout),
        if aligned(plan, WIDTH) { FEATURES_IN_FOURS } else { FEATURES }.to_owned(),
    ];
    Ok(Source::new(plan, layout, passes, &(text.concat() + KERNELS)))
}

/// Into how many slices the inputs of the first layer are cut.
fn slices(plan: &Plan, rows: usize) -> usize {
    let first = &plan.layers[0];
    let inputs = first.inputs.div_ceil(WIDTH);
    if inputs < WIDE {
        return 0;
    }
    let groups = (rows * first.outputs.div_ceil(WIDTH)).div_ceil(THREADS);
    (ENOUGH_GROUPS / groups).clamp(1, MOST_SLICES).min(inputs / LEAST_SLICE)
}

fn passes(plan: &Plan, layout: &Layout, block: usize, threads: usize) -> Vec<Pass> {
    let units = plan.layers[0].outputs.div_ceil(WIDTH);
    let inputs = Pass {
        entry: "inputs",
        threads: THREADS,
        groups: Groups::Items(units),
        slices: layout.slices,
    };
    let rows = Pass { entry: "rows", threads, groups: Groups::Rows(block), slices: 1 };
    let count = 1 + layout.vectors.div_ceil(THREADS);
    let weights =
        Pass { entry: "weights", threads: THREADS, groups: Groups::All(count), slices: 1 };
    let split = (layout.slices > 0).then_some(inputs);
    split.into_iter().chain([rows, weights]).collect()
}

/// The functions that take the layers in order.
fn calls(plan: &Plan, layout: &Layout) -> String {
    let last = plan.layers.len() - 1;
    let forward = (0..=last).map(|i| format!("dense(LAYER_{i}, first, rows, thread);"));
    let backward =
        (1..=last).rev().map(|i| format!("back(LAYER_{i}, LAYER_{}, rows, thread);", i - 1));
    let descend = |(i, (layer, packed)): (usize, (&PlanLayer, &Packed))| {
        let begin = packed.weight;
        let constants = update_constants(layer);
        format!(
            "if (i >= {begin}u) {{ descend_in(LAYER_{i}, i - {begin}u, {constants}); return; }}"
        )
    };
    let end = format!("if (i >= {}u) {{ return; }}", layout.vectors);
    let layers = plan.layers.iter().zip(&layout.layers).enumerate().rev();
    function("forward(first: u32, rows: u32, thread: u32)", forward)
        + &function("backward(rows: u32, thread: u32)", backward)
        + &function("descend_at(i: u32)", [end].into_iter().chain(layers.map(descend)))
}

/// The iterations of one thread's loops in `rows`, from above.
fn iterations(plan: &Plan, layout: &Layout, block: usize, threads: usize) -> usize {
    let turns = |items: usize| items.div_ceil(threads);
    let layer = |(layer, packed): (&PlanLayer, &Packed)| {
        let units = layer.outputs.next_multiple_of(WIDTH);
        turns(block * units) * (1 + packed.inputs.max(layout.slices))
            + turns(block * packed.inputs) * (5 + layer.outputs)
    };
    let layers: usize = plan.layers.iter().zip(&layout.layers).map(layer).sum();
    let losses = turns(block) * (5 + 4 * plan.outputs());
    layers + losses + turns(block * layout.record)
}
