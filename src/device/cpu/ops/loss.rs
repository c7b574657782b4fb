//! Losses by rows, the deltas they send back, and the record of a step's loss.

use super::subnormal::flush;
use super::{Picked, pick_checked};
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::error::{Error, Result};
use crate::nn::{Loss, Target};
use crate::op::{Op, StepArgs};

pub(super) fn execute(op: &Op, bank: &mut Bank, args: &StepArgs) -> Result<()> {
    match *op {
        Op::Loss { loss, activation, scale, output, cached, targets, delta, row_losses } => bank
            .write_all([Some(delta), Some(row_losses)], |bank, [delta, row_losses]| {
                let picked = pick_checked(op, &targets, bank, args)?;
                let outputs = bank.read(output);
                if loss.takes_labels() {
                    let labels = bank.read_u32(targets.source);
                    let rows = Labels { labels, picked, classes: output.shape.cols };
                    vectorize(|| by_labels(loss, outputs, rows, delta, row_losses))?;
                } else {
                    let values = bank.read(targets.source);
                    vectorize(|| by_values(loss, outputs, values, picked, delta, row_losses));
                }
                let cached = cached.map(|cached| bank.read(cached));
                vectorize(|| {
                    delta.iter_mut().for_each(|d| *d *= scale);
                    if let Some(cached) = cached {
                        activation.chain(cached, delta);
                    }
                    flush(delta);
                });
                Ok(())
            }),
        Op::Record { scale, row_losses, losses } => {
            bank.write(losses, |bank, out| {
                let sum: f64 = bank.read(row_losses).iter().map(|&loss| f64::from(loss)).sum();
                out[args.slot as usize] = (sum * f64::from(scale)) as f32;
            });
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Integer targets, and where each row's one is.
struct Labels<'a> {
    labels: &'a [u32],
    picked: Picked<'a>,
    classes: usize,
}

#[inline(always)]
fn by_labels(
    loss: Loss,
    outputs: &[f32],
    targets: Labels<'_>,
    delta: &mut [f32],
    row_losses: &mut [f32],
) -> Result<()> {
    let Labels { labels, picked, classes } = targets;
    let rows = outputs.chunks_exact(classes).zip(delta.chunks_exact_mut(classes));
    for (i, ((y, d), row_loss)) in rows.zip(row_losses).enumerate() {
        let row = picked.row(i);
        let label = labels[row] as usize;
        if label >= classes {
            return Err(Error::Label { row, label: label as i64, classes });
        }
        *row_loss = loss.row(y, Target::Label(label), d);
    }
    Ok(())
}

#[inline(always)]
fn by_values(
    loss: Loss,
    outputs: &[f32],
    values: &[f32],
    picked: Picked<'_>,
    delta: &mut [f32],
    row_losses: &mut [f32],
) {
    let width = outputs.len() / row_losses.len();
    let rows = outputs.chunks_exact(width).zip(delta.chunks_exact_mut(width));
    for (i, ((y, d), row_loss)) in rows.zip(row_losses).enumerate() {
        let from = picked.row(i) * width;
        *row_loss = loss.row(y, Target::Values(&values[from..from + width]), d);
    }
}
