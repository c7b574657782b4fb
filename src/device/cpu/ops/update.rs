//! The optimizer's instructions.

use super::subnormal::flush;
use crate::device::cpu::chunks::Slices;
use crate::device::cpu::crew::{CHUNK, Crew};
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::{Vectorized, vectorize};
use crate::op::{Op, StepArgs};
use crate::optim::Optimizer;

pub(super) fn execute(op: &Op, bank: &mut Bank, args: &StepArgs, crew: &Crew) {
    match *op {
        Op::Update { optimizer, rate_factor, parameters, gradients, moments } => {
            let [first, second, third] = moments;
            let coefficients = &Optimizer::scaled(&args.coefficients, rate_factor);
            bank.write_all([Some(parameters), first, second, third], |bank, state| {
                let g = bank.read(gradients).chunks(CHUNK);
                let chunks = Slices::new(state).chunks(CHUNK).zip(g);
                crew.for_each(parameters.shape.len(), chunks, |(state, gradients)| {
                    vectorize(Advance { optimizer: &optimizer, coefficients, state, gradients });
                });
            });
        }
        Op::Direction { optimizer: Optimizer::Lamb(lamb), parameters, gradients, moments } => {
            let [first, second, _] = moments;
            bank.write_all([Some(gradients), first, second], |bank, [g, m, v]| {
                let p = bank.read(parameters);
                vectorize(|| {
                    lamb.direction(&args.coefficients, p, g, m, v);
                    flush(m);
                    flush(v);
                });
            });
        }
        Op::TrustStep { rate_factor, parameters, direction, parameter_norm, direction_norm } => {
            bank.write(parameters, |bank, parameters| {
                let [p, d] = [parameter_norm, direction_norm].map(|norm| bank.read(norm)[0]);
                let trust = if p > 0.0 && d > 0.0 { p / d } else { 1.0 };
                let rate = args.coefficients[0] * rate_factor * trust;
                for (p, d) in parameters.iter_mut().zip(bank.read(direction)) {
                    *p -= rate * d;
                }
            });
        }
        _ => {}
    }
}

/// Moves parameters and moments along gradients.
pub(super) struct Advance<'a> {
    pub(super) optimizer: &'a Optimizer,
    pub(super) coefficients: &'a [f32; 8],
    /// The parameters, and the moments that there are.
    pub(super) state: [&'a mut [f32]; 4],
    pub(super) gradients: &'a [f32],
}

impl Vectorized for Advance<'_> {
    type Output = ();

    /// A piece that fits the L1 cache at a time.
    #[inline(always)]
    fn run(self) {
        const PIECE: usize = 1024;
        let Self { optimizer, coefficients, state, gradients } = self;
        let pieces = Slices::new(state).chunks(PIECE);
        for ([parameters, first, second, third], gradients) in pieces.zip(gradients.chunks(PIECE)) {
            let moments = [&mut *first, &mut *second, &mut *third];
            optimizer.update(coefficients, parameters, gradients, moments);
            flush(first);
            flush(second);
            flush(third);
        }
    }
}
