//! What the CPU executes.

use super::fuse::fuse;
use super::ops::Turned;
use super::turn::turn;
use crate::device::Timed;
use crate::op::{Cost, Op, Operand};
use crate::program::Program;

/// An instruction of a program, or several in one.
#[derive(Debug)]
pub(super) enum Instruction {
    /// As the program has it.
    Alone(Op),
    /// An [`Op::Gradient`], and the [`Op::Update`] that the elements of the weight's gradient go to. The
    /// bias's gradient goes to memory.
    Descend { gradient: Op, update: Box<Op> },
    /// An [`Op::Backward`] whose output takes the place of the input of the gradient of its weight, and that and
    /// the update as above.
    Fold { backward: Box<Op>, gradient: Op, update: Box<Op> },
    /// Forward, loss and gradients of a small network.
    Turned(Box<Turned>),
}

impl Instruction {
    /// What executes a program. `memory` tells what memory a buffer of it is.
    pub(super) fn list(program: &Program, memory: impl Fn(usize) -> usize) -> Vec<Self> {
        fuse(turn(program), program, memory)
    }

    /// Every operand.
    pub(super) fn operands(&self) -> Vec<Operand> {
        match self {
            Self::Alone(op) => op.operands(),
            Self::Descend { gradient, update } => {
                [gradient, &**update].into_iter().flat_map(Op::operands).collect()
            }
            Self::Fold { backward, gradient, update } => {
                [&**backward, gradient, update].into_iter().flat_map(Op::operands).collect()
            }
            Self::Turned(turned) => turned.operands(),
        }
    }

    /// Whether a buffer has one of its operands.
    pub(super) fn uses(&self, buffer: usize) -> bool {
        self.operands().iter().any(|operand| operand.view.buffer == buffer)
    }

    /// What it is called where it is timed, and what it costs.
    pub(super) fn timed(&self) -> Timed {
        let timed = |op: &Op, kernel, cost| Timed { instruction: op.name(), kernel, cost };
        match self {
            Self::Alone(op) => timed(op, "", op.cost()),
            Self::Descend { gradient, update } => {
                timed(gradient, "and update", descent_cost(gradient, update))
            }
            Self::Fold { backward, gradient, update } => {
                timed(backward, "and update", backward.cost() + descent_cost(gradient, update))
            }
            Self::Turned(turned) => {
                Timed { instruction: "pass", kernel: "turned", cost: turned.cost() }
            }
        }
    }
}

/// What a gradient and its update cost together.
fn descent_cost(gradient: &Op, update: &Op) -> Cost {
    let Cost { flop, bytes } = gradient.cost() + update.cost();
    let weight = match *update {
        Op::Update { parameters, .. } => parameters.shape.len() as u64,
        _ => 0,
    };
    // The weight's gradient goes to memory neither way.
    Cost { flop, bytes: bytes.saturating_sub(8 * weight) }
}
