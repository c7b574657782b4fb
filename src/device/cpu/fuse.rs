//! Weight gradients and updates in one pass.
//!
//! A program computes all gradients and then updates all parameters, so every gradient is written
//! to memory and read again. Where nobody else wants it, an element is handed to the optimizer as
//! soon as it is computed: per parameter and step 12 of Adam's 36 bytes stay away from memory.
//!
//! What is computed is the same to the bit, so the program remains the specification. The delta of
//! the layer before still needs the old weight, so a gradient moves down past that, and its part of
//! the update up to there: each only past instructions that leave its operands alone. The layer's
//! own delta, and what it was computed from, are not needed any more then; see
//! [`share`](super::share).

use std::ops::Range;

use super::instruction::Instruction;
use super::ops::can_descend;
use crate::op::{Access, Op, Operand, Shape, View};
use crate::program::Program;

/// Puts gradients and updates together where that can be done. `memory` tells what memory a buffer of the
/// program is.
pub(super) fn fuse(
    mut list: Vec<Instruction>,
    program: &Program,
    memory: impl Fn(usize) -> usize,
) -> Vec<Instruction> {
    let mut at = 0;
    while at < list.len() {
        match Descent::of(program, &list, at, &memory) {
            // What followed the gradient has its place now, if it has moved.
            Some(descent) => descent.apply(&mut list, at),
            None => at += 1,
        }
    }
    list
}

/// A gradient that can go to its update.
struct Descent {
    /// The update that its weight is a part of, by its place in the list.
    update: usize,
    /// The elements of the weight in this update.
    range: Range<usize>,
    /// The last instruction that needs the old weight, or the gradient itself.
    after: usize,
}

impl Descent {
    /// Whether the instruction at a place is such a gradient.
    fn of(
        program: &Program,
        list: &[Instruction],
        at: usize,
        memory: &impl Fn(usize) -> usize,
    ) -> Option<Self> {
        let Instruction::Alone(gradient @ Op::Gradient { weight, .. }) = &list[at] else {
            return None;
        };
        if !can_descend(gradient) || !program.buffers[weight.buffer].transient {
            return None;
        }
        let place = |other: &Instruction| match other {
            Instruction::Alone(Op::Update { gradients, .. }) => range_inside(*weight, *gradients),
            _ => None,
        };
        let (update, range) =
            (at + 1..list.len()).find_map(|i| place(&list[i]).map(|range| (i, range)))?;
        let Instruction::Alone(whole) = &list[update] else { return None };
        let part = Instruction::Alone(part(whole, range.clone()));
        let conflict = |one: &Instruction, two: &Instruction| {
            let two = two.operands();
            one.operands().iter().any(|a| two.iter().any(|b| in_the_way(a, b, memory)))
        };
        let uses = |other: &Instruction| {
            other.operands().iter().any(|other| overlap(other.view, *weight, memory))
        };
        let alone = (0..list.len()).all(|i| i == at || i == update || !uses(&list[i]));
        // The update goes up to there, and the gradient down.
        let after = (at + 1..update).rfind(|&i| conflict(&list[i], &part)).unwrap_or(at);
        let free = (at + 1..=after).all(|i| !conflict(&list[i], &list[at]));
        let operands = part.operands();
        let mut writes = operands.iter().filter(|operand| operand.access == Access::Write);
        let apart = writes.all(|written| {
            gradient.operands().iter().all(|operand| !overlap(operand.view, written.view, memory))
        });
        (alone && free && apart).then_some(Self { update, range, after })
    }

    fn apply(self, list: &mut Vec<Instruction>, at: usize) {
        let Self { update, range, after } = self;
        let (&Instruction::Alone(gradient), &Instruction::Alone(whole)) =
            (&list[at], &list[update])
        else {
            return;
        };
        let Op::Update { gradients, .. } = whole else { return };
        list.remove(update);
        // What is left of the update: biases, other weights, and the gaps between parameters.
        for left in [range.end..gradients.shape.len(), 0..range.start] {
            if !left.is_empty() {
                list.insert(update, Instruction::Alone(part(&whole, left)));
            }
        }
        list.remove(at);
        let update = Box::new(part(&whole, range));
        list.insert(after, Instruction::Descend { gradient, update });
    }
}

/// Where a view lies in another, as elements of that.
fn range_inside(inner: View, outer: View) -> Option<Range<usize>> {
    let (inside, outside) = (inner.range(), outer.range());
    let fits =
        inner.buffer == outer.buffer && outside.start <= inside.start && inside.end <= outside.end;
    fits.then(|| inside.start - outside.start..inside.end - outside.start)
}

fn overlap(one: View, two: View, memory: impl Fn(usize) -> usize) -> bool {
    let (a, b) = (one.range(), two.range());
    memory(one.buffer) == memory(two.buffer) && a.start < b.end && b.start < a.end
}

/// Whether two operands keep their instructions in order.
fn in_the_way(one: &Operand, two: &Operand, memory: impl Fn(usize) -> usize) -> bool {
    let write = one.access == Access::Write || two.access == Access::Write;
    write && overlap(one.view, two.view, memory)
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
