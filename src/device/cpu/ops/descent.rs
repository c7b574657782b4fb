//! A weight's gradient and its update in one pass over parameters and moments.

use super::dense::{bias_gradient, matrix, minibatch};
use super::pick_checked;
use crate::device::cpu::crew::Crew;
use crate::device::cpu::fuse::Descent;
use crate::device::cpu::gemm::{MatMut, Output, Work};
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::error::Result;
use crate::op::{Op, StepArgs};

/// Operations that an update takes as long as: Adam's root and quotient occupy the divider of
/// recent x86 processors for about 2.3 cycles an element, in which 70 multiply-adds are done.
const UPDATE_FLOP: usize = 140;

/// Executes the gradient, and the update in its epilogue.
pub(in crate::device::cpu) fn descend(
    descent: &Descent,
    bank: &mut Bank,
    args: &StepArgs,
    crew: &mut Crew,
) -> Result<()> {
    let Op::Gradient { input, delta, weight, bias } = descent.gradient else { return Ok(()) };
    let Op::Update { optimizer, parameters, first, second, .. } = descent.update else {
        return Ok(());
    };
    let shape = weight.shape;
    let runs = Output::can_be_runs(input.count);
    let views = [(!runs).then_some(weight), Some(parameters), first, second];
    bank.write_all(views, |bank, [gradient, parameters, first, second]| {
        let picked = pick_checked(&descent.gradient, &input, bank, args)?;
        let a = minibatch(bank, &input, picked).transposed();
        let as_matrix = |words| MatMut::row_major(words, shape.rows, shape.cols);
        let c = if runs {
            Output::runs(shape.rows, shape.cols)
        } else {
            Output::Matrix(as_matrix(gradient))
        };
        let beside = [parameters, first, second]
            .map(|words| if words.is_empty() { None } else { Some(as_matrix(words)) });
        let work = Work { a, b: matrix(bank, delta), c, beside };
        crew.multiply(work, UPDATE_FLOP, |_, _, gradients, [parameters, first, second]| {
            vectorize(|| {
                optimizer.update(&args.coefficients, parameters, gradients, first, second);
            });
        });
        Ok(())
    })?;
    bias_gradient(delta, bias, bank, crew);
    Ok(())
}
