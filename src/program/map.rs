//! Layers whose output is not an elementwise function of z: prelu, which has a parameter, softmax
//! and log-softmax, which mix the columns of a row. They are lowered to instructions that others
//! use too.

use super::forward::Lowered;
use super::source::Buffers;
use crate::nn::Activation;
use crate::op::{Axis, BinaryOp, Op, Reduction, Rows, Shape, View};

/// y from z.
///
/// - prelu: y = max(z, 0) + a min(z, 0)
/// - softmax: y = e^z / sum e^z by rows; log-softmax: its logarithm
pub(super) fn forward(layer: &Lowered, i: usize, z: View, list: &mut Buffers, ops: &mut Vec<Op>) {
    let output = layer.output;
    match (layer.layer.activation, layer.slope) {
        (Activation::Prelu, Some(slope)) => {
            let [positive, negative, scaled] = ["positive", "negative", "scaled"]
                .map(|name| list.add(format!("map.{i}.{name}"), z.shape));
            ops.push(Op::Activate { activation: Activation::Relu, input: z, output: positive });
            ops.push(binary(BinaryOp::Subtract, z, positive, negative));
            ops.push(binary(BinaryOp::Multiply, negative, slope, scaled));
            ops.push(binary(BinaryOp::Add, positive, scaled, output));
        }
        (activation, _) => {
            let logarithm = activation == Activation::LogSoftmax;
            ops.push(Op::Softmax { logarithm, input: z, output });
        }
    }
}

/// delta = dL/dz from dL/dy, and the gradient of the slope.
///
/// - prelu: dL/dz = dL/dy for z > 0, else a dL/dy; dL/da = sum of dL/dy min(z, 0)
/// - softmax: dL/dz = y (dL/dy - sum of dL/dy y), sums by rows
/// - log-softmax: dL/dz = dL/dy - e^y sum of dL/dy
pub(super) fn backward(
    layer: &Lowered,
    i: usize,
    [output_delta, delta]: [View; 2],
    slope_gradient: Option<(View, bool)>,
    list: &mut Buffers,
    ops: &mut Vec<Op>,
) {
    let shape = delta.shape;
    let row_sums = Shape::new(shape.rows, 1);
    let y = layer.output;
    let mut add = |name: &str, shape| list.add(format!("map.{i}.{name}"), shape);
    let row_sum =
        |input, output| Op::Reduce { reduction: Reduction::Sum, axis: Axis::Rows, input, output };
    match (layer.layer.activation, layer.slope, layer.pre) {
        (Activation::Prelu, Some(slope), Some(z)) => {
            // dL/dy min(z, 0) = dL/dy z - dL/dy max(z, 0), which is 0 where z > 0.
            let [is_positive, kept, rest, scaled] =
                ["is_positive", "kept", "rest", "scaled_delta"].map(|name| add(name, shape));
            let activation = Activation::Relu;
            ops.push(Op::Differentiate { activation, input: z, output: is_positive });
            ops.push(binary(BinaryOp::Multiply, output_delta, is_positive, kept));
            ops.push(binary(BinaryOp::Subtract, output_delta, kept, rest));
            ops.push(binary(BinaryOp::Multiply, rest, slope, scaled));
            ops.push(binary(BinaryOp::Add, kept, scaled, delta));
            if let Some((weight, accumulate)) = slope_gradient {
                // A product of two columns: all of z, and dL/dy where z is not positive.
                let column = |view: View| View { shape: Shape::new(shape.len(), 1), ..view };
                let (input, delta) = (Rows::all(column(z)), column(rest));
                ops.push(Op::Gradient { accumulate, input, delta, weight, bias: None });
            }
        }
        (Activation::LogSoftmax, ..) => {
            let [probability, share] = ["probability", "share"].map(|name| add(name, shape));
            let sums = add("sums", row_sums);
            let activation = Activation::Exponential;
            ops.push(Op::Activate { activation, input: y, output: probability });
            ops.push(row_sum(output_delta, sums));
            ops.push(binary(BinaryOp::Multiply, probability, sums, share));
            ops.push(binary(BinaryOp::Subtract, output_delta, share, delta));
        }
        _ => {
            let [weighted, difference] = ["weighted", "difference"].map(|name| add(name, shape));
            let sums = add("sums", row_sums);
            ops.push(binary(BinaryOp::Multiply, output_delta, y, weighted));
            ops.push(row_sum(weighted, sums));
            ops.push(binary(BinaryOp::Subtract, output_delta, sums, difference));
            ops.push(binary(BinaryOp::Multiply, difference, y, delta));
        }
    }
}

fn binary(op: BinaryOp, a: View, b: View, output: View) -> Op {
    Op::Binary { op, a, b, output }
}
