//! The operands of each instruction: their names, their places, and whether they are written.

use super::{Op, Pick, Rows, View};

/// How an instruction uses an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    /// Only read.
    Read,
    /// Written, and perhaps read before.
    Write,
}

/// One operand: its name in listings, its place, its use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand {
    pub(crate) name: &'static str,
    pub(crate) view: View,
    pub(crate) access: Access,
}

impl Op {
    /// Every operand, reads before writes.
    pub(crate) fn operands(&self) -> Vec<Operand> {
        let mut list = List::default();
        match *self {
            Self::Fill { output, .. } => list.write("output", output),
            Self::Matmul { a, b, output, .. } | Self::Binary { a, b, output, .. } => {
                list.read("a", a).read("b", b).write("output", output)
            }
            Self::Mismatch { a, b, output, .. } => {
                list.read("a", a).read("b", b).write("output", output)
            }
            Self::Histogram { input, bounds, output } => {
                list.read("input", input).read("bounds", bounds).write("output", output)
            }
            Self::Scalar { a, output, .. } => list.read("a", a).write("output", output),
            Self::Activate { input, output, .. }
            | Self::Differentiate { input, output, .. }
            | Self::Softmax { input, output, .. }
            | Self::Reduce { input, output, .. }
            | Self::Transpose { input, output }
            | Self::Scatter { input, output }
            | Self::Keep { input, output } => list.read("input", input).write("output", output),
            Self::Gather { rows, output, .. } => list.rows("rows", rows).write("output", output),
            Self::Dense { input, weight, bias, pre, output, .. } => list
                .rows("input", input)
                .read("weight", weight)
                .maybe("bias", bias, Access::Read)
                .maybe("pre", pre, Access::Write)
                .write("output", output),
            Self::Weigh { weights, output, .. } => {
                list.rows("weights", weights).write("output", output)
            }
            Self::Loss {
                output, cached, targets, weights, positive, delta, row_losses, ..
            } => list
                .read("output", output)
                .maybe("cached", cached, Access::Read)
                .rows("targets", targets)
                .maybe("weights", weights, Access::Read)
                .maybe("positive", positive, Access::Read)
                .write("delta", delta)
                .write("row_losses", row_losses),
            Self::Record { row_losses, losses, .. } => {
                list.read("row_losses", row_losses).write("losses", losses)
            }
            Self::Backward { delta, weight, cached, output, .. } => list
                .read("delta", delta)
                .read("weight", weight)
                .maybe("cached", cached, Access::Read)
                .write("output", output),
            Self::Gradient { input, delta, weight, bias, .. } => list
                .rows("input", input)
                .read("delta", delta)
                .write("weight", weight)
                .maybe("bias", bias, Access::Write),
            Self::Dropout { input, output, .. } => {
                list.maybe("input", input, Access::Read).write("output", output)
            }
            Self::Noise { values, .. } | Self::Clip { values, .. } => list.write("values", values),
            Self::Penalize { parameters, gradients, .. } => {
                list.read("parameters", parameters).write("gradients", gradients)
            }
            Self::LimitNorm { norms, values, .. } => {
                list.read("norms", norms).write("values", values)
            }
            Self::Average { parameters, average, .. } => {
                list.read("parameters", parameters).write("average", average)
            }
            Self::Update { parameters, gradients, moments, .. } => {
                list.read("gradients", gradients).write("parameters", parameters).moments(moments)
            }
            Self::Direction { parameters, gradients, moments, .. } => {
                list.read("parameters", parameters).write("gradients", gradients).moments(moments)
            }
            Self::TrustStep { parameters, direction, parameter_norm, direction_norm, .. } => list
                .read("direction", direction)
                .read("parameter_norm", parameter_norm)
                .read("direction_norm", direction_norm)
                .write("parameters", parameters),
        };
        list.0
    }
}

/// Collects operands in a chain of calls.
#[derive(Default)]
struct List(Vec<Operand>);

impl List {
    fn push(&mut self, name: &'static str, view: View, access: Access) -> &mut Self {
        self.0.push(Operand { name, view, access });
        self
    }

    fn read(&mut self, name: &'static str, view: View) -> &mut Self {
        self.push(name, view, Access::Read)
    }

    fn write(&mut self, name: &'static str, view: View) -> &mut Self {
        self.push(name, view, Access::Write)
    }

    fn maybe(&mut self, name: &'static str, view: Option<View>, access: Access) -> &mut Self {
        if let Some(view) = view {
            self.push(name, view, access);
        }
        self
    }

    fn moments(&mut self, moments: [Option<View>; 3]) -> &mut Self {
        for (name, moment) in ["first", "second", "third"].into_iter().zip(moments) {
            self.maybe(name, moment, Access::Write);
        }
        self
    }

    fn rows(&mut self, name: &'static str, rows: Rows) -> &mut Self {
        self.read(name, rows.source);
        match rows.pick {
            Pick::Order(order) => self.read("order", order),
            Pick::All | Pick::Range => self,
        }
    }
}
