//! Matrix products and what is done to their results while they are in cache.

use super::narrow::{Sums, add_to_rows};
use super::subnormal::flush;
use super::{Picked, pick_checked};
use crate::device::cpu::crew::{CHUNK, Crew};
use crate::device::cpu::gemm::{Beta, Lhs, MatMut, MatRef, Work};
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::{Vectorized, vectorize};
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

pub(super) fn execute(op: &Op, bank: &mut Bank, args: &StepArgs, crew: &mut Crew) -> Result<()> {
    let beta = Beta::Overwrite;
    match *op {
        Op::Matmul { a, b, transpose_a, transpose_b, output } => {
            bank.write(output, |bank, out| {
                let a = Lhs::from(matrix(bank, a));
                let a = if transpose_a { a.transposed() } else { a };
                let b = matrix(bank, b);
                let b = if transpose_b { b.transposed() } else { b };
                let work = Work { a, b, c: target(out, output), beta, beside: [] };
                crew.multiply(work, |_, _, _, []| ());
            });
            Ok(())
        }
        Op::Dense { .. } => dense(op, bank, args, crew),
        Op::Backward { delta, weight, activation, cached, output } => {
            bank.write(output, |bank, out| {
                let (d, w) = (Lhs::from(matrix(bank, delta)), matrix(bank, weight).transposed());
                let cached = cached.map(|cached| bank.read(cached));
                let cols = output.shape.cols;
                let work = Work { a: d, b: w, c: target(out, output), beta, beside: [] };
                crew.multiply(work, |row, col, run, []| {
                    let cached = cached.map(|cached| &cached[row * cols + col..][..run.len()]);
                    vectorize(Chain { activation, cached, run });
                });
            });
            Ok(())
        }
        Op::Gradient { accumulate, input, delta, weight, bias } => {
            let beta = if accumulate { Beta::Accumulate } else { Beta::Overwrite };
            bank.write(weight, |bank, out| {
                let picked = pick_checked(op, &input, bank, args)?;
                let a = minibatch(bank, &input, picked).transposed();
                let (b, c) = (matrix(bank, delta), target(out, weight));
                crew.multiply(Work { a, b, c, beta, beside: [] }, |_, _, _, []| ());
                Ok(())
            })?;
            bias_gradient(delta, bias, beta, bank, crew);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A dense layer forward. Where the activation's input is kept, the product goes there, and the
/// activation's value beside it.
fn dense(op: &Op, bank: &mut Bank, args: &StepArgs, crew: &mut Crew) -> Result<()> {
    let Op::Dense { input, weight, bias, activation, pre, output } = *op else { return Ok(()) };
    let beta = Beta::Overwrite;
    bank.write_all([Some(output), pre], |bank, [out, sums]| {
        let picked = pick_checked(op, &input, bank, args)?;
        let (a, b) = (minibatch(bank, &input, picked), matrix(bank, weight));
        let bias = bias.map(|bias| bank.read(bias));
        let Some(pre) = pre else {
            let work = Work { a, b, c: target(out, output), beta, beside: [] };
            crew.multiply(work, |_, col, run, []| {
                vectorize(Finish { bias, activation, col, run, beside: None });
            });
            return Ok(());
        };
        let beside = [Some(target(out, output))];
        let work = Work { a, b, c: target(sums, pre), beta, beside };
        crew.multiply(work, |_, col, run, [out]| {
            vectorize(Finish { bias, activation, col, run, beside: Some(out) });
        });
        Ok(())
    })
}

/// Whether an activation's value may be far smaller than its argument.
const fn shrinks(activation: Activation) -> bool {
    !matches!(activation, Activation::Identity | Activation::Relu | Activation::Tanh)
}

/// The sums of the columns of a delta.
pub(super) fn bias_gradient(
    delta: View,
    bias: Option<View>,
    beta: Beta,
    bank: &mut Bank,
    crew: &Crew,
) {
    let Some(bias) = bias else { return };
    bank.write(bias, |bank, out| {
        let (delta, cols) = (bank.read(delta), out.len());
        // Whole cache lines of a row, as each thread reads its columns of every row.
        let width = (CHUNK * cols / delta.len()).clamp(1, cols).next_multiple_of(16);
        let parts = out.chunks_mut(width).enumerate();
        crew.for_each(delta.len(), parts, |(i, out)| {
            vectorize(Sums { matrix: delta, cols, first: i * width, beta, out });
        });
    });
}

pub(super) fn matrix<'a>(bank: &'a Bank, view: View) -> MatRef<'a> {
    MatRef::row_major(bank.read(view), view.shape.rows, view.shape.cols)
}

fn target(out: &mut [f32], view: View) -> MatMut<'_> {
    MatMut::row_major(out, view.shape.rows, view.shape.cols)
}

pub(super) fn minibatch<'a>(bank: &'a Bank, rows: &Rows, picked: Picked<'a>) -> Lhs<'a> {
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

/// The epilogue of a dense layer, on part of a row that begins at column `col`, or on whole rows.
pub(super) struct Finish<'a> {
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: Activation,
    pub(super) col: usize,
    pub(super) run: &'a mut [f32],
    /// Where the activation's value goes, if its input is kept.
    pub(super) beside: Option<&'a mut [f32]>,
}

impl Vectorized for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { bias, activation, col, run, beside } = self;
        if let Some(bias) = bias {
            add_to_rows(&bias[col..], run);
        }
        let value = match beside {
            Some(value) => {
                activation.apply_to(run, value);
                value
            }
            None => {
                activation.apply(run);
                run
            }
        };
        if shrinks(activation) {
            flush(value);
        }
    }
}

/// The epilogue of a backward pass.
pub(super) struct Chain<'a> {
    pub(super) activation: Activation,
    pub(super) cached: Option<&'a [f32]>,
    pub(super) run: &'a mut [f32],
}

impl Vectorized for Chain<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        if let Some(cached) = self.cached {
            self.activation.chain(cached, self.run);
        }
        flush(self.run);
    }
}
