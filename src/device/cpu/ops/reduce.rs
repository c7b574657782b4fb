//! Reductions and softmax. Sums run over 16 interleaved partial sums, which vector code can keep
//! and which err less than one long sum; their order is fixed.

use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::nn::Real;
use crate::op::{Axis, Op, Reduction, argmax};

const LANES: usize = 16;

pub(super) fn execute(op: &Op, bank: &mut Bank) {
    match *op {
        Op::Softmax { logarithm, input, output } => bank.write(output, |bank, out| {
            let cols = input.shape.cols;
            let rows = bank.read(input).chunks_exact(cols).zip(out.chunks_exact_mut(cols));
            vectorize(|| rows.for_each(|(row, out)| softmax(logarithm, row, out)));
        }),
        Op::Reduce { reduction, axis, input, output } => bank.write(output, |bank, out| {
            let (values, cols) = (bank.read(input), input.shape.cols);
            vectorize(|| match axis {
                Axis::All => out[0] = reduce(reduction, values),
                Axis::Rows => {
                    let rows = values.chunks_exact(cols);
                    rows.zip(out).for_each(|(row, y)| *y = reduce(reduction, row));
                }
                Axis::Columns => reduce_columns(reduction, values, out),
            });
        }),
        _ => {}
    }
}

/// e^(x - max) / sum, or x - max - ln sum.
#[inline(always)]
fn softmax(logarithm: bool, row: &[f32], out: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (y, &x) in out.iter_mut().zip(row) {
        *y = Real::exp(x - largest);
    }
    let sum = sum(out, |y| y);
    if logarithm {
        let shift = largest + sum.ln();
        out.iter_mut().zip(row).for_each(|(y, &x)| *y = x - shift);
    } else {
        out.iter_mut().for_each(|y| *y /= sum);
    }
}

#[inline(always)]
fn reduce(reduction: Reduction, values: &[f32]) -> f32 {
    match reduction {
        Reduction::Sum => sum(values, |x| x),
        Reduction::Mean => sum(values, |x| x) / values.len() as f32,
        Reduction::Norm => sum(values, |x| x * x).sqrt(),
        Reduction::Max => values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        Reduction::Min => values.iter().copied().fold(f32::INFINITY, f32::min),
        Reduction::Argmax => argmax(values.iter().copied()) as f32,
    }
}

#[inline(always)]
fn sum(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|&x| term(x)).sum();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += term(x);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0] + rest
}

#[inline(always)]
fn reduce_columns(reduction: Reduction, values: &[f32], out: &mut [f32]) {
    let cols = out.len();
    let rows = values.chunks_exact(cols);
    let count = rows.len() as f32;
    let mut fold = |start: f32, combine: fn(f32, f32) -> f32| {
        out.fill(start);
        for row in values.chunks_exact(cols) {
            out.iter_mut().zip(row).for_each(|(y, &x)| *y = combine(*y, x));
        }
    };
    match reduction {
        Reduction::Sum | Reduction::Mean => fold(0.0, |sum, x| sum + x),
        Reduction::Norm => fold(0.0, |sum, x| sum + x * x),
        Reduction::Max => fold(f32::NEG_INFINITY, f32::max),
        Reduction::Min => fold(f32::INFINITY, f32::min),
        Reduction::Argmax => {
            for (j, y) in out.iter_mut().enumerate() {
                *y = argmax(rows.clone().map(|row| row[j])) as f32;
            }
        }
    }
    match reduction {
        Reduction::Mean => out.iter_mut().for_each(|y| *y /= count),
        Reduction::Norm => out.iter_mut().for_each(|y| *y = y.sqrt()),
        _ => {}
    }
}
