//! A delta in the place of its activation, with the gradient and the update of the weight between.

use std::ops::Range;

use super::dense::{Chain, bias_gradient, matrix};
use super::descent::UPDATE_FLOP;
use super::update::{Advance, Guarded};
use crate::device::cpu::crew::Crew;
use crate::device::cpu::gemm::{Beta, Lhs, MatMut, MatRef, Stream, Work};
use crate::device::cpu::guard::Seen;
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::op::{Op, Shape, StepArgs};
use crate::optim::Optimizer;

/// Halves meet at a multiple of this, where columns of any product can be cut.
const GRAIN: usize = 32;

/// The halves of so many units.
fn halves(units: usize) -> [Range<usize>; 2] {
    let middle = (units / 2).next_multiple_of(GRAIN);
    [0..middle, middle..units]
}

/// Makes room for a delta of this shape, of a layer with so many units above it.
pub(super) fn reserve(output: Shape, above: usize, crew: &mut Crew) {
    for half in halves(output.cols) {
        crew.reserve_whole([output.rows, half.len(), above]);
        crew.reserve_stream([half.len(), above, output.rows]);
        crew.reserve_half(output.rows * half.len());
    }
}

/// Executes an [`Op::Backward`] whose output is the memory of the gradient's input, and the gradient and update
/// of its weight.
pub(super) fn fold(
    [backward, gradient, update]: [&Op; 3],
    bank: &mut Bank,
    args: &StepArgs,
    crew: &mut Crew,
) {
    let Op::Backward { delta, activation, cached, .. } = *backward else { return };
    let Op::Gradient { input, bias, .. } = *gradient else { return };
    let Op::Update { optimizer, rate_factor, parameters, moments, .. } = *update else { return };
    let [first, second, third] = moments;
    let coefficients = &Optimizer::scaled(&args.coefficients, rate_factor);
    let (optimizer, seen, guard) = (&optimizer, Seen::default(), crew.guard);
    let (place, Shape { rows, cols: units }) = (input.source, input.source.shape);
    let above = delta.shape.cols;
    let written = [Some(parameters), first, second, third, Some(place)];
    bank.write_all(written, |bank, [weight, m, v, w, values]| {
        let delta = matrix(bank, delta);
        let cached =
            cached.filter(|cached| cached.buffer != place.buffer).map(|cached| bank.read(cached));
        let mut state = [weight, m, v, w];
        for half in halves(units) {
            let width = half.len();
            let mut room = crew.take_half();
            let deltas = &mut room[..rows * width];
            let b = MatRef::row_major(state[0], units, above).row_range(half.clone()).transposed();
            let c = MatMut::row_major(deltas, rows, width);
            let work = Work { a: Lhs::from(delta), b, c, beta: Beta::Overwrite, beside: [] };
            let cached = cached.unwrap_or(values);
            crew.multiply_whole(work, |row, col, run, []| {
                let cached = &cached[row * units + half.start + col..][..run.len()];
                vectorize(Chain { activation, cached: Some(cached), run });
            });

            let a = MatRef::row_major(values, rows, units).columns(half.clone());
            let part = half.start * above..half.end * above;
            let state = state.each_mut().map(|state| {
                let part = (!state.is_empty()).then(|| &mut state[part.clone()]);
                part.map(|part| MatMut::row_major(part, width, above))
            });
            let stream = Stream::new(Lhs::from(a).transposed(), delta, state);
            let guarded = Guarded { guard, seen: &seen, first: parameters.offset + part.start };
            crew.stream(stream, UPDATE_FLOP, |gradients, state| {
                Advance { optimizer, coefficients, state, gradients }.run(guarded);
            });

            let moved = values.chunks_exact_mut(units).zip(deltas.chunks_exact(width));
            crew.for_each(rows * width, moved, |(to, from)| to[half.clone()].copy_from_slice(from));
            crew.put_half(room);
        }
    });
    crew.guard.see(seen);
    bias_gradient(delta, bias, Beta::Overwrite, bank, crew);
}
