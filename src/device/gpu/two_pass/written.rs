//! The loops of the form for drivers on the processor, with a line for every number that is kept in a
//! register: `shaders/two_pass_lanes.wgsl` calls them.

use std::fmt::Write;

use super::lanes::{BLOCKS, LANES, WIDTH};

/// The most units for which the sums of the first layer take two octets of inputs at a time: that halves what
/// the mask of the loop costs, and both lie in one line of the cache; more units are too much code.
const PAIRED_UNITS: usize = 24;

/// A text, line by line.
#[derive(Default)]
pub(super) struct Text(pub(super) String);

impl Text {
    pub(super) fn line(&mut self, line: impl std::fmt::Display) {
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

    /// The products of an octet of inputs `x` with weights of `units` units; `of` ends the names of octet and
    /// inputs.
    fn products(&mut self, blocks: usize, units: usize, layer: &str, of: &str) {
        for j in 0..units.div_ceil(LANES) {
            let unit = format!("min(n0 + {}u + lane, {layer}.outputs - 1u)", LANES * j);
            self.line(format!(
                "let w{j}{of} = parameters_at(packed_at({layer}, octet{of}, {unit}));"
            ));
        }
        for t in 0..units {
            self.line(format!("let v{t}{of} = spread(w{}{of}, {}u);", t / LANES, t % LANES));
            for b in 0..blocks {
                self.line(format!("z{b}_{t} = along(z{b}_{t}, x{b}{of}, v{t}{of});"));
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

/// The sums of a layer's tile over a slice of its inputs: of so many tiles of so many units, the last of which
/// has but `last`.
pub(super) fn sum_tile(count: usize, [units, last]: [usize; 2], blocks: usize) -> String {
    let begin = units * (count - 1);
    let call = |units, n0| format!("sum_inputs_{units}(first, {n0}, slice, end, lane);");
    let mut text = Text(sum_inputs(last, blocks));
    if units != last {
        text.line(sum_inputs(units, blocks));
    }
    text.line("fn sum_tile(first: u32, tile: u32, slice: u32, end: u32, lane: u32) {");
    text.line(format!("if (tile == {}u) {{ {} }}", count - 1, call(last, format!("{begin}u"))));
    if count > 1 {
        text.line(format!("else {{ {} }}", call(units, format!("tile * {units}u"))));
    }
    text.line("}");
    text.0
}

/// The sums of so many units of the first layer over a slice of its inputs, for 8 rows a block.
fn sum_inputs(units: usize, blocks: usize) -> String {
    let mut text = Text::default();
    text.line(format!(
        "fn sum_inputs_{units}(first: u32, n0: u32, slice: u32, end: u32, lane: u32) {{"
    ));
    for b in 0..blocks {
        text.line(format!(
            "let begin{b} = minibatch_features(there(first + {}u + lane));",
            LANES * b
        ));
    }
    text.sums(blocks, units);
    // How the names of the octets that are taken at a time end.
    let octets: &[&str] = if units <= PAIRED_UNITS { &["", "_b"] } else { &[""] };
    let step = octets.len();
    text.line(format!("for (var octet = slice * SLICE; octet < end; octet += {step}u) {{"));
    for b in 0..blocks {
        text.line(format!("let x{b} = feature_octet(begin{b}, octet);"));
    }
    if step == 2 {
        text.line("let octet_b = min(octet + 1u, end - 1u);");
        text.line("let is_odd = octet + 1u == end;");
        for b in 0..blocks {
            let x = format!("feature_octet(begin{b}, octet_b)");
            text.line(format!("let x{b}_b = without(is_odd, {x});"));
        }
    }
    for of in octets {
        text.products(blocks, units, "LAYER_0", of);
    }
    text.line("}");
    text.line("let at = PARTIALS + (slice * ROWS + first + lane) * vectors_of(LAYER_0.outputs) + n0 / 8u;");
    let last = "vectors_of(LAYER_0.outputs)";
    text.store_sums(blocks, units, |b, octet| {
        let inside = format!("n0 / 8u + {octet}u < {last}");
        let at = format!("at + {}u * {last} + {octet}u", LANES * b);
        format!("if ({inside}) {{ set_values({at}, PAIR); }}")
    });
    text.line("}");
    text.0
}

/// The sums of a layer, in tiles of so many units.
pub(super) fn dense(units: usize) -> String {
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
    text.products(BLOCKS, units, "layer", "");
    text.line("}");
    text.store_sums(BLOCKS, units, |b, octet| {
        let at = format!("record_of(row{b}) + layer.output + n0 / 8u + {octet}u");
        format!("if (n0 + {}u < layer.outputs) {{ set_values({at}, PAIR); }}", WIDTH * octet)
    });
    text.line("}\n}");
    text.0
}

/// The sums over a layer's deltas for the units of the layer before, two octets at a time.
pub(super) fn back() -> String {
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
        text.line(format!("let w{k} = parameters_at(packed_at(layer, {row}, unit));"));
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
                    number_of(&format!("d{b}"), t)
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
pub(super) fn number_of(name: &str, t: usize) -> String {
    let (half, c) = if t < 4 { ("low", t) } else { ("high", t - 4) };
    format!("{name}.{half}.{}", ["x", "y", "z", "w"][c])
}
