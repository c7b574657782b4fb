//! The form for drivers that compute on the processor: written out number by number, for subgroups of 8
//! lanes and loads of 8 words.

use super::super::fused::plan::{Plan, PlanLayer};
use super::super::fused::wgsl::{function, moment_names};
use super::super::kernels::{LOOP_LIMIT, Target};
use super::held::Held;
use super::layout::{Form, Layout, Packed};
use super::source::{Groups, Pass, Source, aligned, moments, own_moments, size};
use super::written::{back, dense, sum_tile};

const KERNELS: &str = concat!(
    include_str!("../../../../shaders/two_pass_pair.wgsl"),
    include_str!("../../../../shaders/two_pass_lanes.wgsl"),
);
const FEATURES: &str = include_str!("../../../../shaders/two_pass_octets.wgsl");
const FEATURES_IN_EIGHTS: &str = include_str!("../../../../shaders/two_pass_octets8.wgsl");

/// The lanes of a subgroup, and the words of a vector.
pub(super) const LANES: usize = 8;
pub(super) const WIDTH: usize = 8;

/// How many times 8 rows a workgroup of `rows` takes at once, and one of `inputs`: the more where that
/// leaves no more lanes without a row, as all of them share the loads of weights.
pub(super) const BLOCKS: usize = 2;
const INPUT_BLOCKS: [usize; 2] = [4, 8];

/// The most units of the first layer that `inputs` sums at once: each has some registers of every lane, in
/// memory where those do not suffice, and takes time to compile.
const MOST_UNITS: usize = 56;

/// The most units of a layer that a workgroup of `weights` takes: the gradients of minibatches that it takes
/// in more than one go are in its memory, 256 bytes each.
const MOST_GRADIENTS: usize = 112;

/// From how many vectors of inputs on the first layer is split, and for how many workgroups at the least:
/// each more slice is one more set of sums to store, which costs more than cores that end together gain.
const WIDE: usize = 8;
const GROUPS: usize = 4;

/// Whether the form is for this adapter.
pub(super) fn suit(target: Target) -> bool {
    target.software && target.subgroup == Some(LANES) && target.long_words
}

/// The kernels of a plan whose minibatches have at most `rows` rows.
///
/// # Errors
/// What does not fit the adapter.
pub(super) fn source(plan: &Plan, rows: usize, _: Target) -> Result<Source, String> {
    let tile = Tiles::of_sums(&plan.layers[0]);
    let blocks = input_blocks(rows);
    let groups = rows.div_ceil(LANES * blocks) * tile.count;
    let wide = plan.layers[0].inputs.div_ceil(WIDTH) >= WIDE;
    let slices = if wide { GROUPS.div_ceil(groups) } else { 0 };
    let padded = rows.next_multiple_of(LANES * blocks);
    let form = Form { width: WIDTH, tile: LANES, rows: padded, turned: true, slices };
    let layout = Layout::of(plan, form);
    let held: Vec<Held> = plan.layers.iter().map(|layer| held(layer, rows)).collect();
    let gradients: Vec<Tiles> = plan.layers.iter().map(Tiles::of_gradients).collect();
    let goes = held.iter().map(|held| held.goes(rows)).max().unwrap_or(1);
    let iterations = iterations(plan, &layout, goes);
    if iterations > LOOP_LIMIT {
        return Err(format!(
            "a step takes one thread {iterations} iterations, and drivers have been seen to end \
             loops after {LOOP_LIMIT}: take smaller minibatches or narrower layers"
        ));
    }
    let features = if aligned(plan, WIDTH) { FEATURES_IN_EIGHTS } else { FEATURES };
    let end = group_ends(&layout, &gradients);
    let text = [
        size("BLOCKS", BLOCKS),
        size("INPUT_BLOCKS", blocks),
        size("INPUT_TILES", tile.count),
        moments(plan, "stored_", "vec4<u64>"),
        own_moments(0),
        transfers(plan),
        calls(plan, &layout, &gradients, &held),
        sum_tile(tile.count, [tile.units, tile.last(&plan.layers[0])], blocks),
        dense(LANES),
        dense(2 * LANES),
        back(),
        weights(plan, &gradients, &held),
        features.to_owned(),
    ];
    let passes = passes(&layout, (&tile, blocks), end.last().map_or(0, |end| end + 1));
    Ok(Source::new(plan, layout, passes, &(text.concat() + KERNELS)))
}

/// How the units of a layer are cut into tiles.
struct Tiles {
    count: usize,
    units: usize,
}

impl Tiles {
    /// Those of the sums of a layer.
    fn of_sums(layer: &PlanLayer) -> Self {
        let outputs = layer.outputs;
        if outputs <= MOST_UNITS {
            return Self { count: 1, units: outputs };
        }
        // Tiles but the last end at whole vectors.
        let units = outputs.div_ceil(outputs.div_ceil(MOST_UNITS)).next_multiple_of(WIDTH);
        Self { count: outputs.div_ceil(units), units }
    }

    /// The units of the last one.
    fn last(&self, layer: &PlanLayer) -> usize {
        layer.outputs - self.units * (self.count - 1)
    }

    /// Those of the gradients of a layer.
    fn of_gradients(layer: &PlanLayer) -> Self {
        let count = layer.outputs.div_ceil(MOST_GRADIENTS);
        Self { count, units: layer.outputs.div_ceil(count) }
    }
}

/// The functions that each move the weights of a layer.
fn weights(plan: &Plan, tiles: &[Tiles], held: &[Held]) -> String {
    let vectors = tiles.iter().zip(held).map(|(tile, held)| held.memory(tile.units)).max();
    let memory = vectors
        .filter(|vectors| *vectors > 0)
        .map(|vectors| format!("var<workgroup> gradients: array<vec4<u64>, {vectors}>;\n"));
    let layers = plan.layers.iter().zip(tiles).zip(held).enumerate();
    let functions = layers.map(|(l, ((layer, tile), held))| held.weights(l, layer, tile.units));
    memory.into_iter().chain(functions).collect()
}

/// How many times 8 rows a workgroup of `inputs` takes of minibatches of so many.
fn input_blocks(rows: usize) -> usize {
    let [few, more] = INPUT_BLOCKS;
    let padded = |blocks| rows.next_multiple_of(LANES * blocks);
    if padded(more) == padded(few) { more } else { few }
}

/// The lines that a first layer in slices is written out in, as compiling takes its time by them: one for each
/// unit that `inputs` sums at once, and two for each row that `weights` holds.
pub(super) fn lines(plan: &Plan, rows: usize) -> usize {
    let first = &plan.layers[0];
    first.outputs.min(MOST_UNITS) + 2 * held(first, rows).rows
}

/// The rows that a workgroup of `weights` holds of a layer.
fn held(layer: &PlanLayer, rows: usize) -> Held {
    Held::of(layer, rows, LANES * input_blocks(rows))
}

fn passes(layout: &Layout, (tile, blocks): (&Tiles, usize), groups: usize) -> Vec<Pass> {
    let rows = LANES * blocks;
    let pass = |entry, groups, slices| Pass { entry, threads: LANES, groups, slices };
    let inputs = pass("inputs", Groups::Tiles { rows, tiles: tile.count }, layout.slices);
    let split = (layout.slices > 0).then_some(inputs);
    let rows = pass("rows", Groups::Rows(LANES * BLOCKS), 1);
    split.into_iter().chain([rows, pass("weights", Groups::All(groups), 1)]).collect()
}

/// Where the workgroups of each layer end in `weights`, the last layer's first: the driver gives each core a
/// range of them, and the first layer, which often has the most, is cut at the middle so.
fn group_ends(layout: &Layout, tiles: &[Tiles]) -> Vec<usize> {
    let mut end = 0;
    let count = |(packed, tile): (&Packed, &Tiles)| {
        end += packed.tiles * tile.count;
        end
    };
    layout.layers.iter().zip(tiles).rev().map(count).collect()
}

/// The iterations of one lane's loops in a dispatch, from above, where `weights` takes the rows in so many
/// goes.
fn iterations(plan: &Plan, layout: &Layout, goes: usize) -> usize {
    let layer = |(layer, packed): (&PlanLayer, &Packed)| {
        let units = layer.outputs.div_ceil(WIDTH);
        let forward = units * (2 + packed.inputs) + units * BLOCKS * (2 + layout.slices);
        forward + packed.inputs * (1 + units) + 2 * units * (1 + BLOCKS)
    };
    let losses = BLOCKS * (2 + 5 * plan.outputs());
    let in_rows = losses + plan.layers.iter().zip(&layout.layers).map(layer).sum::<usize>();
    in_rows.max(goes * (1 + MOST_GRADIENTS)).max(layout.slice)
}

/// What brings an octet of the moments to where the formulas find them, and back.
fn transfers(plan: &Plan) -> String {
    let load = moment_names(plan).iter().flat_map(|name| {
        [
            format!("let {name}_pair = pair_of(stored_{name}[i]);"),
            format!("{name}[0] = {name}_pair.low;"),
            format!("{name}[1] = {name}_pair.high;"),
        ]
    });
    let save = moment_names(plan)
        .iter()
        .map(|name| format!("stored_{name}[i] = octet_of(Pair({name}[0], {name}[1]));"));
    function("load_moments(i: u32)", load) + &function("save_moments(i: u32)", save)
}

/// The functions that take the layers in order.
fn calls(plan: &Plan, layout: &Layout, tiles: &[Tiles], held: &[Held]) -> String {
    let last = plan.layers.len() - 1;
    let forward = plan.layers.iter().enumerate().flat_map(|(l, layer)| {
        let units = if layer.outputs > LANES { 2 * LANES } else { LANES };
        let summed = l > 0 || layout.slices == 0;
        let dense = summed.then(|| format!("dense_{units}(LAYER_{l}, first, lane);"));
        dense.into_iter().chain([format!("finish(LAYER_{l}, first, lane);")])
    });
    let backward = (1..=last).rev().flat_map(|l| {
        let before = l - 1;
        [
            format!("back(LAYER_{l}, LAYER_{before}, first, lane);"),
            format!("multiply_slopes(LAYER_{before}, first, lane);"),
        ]
    });
    let turn =
        |(l, held): (usize, &Held)| format!("turn_deltas(LAYER_{l}, {}u, first, lane);", held.rows);
    let turn = held.iter().enumerate().map(turn);
    let mut begin = 0;
    let mut groups = Vec::new();
    let layers = tiles.iter().enumerate().rev();
    for (end, (l, tile)) in group_ends(layout, tiles).into_iter().zip(layers) {
        let Tiles { count, units } = tile;
        groups.push(format!("if (number < {end}u) {{"));
        groups.push(format!("    let i = number - {begin}u;"));
        groups.push(format!("    weights_{l}(i / {count}u, i % {count}u * {units}u, lane);"));
        groups.push("    return;".to_owned());
        groups.push("}".to_owned());
        begin = end;
    }
    groups.push(format!("if (number == {begin}u) {{ record(lane); }}"));
    function("forward(first: u32, lane: u32)", forward)
        + &function("backward(first: u32, lane: u32)", backward.chain(turn))
        + &function("weights_at(number: u32, lane: u32)", groups)
}
