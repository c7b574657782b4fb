//! Deltas in the places of the activations that they belong to.
//!
//! The delta of a layer is computed from the weight above it, and that weight's gradient from the layer's
//! activation: as whole instructions, one needs a memory of its own beside the other. In two halves of the
//! layer's units each, a half of the deltas is computed beside, the gradient of that half of the weight goes
//! to its update, and then the deltas go where the activations were.

use super::gemm::Terms;
use super::instruction::Instruction;
use crate::op::{Op, Rows, View};
use crate::program::Program;

/// The least words of an activation that is worth it: 4 MiB. The operands of the products are packed twice.
const LEAST: usize = 1 << 20;

/// The fewest units: halves of them are wider than any strip of a product.
const LEAST_UNITS: usize = 512;

/// A delta's buffer, and that of the activation whose place it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) delta: usize,
    pub(super) activation: usize,
}

/// Puts together what leaves deltas in the places of activations, alike in all programs, and tells which.
/// `words` are those of a buffer's memory.
pub(super) fn fold(
    programs: &[Program],
    lists: &mut [Vec<Instruction>],
    words: impl Fn(usize) -> usize,
) -> Vec<Pair> {
    let found = |(program, list): (&Program, &Vec<Instruction>)| -> Vec<Pair> {
        (0..list.len()).filter_map(|at| pair(program, list, at)).collect()
    };
    let all: Vec<Vec<Pair>> = programs.iter().zip(&*lists).map(found).collect();
    let Some(first) = all.first() else { return Vec::new() };
    let large = |pair: &&Pair| words(pair.activation) >= LEAST;
    let everywhere = |pair: &&Pair| all.iter().all(|pairs| pairs.contains(pair));
    let pairs: Vec<Pair> = first.iter().filter(large).filter(everywhere).copied().collect();
    for (program, list) in programs.iter().zip(lists) {
        // From the end, as what follows moves up.
        for at in (0..list.len()).rev() {
            if pair(program, list, at).is_some_and(|pair| pairs.contains(&pair)) {
                put_together(list, at);
            }
        }
    }
    pairs
}

/// The pair of a delta that is computed at a place, if the gradient of the weight that it is computed from
/// follows, and nobody needs the activation after that.
fn pair(program: &Program, list: &[Instruction], at: usize) -> Option<Pair> {
    let Instruction::Alone(Op::Backward { delta, weight, output, .. }) = list.get(at)? else {
        return None;
    };
    let Instruction::Descend { gradient, update } = list.get(at + 1)? else { return None };
    let (Op::Gradient { input, delta: by, .. }, Op::Update { parameters, .. }) =
        (gradient, &**update)
    else {
        return None;
    };
    let activation = input.source;
    let whole = |view: View| view.offset == 0 && program.buffers[view.buffer].transient;
    let fits = *input == Rows::all(activation)
        && by == delta
        && (parameters.buffer, parameters.range()) == (weight.buffer, weight.range())
        && activation.shape == output.shape
        && activation.shape.cols >= LEAST_UNITS
        // Halves would be other sums.
        && Terms::back([output.shape.rows, output.shape.cols, delta.shape.cols]) == 1
        && whole(activation)
        && whole(*output)
        && !list[..at].iter().any(|instruction| instruction.uses(output.buffer))
        && !list[at + 2..].iter().any(|instruction| instruction.uses(activation.buffer));
    fits.then_some(Pair { delta: output.buffer, activation: activation.buffer })
}

fn put_together(list: &mut Vec<Instruction>, at: usize) {
    if let Instruction::Descend { gradient, update } = list.remove(at + 1)
        && let Instruction::Alone(backward) = list[at]
    {
        list[at] = Instruction::Fold { backward: Box::new(backward), gradient, update };
    }
}
