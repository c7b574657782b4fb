//! The form for drivers that compute on the processor: written out number by number, for subgroups of 8
//! lanes and loads of 8 words.

use std::fmt::Write;

use super::super::kernels::{LOOP_LIMIT, Target};
use super::super::persistent::plan::{Plan, PlanLayer};
use super::super::persistent::source::{function, moment_names};
use super::layout::{Layout, Places};
use super::source::{Groups, Pass, Source, aligned, moments, own_moments, size, update_constants};

const KERNELS: &str = include_str!("../../../../shaders/two_pass_lanes.wgsl");
const FEATURES: &str = include_str!("../../../../shaders/two_pass_octets.wgsl");
const FEATURES_IN_EIGHTS: &str = include_str!("../../../../shaders/two_pass_octets8.wgsl");

/// The lanes of a subgroup, and the words of a vector.
const LANES: usize = 8;
const WIDTH: usize = 8;

/// How many times 8 rows a workgroup of `inputs` and of `rows` takes at once.
const INPUT_BLOCKS: usize = 4;
const BLOCKS: usize = 2;

/// The most units that are not cut into tiles, and of a tile: each has some registers of every lane, in
/// memory where those do not suffice, and takes time to compile.
pub(super) const MOST_UNITS: usize = 56;
const TILE_UNITS: usize = 40;

/// From how many vectors of inputs on the first layer is split, and into how many slices: enough for the
/// cores to be busy to the end.
const WIDE: usize = 8;
const SLICES: usize = 8;

/// The most units whose gradients stay in registers until they are used.
const MOST_MOVED: usize = 16;

/// Whether the form is for this adapter.
pub(super) fn suit(target: Target) -> bool {
    target.software && target.subgroup == Some(LANES) && target.long_words
}

/// The kernels of a plan whose minibatches have at most `rows` rows.
///
/// # Errors
/// What does not fit the adapter.
pub(super) fn source(plan: &Plan, rows: usize, _: Target) -> Result<Source, String> {
    let inputs = plan.layers[0].inputs.div_ceil(WIDTH);
    let slices = if inputs < WIDE { 0 } else { SLICES };
    let padded = rows.next_multiple_of(LANES * INPUT_BLOCKS);
    let layout = Layout::of(plan, WIDTH, padded, slices);
    let iterations = iterations(plan, &layout, rows);
    if iterations > LOOP_LIMIT {
        return Err(format!(
            "a step takes one thread {iterations} iterations, and drivers have been seen to end \
             loops after {LOOP_LIMIT}: take smaller minibatches or narrower layers"
        ));
    }
    let features = if aligned(plan, WIDTH) { FEATURES_IN_EIGHTS } else { FEATURES };
    let tiles: Vec<Tiles> = plan.layers.iter().map(Tiles::of).collect();
    let (tile, end) = (&tiles[0], group_ends(&layout, &tiles));
    let text = [
        size("BLOCKS", BLOCKS),
        size("INPUT_BLOCKS", INPUT_BLOCKS),
        size("INPUT_TILES", tile.count),
        size("INPUT_UNITS", tile.units),
        moments(plan, "stored_", "vec4<u64>"),
        own_moments(0),
        transfers(plan),
        calls(plan, &layout, &tiles),
        sum_inputs(tile.units),
        dense(LANES),
        dense(2 * LANES),
        back(),
        gradients(&tiles),
        (0..).zip(&tiles).map(|(l, tile)| weights(l, &plan.layers[l], tile.units)).collect(),
        features.to_owned(),
    ];
    let passes = passes(&layout, tile, end.last().map_or(0, |end| end + 1));
    Ok(Source::new(plan, layout, passes, &(text.concat() + KERNELS)))
}

/// How the units of a layer are cut into tiles.
struct Tiles {
    count: usize,
    units: usize,
}

impl Tiles {
    fn of(layer: &PlanLayer) -> Self {
        let outputs = layer.outputs;
        if outputs <= MOST_UNITS {
            return Self { count: 1, units: outputs };
        }
        // Tiles but the last end at whole vectors.
        let units = outputs.div_ceil(outputs.div_ceil(TILE_UNITS)).next_multiple_of(WIDTH);
        Self { count: outputs.div_ceil(units), units }
    }
}

fn passes(layout: &Layout, tile: &Tiles, groups: usize) -> Vec<Pass> {
    let rows = LANES * INPUT_BLOCKS;
    let pass = |entry, groups, slices| Pass { entry, threads: LANES, groups, slices };
    let inputs = pass("inputs", Groups::Tiles { rows, tiles: tile.count }, layout.slices);
    let split = (layout.slices > 0).then_some(inputs);
    let rows = pass("rows", Groups::Rows(LANES * BLOCKS), 1);
    split.into_iter().chain([rows, pass("weights", Groups::All(groups), 1)]).collect()
}

/// Where the workgroups of each layer end in `weights`.
fn group_ends(layout: &Layout, tiles: &[Tiles]) -> Vec<usize> {
    let mut end = 0;
    let count = |(places, tile): (&Places, &Tiles)| {
        // One octet more for the biases.
        end += (places.inputs + 1).div_ceil(LANES) * tile.count;
        end
    };
    layout.layers.iter().zip(tiles).map(count).collect()
}

/// The iterations of one lane's loops in a dispatch, from above.
fn iterations(plan: &Plan, layout: &Layout, rows: usize) -> usize {
    let layer = |(layer, places): (&PlanLayer, &Places)| {
        let units = layer.outputs.div_ceil(WIDTH);
        let forward = units * (2 + places.inputs) + units * BLOCKS * (2 + layout.slices);
        forward + places.inputs * (1 + units) + units * BLOCKS
    };
    let losses = BLOCKS * (2 + 5 * plan.outputs());
    let in_rows = losses + plan.layers.iter().zip(&layout.layers).map(layer).sum::<usize>();
    in_rows.max(rows + MOST_UNITS).max(layout.slice)
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
fn calls(plan: &Plan, layout: &Layout, tiles: &[Tiles]) -> String {
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
    let mut begin = 0;
    let mut groups = Vec::new();
    for (l, (end, tile)) in group_ends(layout, tiles).into_iter().zip(tiles).enumerate() {
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
        + &function("backward(first: u32, lane: u32)", backward)
        + &function("weights_at(number: u32, lane: u32)", groups)
}

/// A text, line by line.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    /// `block` rows of `units` sums as octets, stored `at` each block's place.
    fn store_sums(&mut self, blocks: usize, units: usize, at: impl Fn(usize, usize) -> String) {
        for b in 0..blocks {
            for octet in 0..units.div_ceil(WIDTH) {
                let sum = |t: usize| {
                    if t < units { format!("z{b}_{t}") } else { "0.0".to_owned() }
                };
                let quad = |from: usize| {
                    let sums: Vec<String> = (from..from + 4).map(sum).collect();
                    format!("vec4({})", sums.join(", "))
                };
                let (low, high) = (quad(WIDTH * octet), quad(WIDTH * octet + 4));
                self.line(at(b, octet).replace("PAIR", &format!("Pair({low}, {high})")));
            }
        }
    }

    /// The products of an octet of inputs `x` with weights of `units` units, loaded from `weights` on.
    fn products(&mut self, blocks: usize, units: usize, layer: &str) {
        for j in 0..units.div_ceil(LANES) {
            let unit = format!("min(n0 + {}u + lane, {layer}.outputs - 1u)", LANES * j);
            self.line(format!(
                "let w{j} = parameters_at({layer}.weight + octet * {layer}.outputs + {unit});"
            ));
        }
        for t in 0..units {
            self.line(format!("let v{t} = spread(w{}, {}u);", t / LANES, t % LANES));
            for b in 0..blocks {
                self.line(format!("z{b}_{t} = along(z{b}_{t}, x{b}, v{t});"));
            }
        }
    }

    /// Sums of so many rows and units, 0 at first.
    fn sums(&mut self, blocks: usize, units: usize) {
        for b in 0..blocks {
            for t in 0..units {
                self.line(format!("var z{b}_{t} = 0.0;"));
            }
        }
    }
}

/// The sums of a tile of the first layer's units over a slice of its inputs.
fn sum_inputs(units: usize) -> String {
    let mut text = Text::default();
    text.line("fn sum_inputs(first: u32, n0: u32, slice: u32, end: u32, lane: u32) {");
    for b in 0..INPUT_BLOCKS {
        text.line(format!(
            "let begin{b} = minibatch_features(there(first + {}u + lane));",
            LANES * b
        ));
    }
    text.sums(INPUT_BLOCKS, units);
    text.line("for (var octet = slice * SLICE; octet < end; octet++) {");
    for b in 0..INPUT_BLOCKS {
        text.line(format!("let x{b} = feature_octet(begin{b}, octet);"));
    }
    text.products(INPUT_BLOCKS, units, "LAYER_0");
    text.line("}");
    text.line("let at = PARTIALS + (slice * ROWS + first + lane) * vectors_of(LAYER_0.outputs) + n0 / 8u;");
    let last = "vectors_of(LAYER_0.outputs)";
    text.store_sums(INPUT_BLOCKS, units, |b, octet| {
        let inside = format!("n0 / 8u + {octet}u < {last}");
        let at = format!("at + {}u * {last} + {octet}u", LANES * b);
        format!("if ({inside}) {{ set_values({at}, PAIR); }}")
    });
    text.line("}");
    text.0
}

/// The sums of a layer, in tiles of so many units.
fn dense(units: usize) -> String {
    let mut text = Text::default();
    text.line(format!("fn dense_{units}(layer: Layer, first: u32, lane: u32) {{"));
    for b in 0..BLOCKS {
        text.line(format!("let row{b} = first + {}u + lane;", LANES * b));
        text.line(format!("let begin{b} = minibatch_features(there(row{b}));"));
    }
    text.line(format!("for (var n0 = 0u; n0 < layer.outputs; n0 += {units}u) {{"));
    text.sums(BLOCKS, units);
    text.line("for (var octet = 0u; octet < layer.vectors; octet++) {");
    for b in 0..BLOCKS {
        text.line(format!("let x{b} = input_octet(layer, row{b}, begin{b}, octet);"));
    }
    text.products(BLOCKS, units, "layer");
    text.line("}");
    text.store_sums(BLOCKS, units, |b, octet| {
        let at = format!("record_of(row{b}) + layer.output + n0 / 8u + {octet}u");
        format!("if (n0 + {}u < layer.outputs) {{ set_values({at}, PAIR); }}", WIDTH * octet)
    });
    text.line("}\n}");
    text.0
}

/// The sums over a layer's deltas for the units of the layer before, two octets at a time.
fn back() -> String {
    const OCTETS: usize = 2;
    let pairs = || (0..BLOCKS).flat_map(|b| (0..OCTETS).map(move |k| (b, k)));
    let mut text = Text::default();
    text.line("fn back(layer: Layer, before: Layer, first: u32, lane: u32) {");
    for b in 0..BLOCKS {
        text.line(format!("let record{b} = record_of(first + {}u + lane);", LANES * b));
    }
    text.line(format!("for (var octet = 0u; octet < layer.vectors; octet += {OCTETS}u) {{"));
    for (b, k) in pairs() {
        text.line(format!("var s{b}_{k} = Pair(vec4(0.0), vec4(0.0));"));
    }
    text.line("for (var units = 0u; units < vectors_of(layer.outputs); units++) {");
    text.line("let unit = min(8u * units + lane, layer.outputs - 1u);");
    for k in 0..OCTETS {
        let row = format!("min(octet + {k}u, layer.vectors - 1u)");
        text.line(format!(
            "let w{k} = parameters_at(layer.weight + {row} * layer.outputs + unit);"
        ));
    }
    for b in 0..BLOCKS {
        text.line(format!("let d{b} = values_at(record{b} + layer.delta + units);"));
    }
    for t in 0..LANES {
        for k in 0..OCTETS {
            text.line(format!("let v{t}_{k} = spread(w{k}, {t}u);"));
            for b in 0..BLOCKS {
                text.line(format!(
                    "s{b}_{k} = plus(s{b}_{k}, v{t}_{k}, {});",
                    number_of("d", b, t)
                ));
            }
        }
    }
    text.line("}");
    for (b, k) in pairs() {
        let at = format!("record{b} + before.delta + octet + {k}u");
        text.line(format!("if (octet + {k}u < layer.vectors) {{ set_values({at}, s{b}_{k}); }}"));
    }
    text.line("}\n}");
    text.0
}

/// Number t of a pair with a name.
fn number_of(name: &str, number: usize, t: usize) -> String {
    let (half, c) = if t < 4 { ("low", t) } else { ("high", t - 4) };
    format!("{name}{number}.{half}.{}", ["x", "y", "z", "w"][c])
}

/// Memory for the gradients of the longest tile.
fn gradients(tiles: &[Tiles]) -> String {
    let units = tiles.iter().map(|tile| tile.units).max().unwrap_or(1);
    format!("var<workgroup> gradients: array<vec4<u64>, {}>;\n", LANES * units)
}

/// The gradients of 64 inputs of a tile of units, 8 a lane, and their updates.
fn weights(l: usize, layer: &PlanLayer, units: usize) -> String {
    let mut text = Text::default();
    text.line(format!("fn weights_{l}(tile: u32, n0: u32, lane: u32) {{"));
    text.line(format!("let layer = LAYER_{l};"));
    text.line("let octet = 8u * tile + lane;");
    text.line("let own = min(octet, layer.vectors - 1u);");
    text.line("let is_bias = octet == layer.vectors;");
    text.line("let units = vectors_of(layer.outputs) - 1u;");
    for t in 0..units {
        text.line(format!("var a{t} = Pair(vec4(0.0), vec4(0.0));"));
    }
    text.line("for (var first = 0u; first < step.rows; first += 8u) {");
    text.line("let record = record_of(first + lane);");
    text.line("let begin = minibatch_features(there(first + lane));");
    for o in 0..units.div_ceil(WIDTH) {
        text.line(format!(
            "let d{o} = values_at(record + layer.delta + min(n0 / 8u + {o}u, units));"
        ));
    }
    // Two rows at a time, so that a sum is loaded and stored once for both.
    text.line("for (var i = 0u; i < 8u; i += 2u) {");
    for (row, lane) in [("x0", "i"), ("x1", "i + 1u")] {
        let octet =
            format!("input_octet(layer, first + {lane}, subgroupShuffle(begin, {lane}), own)");
        text.line(format!("let {row} = with_bias(is_bias, {octet});"));
    }
    for t in 0..units {
        let delta = number_of("d", t / WIDTH, t % WIDTH);
        let sum = format!("plus(a{t}, x0, subgroupShuffle({delta}, i))");
        text.line(format!("a{t} = plus({sum}, x1, subgroupShuffle({delta}, i + 1u));"));
    }
    text.line("}\n}");
    // A register cannot be chosen by a number: few of them are moved on, many are put into memory.
    let moves = units <= MOST_MOVED;
    if !moves {
        for t in 0..units {
            text.line(format!("gradients[{}u + lane] = octet_of(a{t});", LANES * t));
        }
    }
    let end = if layer.bias.is_some() { "layer.vectors" } else { "layer.vectors - 1u" };
    text.line(format!("if (octet > {end}) {{ return; }}"));
    text.line(format!("for (var t = 0u; t < min({units}u, layer.outputs - n0); t++) {{"));
    let sum = if moves { "a0" } else { "pair_of(gradients[8u * t + lane])" };
    let constants = update_constants(layer);
    text.line(format!("descend(layer, octet, n0 + t, {sum}, {constants});"));
    if moves {
        for t in 1..units {
            text.line(format!("a{} = a{t};", t - 1));
        }
    }
    text.line("}\n}");
    text.0
}
