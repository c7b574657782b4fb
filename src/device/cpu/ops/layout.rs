//! Instructions that only move elements.

use super::pick;
use crate::device::cpu::memory::Bank;
use crate::op::{Op, StepArgs};

pub(super) fn execute(op: &Op, bank: &mut Bank, args: &StepArgs) {
    match *op {
        Op::Transpose { input, output } => bank.write(output, |bank, out| {
            transpose(bank.read(input), input.shape.cols, out);
        }),
        Op::Gather { rows, first, output } => bank.write(output, |bank, out| {
            let (source, cols) = (bank.read(rows.source), output.shape.cols);
            let picked = pick(&rows, bank, args);
            for (i, out) in out.chunks_exact_mut(cols).enumerate() {
                // Rows of other parts wrap around to numbers that no part has.
                let row = picked.row(i).wrapping_sub(first);
                if row < rows.source.shape.rows {
                    out.copy_from_slice(&source[row * cols..(row + 1) * cols]);
                }
            }
        }),
        Op::Scatter { input, output } => bank.write(output, |bank, out| {
            let first = args.first_row as usize * input.shape.cols;
            out[first..first + input.shape.len()].copy_from_slice(bank.read(input));
        }),
        Op::Keep { input, output } if args.keep != StepArgs::KEEP_NOTHING => {
            bank.write(output, |bank, out| {
                let first = args.keep as usize * output.shape.cols;
                out[first..first + output.shape.cols].copy_from_slice(bank.read(input));
            });
        }
        _ => {}
    }
}

/// Transposes in square blocks, so that both sides are read and written by whole cache lines.
fn transpose(input: &[f32], cols: usize, out: &mut [f32]) {
    const BLOCK: usize = 16;
    let rows = input.len() / cols;
    for top in (0..rows).step_by(BLOCK) {
        for left in (0..cols).step_by(BLOCK) {
            for j in left..cols.min(left + BLOCK) {
                for i in top..rows.min(top + BLOCK) {
                    out[j * rows + i] = input[i * cols + j];
                }
            }
        }
    }
}
