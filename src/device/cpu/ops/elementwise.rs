//! Instructions that treat each element by itself.

use crate::device::cpu::crew::{CHUNK, Crew};
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::op::{BinaryOp, Op, View};

pub(super) fn execute(op: &Op, bank: &mut Bank, crew: &Crew) {
    match *op {
        Op::Fill { value, output } => bank.write(output, |_, out| out.fill(value)),
        Op::Binary { op, a, b, output } => bank.write(output, |bank, out| {
            let (a_values, b_values) = (bank.read(a), bank.read(b));
            vectorize(|| binary(op, a, a_values, b, b_values, out));
        }),
        Op::Scalar { op, a, scalar, output } => bank.write(output, |bank, out| {
            let a = bank.read(a);
            by_chunks(crew, a, out, |a, out| map2(op, a, |_| scalar, out));
        }),
        Op::Activate { activation, input, output } => bank.write(output, |bank, out| {
            let input = bank.read(input);
            by_chunks(crew, input, out, |input, out| activation.apply_to(input, out));
        }),
        Op::Differentiate { activation, input, output } => bank.write(output, |bank, out| {
            let input = bank.read(input);
            by_chunks(crew, input, out, |input, out| activation.differentiate_to(input, out));
        }),
        Op::Mismatch { a, b, relative, absolute, output } => bank.write(output, |bank, out| {
            let pairs = bank.read(a).iter().zip(bank.read(b));
            // Infinities match by equality alone: a relative tolerance of one has no bound.
            let close = |(a, b): &(&f32, &f32)| {
                let difference = (*a - *b).abs();
                a == b || (difference.is_finite() && difference <= absolute + relative * b.abs())
            };
            out[0] = pairs.filter(|pair| !close(pair)).count() as f32;
        }),
        _ => {}
    }
}

/// Computes `out` from `input` in chunks, on several threads if they are many.
fn by_chunks(
    crew: &Crew,
    input: &[f32],
    out: &mut [f32],
    work: impl Fn(&[f32], &mut [f32]) + Sync,
) {
    let chunks = input.chunks(CHUNK).zip(out.chunks_mut(CHUNK));
    crew.for_each(input.len(), chunks, |(input, out)| vectorize(|| work(input, out)));
}

fn binary(op: BinaryOp, a: View, a_values: &[f32], b: View, b_values: &[f32], out: &mut [f32]) {
    let cols = a.shape.cols;
    if b.shape == a.shape {
        return map2(op, a_values, |i| b_values[i], out);
    }
    let rows = a_values.chunks_exact(cols).zip(out.chunks_exact_mut(cols));
    for (i, (row, out)) in rows.enumerate() {
        let i = if b.shape.rows == 1 { 0 } else { i };
        if b.shape.cols == 1 {
            let scalar = b_values[i];
            map2(op, row, |_| scalar, out);
        } else {
            let b = &b_values[i * cols..(i + 1) * cols];
            map2(op, row, |j| b[j], out);
        }
    }
}

#[inline(always)]
fn map2(op: BinaryOp, a: &[f32], b: impl Fn(usize) -> f32, out: &mut [f32]) {
    for (i, (y, &a)) in out.iter_mut().zip(a).enumerate() {
        *y = op.apply(a, b(i));
    }
}
