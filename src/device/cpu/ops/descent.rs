//! A weight's gradient and its update in one pass over parameters and moments.

use super::dense::{bias_gradient, matrix, minibatch};
use super::pick_checked;
use super::update::{Advance, Guarded};
use crate::device::cpu::crew::Crew;
use crate::device::cpu::gemm::{Beta, MatMut, Stream};
use crate::device::cpu::guard::Seen;
use crate::device::cpu::memory::Bank;
use crate::error::Result;
use crate::op::{Op, Shape, StepArgs};
use crate::optim::Optimizer;

/// Operations that an update takes as long as: Adam's root and quotient occupy the divider of
/// recent x86 processors for about 2.3 cycles an element, in which 70 multiply-adds are done.
pub(super) const UPDATE_FLOP: usize = 140;

/// The least elements of a weight for which one pass is better than two: fewer stay in the L1
/// cache between the two.
const LEAST: usize = 4096;

/// Whether a gradient and its update are better put together.
pub(in crate::device::cpu) fn can_descend(gradient: &Op) -> bool {
    let Op::Gradient { accumulate: false, weight, .. } = *gradient else { return false };
    weight.shape.len() >= LEAST
}

/// Executes a gradient, and the update of its weight in the gradient's epilogue.
pub(super) fn descend(
    gradient: &Op,
    update: &Op,
    bank: &mut Bank,
    args: &StepArgs,
    crew: &mut Crew,
) -> Result<()> {
    let Op::Gradient { input, delta, weight, bias, .. } = *gradient else { return Ok(()) };
    let Op::Update { optimizer, rate_factor, parameters, moments, .. } = *update else {
        return Ok(());
    };
    let [first, second, third] = moments;
    let coefficients = &Optimizer::scaled(&args.coefficients, rate_factor);
    let (optimizer, seen) = (&optimizer, Seen::default());
    // Blocks do not know their place: the weight is named by its first element.
    let guarded = Guarded { guard: crew.guard, seen: &seen, first: parameters.offset };
    bank.write_all([Some(parameters), first, second, third], |bank, beside| {
        let picked = pick_checked(gradient, &input, bank, args)?;
        let a = minibatch(bank, &input, picked).transposed();
        let Shape { rows, cols } = weight.shape;
        let state =
            beside.map(|state| (!state.is_empty()).then(|| MatMut::row_major(state, rows, cols)));
        let stream = Stream::new(a, matrix(bank, delta), state);
        crew.stream(stream, UPDATE_FLOP, |gradients, state| {
            Advance { optimizer, coefficients, state, gradients }.run(guarded);
        });
        Ok(())
    })?;
    crew.guard.see(seen);
    bias_gradient(delta, bias, Beta::Overwrite, bank, crew);
    Ok(())
}
