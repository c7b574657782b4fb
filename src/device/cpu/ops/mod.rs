//! One function for each instruction, by family.

mod adjust;
mod dense;
mod elementwise;
mod layout;
mod loss;
mod random;
mod reduce;
mod update;

use super::gemm;
use super::memory::Bank;
use crate::error::Result;
use crate::op::{Op, Pick, Rows, StepArgs};

/// Memory that instructions need while they run, made when a program is compiled.
#[derive(Default)]
pub(super) struct Scratch {
    gemm: gemm::Scratch,
}

impl Scratch {
    /// Enough for each of the ops.
    pub(super) fn for_ops(ops: &[Op]) -> Self {
        let mut scratch = Self::default();
        for op in ops {
            if let Some([m, n, k]) = dense::product(op) {
                scratch.gemm.reserve(m, n, k);
            }
        }
        scratch
    }
}

/// Executes one instruction whose operands have been checked.
pub(super) fn execute(
    op: &Op,
    bank: &mut Bank,
    args: &StepArgs,
    scratch: &mut Scratch,
) -> Result<()> {
    match *op {
        Op::Matmul { .. } | Op::Dense { .. } | Op::Backward { .. } | Op::Gradient { .. } => {
            dense::execute(op, bank, args, &mut scratch.gemm)?;
        }
        Op::Fill { .. }
        | Op::Binary { .. }
        | Op::Scalar { .. }
        | Op::Activate { .. }
        | Op::Differentiate { .. }
        | Op::Mismatch { .. } => elementwise::execute(op, bank),
        Op::Update { .. } | Op::Direction { .. } | Op::TrustStep { .. } => {
            update::execute(op, bank, args);
        }
        Op::Softmax { .. } | Op::Reduce { .. } => reduce::execute(op, bank),
        Op::Transpose { .. } | Op::Gather { .. } | Op::Scatter { .. } | Op::Keep { .. } => {
            layout::execute(op, bank, args);
        }
        Op::Weigh { .. } | Op::Loss { .. } | Op::Record { .. } => loss::execute(op, bank, args)?,
        Op::Dropout { .. } | Op::Noise { .. } => random::execute(op, bank, args),
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
