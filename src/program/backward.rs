//! Loss and backward pass, layer by layer from the last, lowered to instructions.

use super::forward::{Forward, Lowered};
use super::map;
use super::source::Buffers;
use super::step::Step;
use super::update;
use crate::op::{Op, Rows, Shape, View};

/// The operands of the loss, beside the network's output.
#[derive(Debug, Clone, Copy)]
pub(super) struct LossOperands {
    pub(super) targets: Rows,
    pub(super) weights: Option<View>,
    pub(super) positive: Option<View>,
    pub(super) row_losses: View,
    pub(super) losses: View,
}

/// Lowers loss and backward pass, and gives dL/dz of every layer; gradients go into the buffer of
/// `gradients`.
pub(super) fn lower(
    step: &Step,
    forward: &Forward,
    loss: LossOperands,
    gradients: View,
    list: &mut Buffers,
    ops: &mut Vec<Op>,
) -> Vec<View> {
    let deltas: Vec<View> = (forward.layers.iter().enumerate())
        .map(|(i, layer)| list.add(format!("delta.{i}"), layer.output.shape))
        .collect();
    for (i, layer) in forward.layers.iter().enumerate().rev() {
        let elementwise = layer.layer.activation.is_elementwise();
        // What comes from the loss or from the next layer: dL/dz, or dL/dy before the layer's map.
        let first = if elementwise {
            deltas[i]
        } else {
            list.add(format!("output_delta.{i}"), layer.output.shape)
        };
        match forward.layers.get(i + 1) {
            None => lower_loss(step, layer, loss, first, ops),
            Some(_) if !update::needs_delta(&step.groups, i) => break,
            Some(next) => ops.push(Op::Backward {
                delta: deltas[i + 1],
                weight: next.weight,
                activation: layer.activation(),
                cached: layer.cached(),
                output: first,
            }),
        }
        if let Some(key) = layer.key {
            // The mask of the forward pass, drawn again.
            ops.push(Op::Dropout { rate: layer.layer.dropout, key, input: None, output: first });
        }
        let trains = step.groups.trains(i);
        let accumulate = !step.share.first;
        let of = |view: View| View { buffer: gradients.buffer, ..view };
        if !elementwise {
            let slope = layer.slope.filter(|_| trains).map(|slope| (of(slope), accumulate));
            map::backward(layer, i, [first, deltas[i]], slope, list, ops);
        }
        if trains {
            ops.push(Op::Gradient {
                accumulate,
                input: layer.input,
                delta: deltas[i],
                weight: of(layer.weight),
                bias: layer.bias.map(of),
            });
        }
    }
    deltas
}

/// The loss after the last layer, and its record.
fn lower_loss(step: &Step, last: &Lowered, loss: LossOperands, delta: View, ops: &mut Vec<Op>) {
    let Shape { rows, cols } = last.output.shape;
    let LossOperands { targets, weights, positive, row_losses, losses } = loss;
    ops.push(Op::Loss {
        loss: step.loss,
        activation: last.activation(),
        scale: step.reduction.scale(step.loss, step.share.rows, cols) as f32,
        output: last.output,
        cached: last.cached(),
        targets,
        kind: step.target_kind,
        weights,
        positive,
        delta,
        row_losses,
    });
    let scale = step.reduction.scale(step.loss, rows, cols) as f32;
    ops.push(Op::Record { scale, row_losses, losses });
}
