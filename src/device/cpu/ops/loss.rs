//! Losses by rows, the deltas they send back, their weights, and the record of a step's loss.

use std::ops::Range;

use super::subnormal::flush;
use super::{Picked, pick_checked};
use crate::device::cpu::guard::Guard;
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::{Vectorized, vectorize};
use crate::error::{Error, Result};
use crate::nn::{Loss, Target, TargetKind, cross_entropies};
use crate::op::{Op, StepArgs};

pub(super) fn execute(op: &Op, bank: &mut Bank, args: &StepArgs, guard: &mut Guard) -> Result<()> {
    match *op {
        Op::Weigh { weights, mean, output } => bank.write(output, |bank, out| {
            let picked = pick_checked(op, &weights, bank, args)?;
            weigh(bank.read(weights.source), weights.source.shape.cols, picked, mean, out);
            Ok(())
        }),
        Op::Loss { output, cached, targets, delta, row_losses, .. } => {
            bank.write_all([Some(delta), Some(row_losses)], |bank, [delta, row_losses]| {
                let picked = pick_checked(op, &targets, bank, args)?;
                let outputs = Outputs {
                    rows: 0..row_losses.len(),
                    values: bank.read(output),
                    cached: cached.map(|cached| bank.read(cached)),
                };
                losses(op, bank, picked, outputs, delta, row_losses)
            })
        }
        Op::Record { scale, row_losses, losses } => {
            bank.write(losses, |bank, out| {
                let sum = vectorize(|| sum(bank.read(row_losses)));
                let loss = (sum * f64::from(scale)) as f32;
                guard.see_loss(loss);
                out[args.slot as usize] = loss;
            });
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The sum of numbers: of every eighth first, as each addition waits for the one before.
#[inline(always)]
fn sum(numbers: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    let whole = numbers.chunks_exact(sums.len());
    let rest: f64 = whole.remainder().iter().map(|&x| f64::from(x)).sum();
    for numbers in whole {
        sums.iter_mut().zip(numbers).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    sums.iter().sum::<f64>() + rest
}

/// The first column, times rows over the sum of the last one for a mean.
fn weigh(weights: &[f32], cols: usize, picked: Picked<'_>, mean: bool, out: &mut [f32]) {
    let at = |i: usize, col: usize| weights[picked.row(i) * cols + col];
    let sum: f64 = (0..out.len()).map(|i| f64::from(at(i, cols - 1))).sum();
    let scale = match mean {
        false => 1.0,
        true if sum == 0.0 => 0.0,
        true => (out.len() as f64 / sum) as f32,
    };
    out.iter_mut().enumerate().for_each(|(i, y)| *y = scale * at(i, 0));
}

/// What a network has computed for some rows of a minibatch.
pub(super) struct Outputs<'a> {
    pub(super) rows: Range<usize>,
    /// Row after row.
    pub(super) values: &'a [f32],
    /// What the derivative of the last activation is computed from.
    pub(super) cached: Option<&'a [f32]>,
}

/// The losses of some rows of an [`Op::Loss`], and their deltas. `picked` are the rows of all targets.
pub(super) fn losses(
    op: &Op,
    bank: &Bank,
    picked: Picked,
    outputs: Outputs,
    delta: &mut [f32],
    row_losses: &mut [f32],
) -> Result<()> {
    let &Op::Loss { loss, activation, scale, output, targets, kind, weights, positive, .. } = op
    else {
        return Ok(());
    };
    let Outputs { rows, values: outputs, cached } = outputs;
    let picked = picked.part(rows.clone());
    match kind {
        TargetKind::Labels => {
            let labels = bank.read_u32(targets.source);
            let rows = Labels { labels, picked, classes: output.shape.cols };
            vectorize(Rows { loss, outputs, targets: rows, delta, row_losses })?;
        }
        TargetKind::Values => {
            let values = bank.read(targets.source);
            let rows = Values { values, picked, positive: positive.map(|view| bank.read(view)) };
            vectorize(Rows { loss, outputs, targets: rows, delta, row_losses });
        }
    }
    vectorize(|| {
        match weights {
            None => delta.iter_mut().for_each(|d| *d *= scale),
            Some(weights) => scale_rows(scale, &bank.read(weights)[rows], delta, row_losses),
        }
        if let Some(cached) = cached {
            activation.chain(cached, delta);
        }
        flush(delta);
    });
    Ok(())
}

/// The losses of all rows, and their gradients.
struct Rows<'a, T> {
    loss: Loss,
    outputs: &'a [f32],
    targets: T,
    delta: &'a mut [f32],
    row_losses: &'a mut [f32],
}

impl Vectorized for Rows<'_, Labels<'_>> {
    type Output = Result<()>;

    /// The usual loss has code of its own, for all rows at once.
    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { loss, outputs, targets, delta, row_losses } = self;
        let Labels { labels, picked, classes } = targets;
        let label = |i: usize| labels[picked.row(i)] as usize;
        if let Some(i) = (0..row_losses.len()).find(|&i| label(i) >= classes) {
            return Err(Error::Label { row: picked.row(i), label: label(i) as i64, classes });
        }
        if loss == Loss::CrossEntropy {
            cross_entropies(outputs, label, delta, row_losses);
            return Ok(());
        }
        let rows = outputs.chunks_exact(classes).zip(delta.chunks_exact_mut(classes));
        for (i, ((y, d), row_loss)) in rows.zip(row_losses).enumerate() {
            *row_loss = loss.row(y, Target::Label(label(i)), None, d);
        }
        Ok(())
    }
}

impl Vectorized for Rows<'_, Values<'_>> {
    type Output = ();

    /// The usual loss has code of its own, without a choice in each row.
    #[inline(always)]
    fn run(self) {
        let Self { loss, outputs, targets, delta, row_losses } = self;
        match loss {
            Loss::Mse => by_values(Loss::Mse, outputs, targets, delta, row_losses),
            _ => by_values(loss, outputs, targets, delta, row_losses),
        }
    }
}

/// Integer targets, and where each row's one is.
struct Labels<'a> {
    labels: &'a [u32],
    picked: Picked<'a>,
    classes: usize,
}

/// Targets as values, where each row's are, and the positive weights of the outputs.
struct Values<'a> {
    values: &'a [f32],
    picked: Picked<'a>,
    positive: Option<&'a [f32]>,
}

#[inline(always)]
fn by_values(
    loss: Loss,
    outputs: &[f32],
    targets: Values<'_>,
    delta: &mut [f32],
    row_losses: &mut [f32],
) {
    let Values { values, picked, positive } = targets;
    let width = outputs.len() / row_losses.len();
    if let (1, Picked::From(first)) = (width, picked) {
        // Elements side by side, and so vectors of them.
        let rows = outputs.chunks_exact(1).zip(delta.chunks_exact_mut(1)).zip(row_losses);
        for (((y, d), row_loss), t) in rows.zip(values[first..].chunks_exact(1)) {
            *row_loss = loss.row(y, Target::Values(t), positive, d);
        }
        return;
    }
    let rows = outputs.chunks_exact(width).zip(delta.chunks_exact_mut(width));
    for (i, ((y, d), row_loss)) in rows.zip(row_losses).enumerate() {
        let from = picked.row(i) * width;
        *row_loss = loss.row(y, Target::Values(&values[from..from + width]), positive, d);
    }
}

/// Rows times their weights. A row of weight 0 is left out even where its loss is not finite.
#[inline(always)]
fn scale_rows(scale: f32, weights: &[f32], delta: &mut [f32], row_losses: &mut [f32]) {
    let rows = delta.chunks_exact_mut(delta.len() / row_losses.len());
    for ((d, row_loss), &weight) in rows.zip(row_losses).zip(weights) {
        if weight == 0.0 {
            d.fill(0.0);
            *row_loss = 0.0;
        } else {
            d.iter_mut().for_each(|d| *d *= scale * weight);
            *row_loss *= weight;
        }
    }
}
