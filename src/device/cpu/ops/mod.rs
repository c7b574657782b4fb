//! One function for each instruction, by family.

mod adjust;
mod dense;
mod descent;
mod elementwise;
mod fold;
mod histogram;
mod layout;
mod loss;
mod narrow;
mod random;
mod reduce;
mod subnormal;
mod turned;
mod update;

pub(super) use descent::can_descend;
pub(super) use narrow::Sums;
pub(super) use turned::{Pass, Turned, TurnedLayer};

use self::descent::descend;
use super::crew::Crew;
use super::instruction::Instruction;
use super::memory::Bank;
use crate::error::Result;
use crate::op::{Op, Pick, Rows, StepArgs};
use std::ops::Range;

/// Makes room for what the instructions need, which then allocate nothing.
pub(super) fn reserve<'a>(
    crew: &mut Crew,
    instructions: impl IntoIterator<Item = &'a Instruction>,
) {
    for instruction in instructions {
        match instruction {
            Instruction::Alone(op @ Op::Gradient { .. }) => {
                dense::product(op).map(|shape| crew.reserve_whole(shape))
            }
            Instruction::Alone(op) => dense::product(op).map(|shape| crew.reserve(shape)),
            Instruction::Descend { gradient, .. } => {
                dense::product(gradient).map(|shape| crew.reserve_stream(shape))
            }
            Instruction::Fold { backward, .. } => {
                if let Op::Backward { delta, output, .. } = **backward {
                    fold::reserve(output.shape, delta.shape.cols, crew);
                }
                None
            }
            // It has room of its own.
            Instruction::Turned(_) => None,
        };
    }
}

/// Executes an instruction whose operands have been checked.
pub(super) fn execute(
    instruction: &mut Instruction,
    bank: &mut Bank,
    args: &StepArgs,
    crew: &mut Crew,
) -> Result<()> {
    match instruction {
        Instruction::Alone(op) => execute_alone(op, bank, args, crew),
        Instruction::Descend { gradient, update } => descend(gradient, update, bank, args, crew),
        Instruction::Fold { backward, gradient, update } => {
            fold::fold([backward, gradient, update], bank, args, crew);
            Ok(())
        }
        Instruction::Turned(turned) => turned.execute(bank, args),
    }
}

fn execute_alone(op: &Op, bank: &mut Bank, args: &StepArgs, crew: &mut Crew) -> Result<()> {
    match *op {
        Op::Matmul { .. } | Op::Dense { .. } | Op::Backward { .. } | Op::Gradient { .. } => {
            dense::execute(op, bank, args, crew)?;
        }
        Op::Fill { .. }
        | Op::Binary { .. }
        | Op::Scalar { .. }
        | Op::Activate { .. }
        | Op::Differentiate { .. }
        | Op::Mismatch { .. } => elementwise::execute(op, bank, crew),
        Op::Update { .. } | Op::Direction { .. } | Op::TrustStep { .. } => {
            update::execute(op, bank, args, crew);
        }
        Op::Softmax { .. } | Op::Reduce { .. } => reduce::execute(op, bank),
        Op::Histogram { input, bounds, output } => {
            histogram::execute(input, bounds, output, bank);
        }
        Op::Transpose { .. } | Op::Gather { .. } | Op::Scatter { .. } | Op::Keep { .. } => {
            layout::execute(op, bank, args);
        }
        Op::Weigh { .. } | Op::Loss { .. } | Op::Record { .. } => {
            loss::execute(op, bank, args, &mut crew.guard)?;
        }
        Op::Dropout { .. } | Op::Noise { .. } => random::execute(op, bank, args),
        // What follows an update that moved nothing must not move anything either.
        Op::LimitNorm { .. } | Op::Average { .. } if crew.guard.is_closed() => {}
        Op::Penalize { .. } | Op::Clip { .. } | Op::LimitNorm { .. } | Op::Average { .. } => {
            adjust::execute(op, bank);
        }
    }
    Ok(())
}

/// A minibatch's rows, found: where row i of the batch lies in its source.
#[derive(Clone, Copy)]
enum Picked<'a> {
    /// At this row plus i.
    From(usize),
    /// At the row of this list.
    Listed(&'a [u32]),
}

impl Picked<'_> {
    /// Some of the rows.
    fn part(self, rows: Range<usize>) -> Self {
        match self {
            Self::From(first) => Self::From(first + rows.start),
            Self::Listed(order) => Self::Listed(&order[rows]),
        }
    }

    #[inline]
    fn row(&self, i: usize) -> usize {
        match self {
            Self::From(first) => first + i,
            Self::Listed(order) => order[i] as usize,
        }
    }
}

fn pick<'a>(rows: &Rows, bank: &'a Bank, args: &StepArgs) -> Picked<'a> {
    let first = args.first_row as usize;
    match rows.pick {
        Pick::All => Picked::From(0),
        Pick::Range => Picked::From(first),
        Pick::Order(order) => Picked::Listed(&bank.read_u32(order)[first..first + rows.count]),
    }
}

/// The same, after checking that the source has all of the rows.
fn pick_checked<'a>(op: &Op, rows: &Rows, bank: &'a Bank, args: &StepArgs) -> Result<Picked<'a>> {
    let picked = pick(rows, bank, args);
    if let Picked::Listed(order) = picked {
        let last = order.iter().fold(0, |last, &row| last.max(row)) as usize;
        let there = rows.source.shape.rows;
        if last >= there {
            return Err(op.refuse(format!("the order names row {last}, the source has {there}")));
        }
    }
    Ok(picked)
}
