//! Weight gradients and updates in one pass.
//!
//! A program computes all gradients and then updates all parameters, so every gradient is written
//! to memory and read again. Where nobody else wants it, an element is handed to the optimizer as
//! soon as it is computed: per parameter and step 12 of Adam's 36 bytes stay away from memory.
//!
//! What is computed is the same to the bit, so the program remains the specification. A weight
//! gradient moves down to its update, because the deltas of the layers before still need the old
//! weights; so it moves only past instructions that leave its operands alone.

use std::iter::once;
use std::ops::Range;

use super::ops::can_descend;
use crate::op::{Access, Op, Shape, View};
use crate::program::Program;

/// What the CPU executes: an instruction as the program has it, or a gradient and the update of its
/// weight.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instruction {
    pub(super) op: Op,
    /// For an [`Op::Gradient`]: the [`Op::Update`] that the elements of the weight's gradient go to.
    /// The bias's gradient goes to memory.
    pub(super) update: Option<Box<Op>>,
}

impl From<Op> for Instruction {
    fn from(op: Op) -> Self {
        Self { op, update: None }
    }
}

/// The instructions of a program, with gradients and updates put together where that can be done.
/// `memory` tells what memory a buffer of the program is.
pub(super) fn fuse(program: &Program, memory: impl Fn(usize) -> usize) -> Vec<Instruction> {
    let ops = &program.ops;
    let mut moved = vec![false; ops.len()];
    let mut instructions = vec![Vec::new(); ops.len()];
    for (at, update) in ops.iter().enumerate() {
        let Op::Update { gradients, .. } = *update else {
            instructions[at].push(Instruction::from(*update));
            continue;
        };
        let mut weights: Vec<Range<usize>> = Vec::new();
        for i in 0..at {
            let Op::Gradient { weight, .. } = ops[i] else { continue };
            if can_descend(&ops[i])
                && program.buffers[weight.buffer].transient
                && inside(weight, gradients)
                && alone(ops, [i, at], weight, &memory)
                && can_move(ops, i..at, &memory)
            {
                moved[i] = true;
                let range = weight.offset - gradients.offset..weight.range().end - gradients.offset;
                let update = Some(Box::new(part(update, range.clone())));
                instructions[at].push(Instruction { op: ops[i], update });
                weights.push(range);
            }
        }
        // What is left of the update: biases, and the gaps between parameters.
        weights.sort_by_key(|range| range.start);
        let (mut start, end) = (0, gradients.shape.len());
        for next in weights.into_iter().chain(once(end..end)) {
            if start < next.start {
                instructions[at].push(part(update, start..next.start).into());
            }
            start = next.end;
        }
    }
    let kept = instructions.into_iter().zip(moved).filter(|(_, moved)| !moved);
    kept.flat_map(|(instructions, _)| instructions).collect()
}

fn inside(inner: View, outer: View) -> bool {
    let (inside, outside) = (inner.range(), outer.range());
    inner.buffer == outer.buffer && outside.start <= inside.start && inside.end <= outside.end
}

fn overlap(one: View, two: View, memory: impl Fn(usize) -> usize) -> bool {
    let (a, b) = (one.range(), two.range());
    memory(one.buffer) == memory(two.buffer) && a.start < b.end && b.start < a.end
}

/// Whether only the instructions `users` use this memory.
fn alone(ops: &[Op], users: [usize; 2], view: View, memory: impl Fn(usize) -> usize) -> bool {
    let others = ops.iter().enumerate().filter(|(i, _)| !users.contains(i));
    others.flat_map(|(_, op)| op.operands()).all(|operand| !overlap(operand.view, view, &memory))
}

/// Whether the first of a range of instructions can be executed in the middle of the last: those
/// between, and the last, write nothing that it uses, and those between use nothing that it writes.
fn can_move(ops: &[Op], range: Range<usize>, memory: impl Fn(usize) -> usize) -> bool {
    let mine = ops[range.start].operands();
    let conflict = |op: &Op| {
        op.operands().into_iter().any(|other| {
            mine.iter().any(|mine| {
                let write = mine.access == Access::Write || other.access == Access::Write;
                write && overlap(mine.view, other.view, &memory)
            })
        })
    };
    let writes = |op: &Op| {
        let writes = op.operands().into_iter().filter(|operand| operand.access == Access::Write);
        writes.into_iter().any(|other| mine.iter().any(|m| overlap(m.view, other.view, &memory)))
    };
    !ops[range.start + 1..range.end].iter().any(conflict) && !writes(&ops[range.end])
}

/// An update's part: some of its elements.
fn part(update: &Op, range: Range<usize>) -> Op {
    let Op::Update { optimizer, rate_factor, parameters, gradients, moments } = *update else {
        return *update;
    };
    let part = |view: View| {
        View::new(view.buffer, Shape::new(1, range.len())).at(view.offset + range.start)
    };
    Op::Update {
        optimizer,
        rate_factor,
        parameters: part(parameters),
        gradients: part(gradients),
        moments: moments.map(|moment| moment.map(part)),
    }
}
