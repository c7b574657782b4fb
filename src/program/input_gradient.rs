//! The gradient of a function of the network's outputs with respect to its inputs, described as data
//! and lowered to instructions.

use super::forward::{Forward, Lowered, Pass};
use super::source::Buffers;
use super::{Program, map, names};
use crate::error::Result;
use crate::nn::{Activation, Network};
use crate::op::{BinaryOp, Op, Rows, Shape, View};

/// dx = dy . dy/dx for rows of inputs x and what comes to their outputs, dy: a product of a vector
/// and the Jacobian for each row.
#[derive(Debug, Clone, PartialEq)]
pub struct InputGradient {
    /// The network.
    pub network: Network,
    /// The rows.
    pub batch: usize,
}

impl InputGradient {
    /// The program: forward, and backward from `upstream` to `input_gradient`.
    ///
    /// # Errors
    /// Those of [`Program::check`].
    pub fn lower(&self) -> Result<Program> {
        let (network, rows) = (&self.network, self.batch);
        let (mut list, mut ops) = (Buffers::default(), Vec::new());
        let parameters = list.add(names::PARAMETERS, Shape::new(1, network.parameter_words()));
        let input = list.add(names::INPUT, Shape::new(rows, network.inputs()));
        let upstream = list.add(names::UPSTREAM, Shape::new(rows, network.outputs()));
        let output = list.add(names::INPUT_GRADIENT, input.shape);
        let pass = Pass { seed: None, keeps_pre: true };
        let input = Rows::all(input);
        let forward = Forward::lower(network, input, parameters, pass, &mut list, &mut ops);
        let mut after: Option<(View, View)> = None;
        for (i, layer) in forward.layers.iter().enumerate().rev() {
            let delta = delta(layer, i, upstream, after, &mut list, &mut ops);
            after = Some((delta, layer.weight));
        }
        if let Some((delta, weight)) = after {
            let (activation, cached) = (Activation::Identity, None);
            ops.push(Op::Backward { delta, weight, activation, cached, output });
        }
        let program = Program { buffers: list.0, ops };
        program.check()?;
        Ok(program)
    }
}

/// dz of a layer, from that of the layer after it and that one's weight, or from what comes to the
/// network's outputs.
fn delta(
    layer: &Lowered,
    i: usize,
    upstream: View,
    after: Option<(View, View)>,
    list: &mut Buffers,
    ops: &mut Vec<Op>,
) -> View {
    let (activation, shape) = (layer.activation(), layer.output.shape);
    let elementwise = layer.layer.activation.is_elementwise();
    let mut add = |name: &str| list.add(format!("{name}.{i}"), shape);
    let delta = add("delta");
    let first = match after {
        Some((next, weight)) => {
            let output = if elementwise { delta } else { add("output_delta") };
            let cached = layer.cached();
            ops.push(Op::Backward { delta: next, weight, activation, cached, output });
            output
        }
        None if elementwise => {
            let slope = add("slope");
            let input = layer.pre.unwrap_or(layer.output);
            ops.push(Op::Differentiate { activation, input, output: slope });
            let (op, output) = (BinaryOp::Multiply, delta);
            ops.push(Op::Binary { op, a: upstream, b: slope, output });
            output
        }
        None => upstream,
    };
    if !elementwise {
        map::backward(layer, i, [first, delta], None, list, ops);
    }
    delta
}
