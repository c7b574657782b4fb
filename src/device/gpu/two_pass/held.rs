//! The function `weights` of a layer, in the form for drivers on the processor. A workgroup holds 64 inputs of
//! some rows in registers, or where the compiler keeps what exceeds them, while the units pass: the gradient
//! of a unit is ready for its update at once, and no sum lives longer than an iteration of the loop. (Sums
//! that do are blended with the mask of active lanes each time.)

use super::super::fused::plan::PlanLayer;
use super::lanes::{LANES, WIDTH};
use super::source::update_constants;
use super::written::{Text, number_of};

/// The rows that a layer of few weights holds: each more is a load to compile.
const FEW_ROWS: usize = 16;

/// From how many inputs on a layer holds more.
const MANY_INPUTS: usize = 256;

/// The rows whose inputs a workgroup of `weights` holds at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) rows: usize,
    /// Whether that is the whole minibatch.
    whole: bool,
}

impl Held {
    /// A layer's, of minibatches of so many rows, and at most so many at once: a power of two.
    pub(super) fn of(layer: &PlanLayer, rows: usize, most: usize) -> Self {
        let most = if layer.inputs < MANY_INPUTS { FEW_ROWS } else { most };
        let held = rows.next_power_of_two().clamp(LANES, most);
        Self { rows: held, whole: rows <= held }
    }

    /// In how many goes a minibatch of so many rows is taken.
    pub(super) fn goes(self, rows: usize) -> usize {
        rows.div_ceil(self.rows)
    }

    /// The vectors of memory that the gradients of so many units take, where they are not ready in one go.
    pub(super) fn memory(self, units: usize) -> usize {
        if self.whole { 0 } else { LANES * units }
    }

    /// The gradients of 64 inputs and a tile of units, and their updates. A lane holds its 8 inputs of all the
    /// rows, which serve one unit after the other, so that no sum lives longer than an iteration.
    pub(super) fn weights(self, l: usize, layer: &PlanLayer, units: usize) -> String {
        let mut text = Text::default();
        text.line(format!("fn weights_{l}(tile: u32, n0: u32, lane: u32) {{"));
        text.line(format!("let layer = LAYER_{l};"));
        text.line("let octet = 8u * tile + lane;");
        let end = if layer.bias.is_some() { "layer.vectors" } else { "layer.vectors - 1u" };
        text.line(format!("let inside = octet <= {end};"));
        text.line(format!("let end = min(n0 + {units}u, layer.outputs);"));
        if self.whole {
            text.line("let first = 0u;");
            self.units(&mut text, layer);
        } else {
            let rows = self.rows;
            text.line(format!("for (var first = 0u; first < step.rows; first += {rows}u) {{"));
            self.units(&mut text, layer);
            text.line("}");
        }
        text.line("}");
        text.0
    }

    /// The inputs of the rows from `first` on, and the loop over the units.
    fn units(self, text: &mut Text, layer: &PlanLayer) {
        for o in 0..self.rows / LANES {
            let row = format!("there(first + {}u + lane)", LANES * o);
            text.line(format!("let begin{o} = minibatch_features({row});"));
        }
        text.line("let own = min(octet, layer.vectors - 1u);");
        text.line("let is_bias = octet == layer.vectors;");
        for row in 0..self.rows {
            let begin = format!("subgroupShuffle(begin{}, {}u)", row / LANES, row % LANES);
            let octet = format!("input_octet(layer, first + {row}u, {begin}, own)");
            text.line(format!("let x{row} = with_bias(is_bias, {octet});"));
        }
        let (rows, count) = (self.rows, self.units_at_once());
        text.line(format!("for (var n = n0; n < end; n += {count}u) {{"));
        text.line(format!("let deltas = unit_deltas(layer, {rows}u, {count}u, first, n, lane);"));
        for u in 0..count {
            // The first is there.
            text.line(if u == 0 { "{".to_owned() } else { format!("if (n + {u}u < end) {{") });
            text.line(format!("let unit = n + {u}u;"));
            self.unit(text, layer, u * rows / WIDTH);
            text.line("}");
        }
        text.line("}");
    }

    /// How many units' deltas are loaded at once: those that fill the lanes, but not more than two, as each is
    /// code of its own.
    fn units_at_once(self) -> usize {
        (LANES * WIDTH / self.rows).min(2)
    }

    /// The gradient of a unit, whose deltas are those of the lanes from `lane` on, and its update.
    fn unit(self, text: &mut Text, layer: &PlanLayer, lane: usize) {
        text.line("var sum = Pair(vec4(0.0), vec4(0.0));");
        if !self.whole {
            text.line("let at = 8u * (unit - n0) + lane;");
            text.line("if (first > 0u) { sum = pair_of(gradients[at]); }");
        }
        for row in 0..self.rows {
            let delta = number_of("deltas", row % WIDTH);
            let lane = lane + row / WIDTH;
            text.line(format!("sum = plus(sum, x{row}, subgroupShuffle({delta}, {lane}u));"));
        }
        let descend = format!("descend(layer, octet, unit, sum, {});", update_constants(layer));
        if self.whole {
            text.line(format!("if (inside) {{ {descend} }}"));
            return;
        }
        let rows = self.rows;
        text.line(format!("if (first + {rows}u < step.rows) {{ gradients[at] = octet_of(sum); }}"));
        text.line(format!("else if (inside) {{ {descend} }}"));
    }
}
