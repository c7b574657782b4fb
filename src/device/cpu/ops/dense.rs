//! Matrix products and what is done to their results while they are in cache.

use super::{Picked, pick_checked};
use crate::device::cpu::gemm::{Beta, Lhs, MatMut, MatRef, Scratch, gemm};
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::error::Result;
use crate::nn::Activation;
use crate::op::{Op, Rows, StepArgs, View};

/// The product (m, n, k) that an instruction computes, for reserving scratch memory.
pub(super) fn product(op: &Op) -> Option<[usize; 3]> {
    let of = |output: View, k: usize| Some([output.shape.rows, output.shape.cols, k]);
    match *op {
        Op::Matmul { a, output, transpose_a, .. } => {
            of(output, if transpose_a { a.shape.rows } else { a.shape.cols })
        }
        Op::Dense { weight, output, .. } => of(output, weight.shape.rows),
        Op::Backward { weight, output, .. } => of(output, weight.shape.cols),
        Op::Gradient { delta, weight, .. } => of(weight, delta.shape.rows),
        _ => None,
    }
}

pub(super) fn execute(
    op: &Op,
    bank: &mut Bank,
    args: &StepArgs,
    scratch: &mut Scratch,
) -> Result<()> {
    match *op {
        Op::Matmul { a, b, transpose_a, transpose_b, output } => {
            bank.write(output, |bank, out| {
                let a = Lhs::from(matrix(bank, a));
                let a = if transpose_a { a.transposed() } else { a };
                let b = matrix(bank, b);
                let b = if transpose_b { b.transposed() } else { b };
                gemm(a, b, target(out, output), Beta::Overwrite, |_, _, _| (), scratch);
            });
            Ok(())
        }
        Op::Dense { input, weight, bias, activation, pre, output } => {
            let sums = pre.unwrap_or(output);
            bank.write(sums, |bank, out| {
                let picked = pick_checked(op, &input, bank, args)?;
                let x = minibatch(bank, &input, picked);
                let (w, c) = (matrix(bank, weight), target(out, sums));
                let bias = bias.map(|bias| bank.read(bias));
                let inner = if pre.is_none() { activation } else { Activation::Identity };
                let finish = |_, col: usize, run: &mut [f32]| {
                    vectorize(|| add_bias(bias, inner, col, run));
                };
                gemm(x, w, c, Beta::Overwrite, finish, scratch);
                Ok(())
            })?;
            if let Some(pre) = pre {
                bank.write(output, |bank, out| {
                    let sums = bank.read(pre);
                    vectorize(|| activation.apply_to(sums, out));
                });
            }
            Ok(())
        }
        Op::Backward { delta, weight, activation, cached, output } => {
            bank.write(output, |bank, out| {
                let (d, w) = (Lhs::from(matrix(bank, delta)), matrix(bank, weight).transposed());
                let cached = cached.map(|cached| bank.read(cached));
                let cols = output.shape.cols;
                let finish = |row: usize, col: usize, run: &mut [f32]| {
                    if let Some(cached) = cached {
                        let from = row * cols + col;
                        let cached = &cached[from..from + run.len()];
                        vectorize(|| activation.chain(cached, run));
                    }
                };
                gemm(d, w, target(out, output), Beta::Overwrite, finish, scratch);
            });
            Ok(())
        }
        Op::Gradient { accumulate, input, delta, weight, bias } => {
            let beta = if accumulate { Beta::Accumulate } else { Beta::Overwrite };
            bank.write(weight, |bank, out| {
                let picked = pick_checked(op, &input, bank, args)?;
                let x = minibatch(bank, &input, picked).transposed();
                let d = matrix(bank, delta);
                gemm(x, d, target(out, weight), beta, |_, _, _| (), scratch);
                Ok(())
            })?;
            if let Some(bias) = bias {
                bank.write(bias, |bank, out| {
                    let delta = bank.read(delta);
                    vectorize(|| {
                        if !accumulate {
                            out.fill(0.0);
                        }
                        add_rows(delta, out);
                    });
                });
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn matrix(bank: &Bank, view: View) -> MatRef<'_> {
    MatRef::row_major(bank.read(view), view.shape.rows, view.shape.cols)
}

fn target(out: &mut [f32], view: View) -> MatMut<'_> {
    MatMut::new(out, view.shape.rows, view.shape.cols, view.shape.cols)
}

fn minibatch<'a>(bank: &'a Bank, rows: &Rows, picked: Picked<'a>) -> Lhs<'a> {
    let source = rows.source;
    match picked {
        Picked::Listed(order) => Lhs::gathered(matrix(bank, source), order),
        Picked::From(first) => {
            let cols = source.shape.cols;
            let data = &bank.read(source)[first * cols..(first + rows.count) * cols];
            MatRef::row_major(data, rows.count, cols).into()
        }
    }
}

/// z + bias, then the activation, on part of a row that begins at column `col`.
#[inline(always)]
fn add_bias(bias: Option<&[f32]>, activation: Activation, col: usize, run: &mut [f32]) {
    if let Some(bias) = bias {
        for (z, b) in run.iter_mut().zip(&bias[col..]) {
            *z += b;
        }
    }
    activation.apply(run);
}

/// Adds the rows of a matrix to a row, one after the other.
#[inline(always)]
fn add_rows(matrix: &[f32], out: &mut [f32]) {
    for row in matrix.chunks_exact(out.len()) {
        for (sum, x) in out.iter_mut().zip(row) {
            *sum += x;
        }
    }
}
