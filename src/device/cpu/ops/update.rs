//! The optimizer's instructions.

use super::subnormal::flush;
use crate::device::cpu::chunks::Slices;
use crate::device::cpu::crew::{CHUNK, Crew};
use crate::device::cpu::guard::{Guard, PIECE, Seen};
use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::{Vectorized, vectorize};
use crate::op::{Op, StepArgs};
use crate::optim::Optimizer;

pub(super) fn execute(op: &Op, bank: &mut Bank, args: &StepArgs, crew: &mut Crew) {
    let (guard, seen) = (crew.guard, Seen::default());
    match *op {
        Op::Update { optimizer, rate_factor, parameters, gradients, moments } => {
            let [first, second, third] = moments;
            let coefficients = &Optimizer::scaled(&args.coefficients, rate_factor);
            let (optimizer, seen) = (&optimizer, &seen);
            bank.write_all([Some(parameters), first, second, third], |bank, state| {
                let g = bank.read(gradients).chunks(CHUNK);
                let chunks = Slices::new(state).chunks(CHUNK).zip(g).enumerate();
                crew.for_each(parameters.shape.len(), chunks, |(i, (state, gradients))| {
                    let first = parameters.offset + i * CHUNK;
                    let guarded = Guarded { guard, seen, first };
                    Advance { optimizer, coefficients, state, gradients }.run(guarded);
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
            let first = parameters.offset;
            bank.write(parameters, |bank, parameters| {
                let [p, d] = [parameter_norm, direction_norm].map(|norm| bank.read(norm)[0]);
                let trust = if p > 0.0 && d > 0.0 { p / d } else { 1.0 };
                let rate = args.coefficients[0] * rate_factor * trust;
                let pieces = parameters.chunks_mut(PIECE).zip(bank.read(direction).chunks(PIECE));
                let mut room = [0.0; PIECE];
                for (i, (piece, direction)) in pieces.enumerate() {
                    let before = guard.keep(piece, &mut room);
                    piece.iter_mut().zip(direction).for_each(|(p, d)| *p -= rate * d);
                    guard.settle(piece, before, first + i * PIECE, &seen);
                }
            });
        }
        _ => {}
    }
    crew.guard.see(seen);
}

/// What keeps the parameters of a part of an update finite.
#[derive(Clone, Copy)]
pub(super) struct Guarded<'a> {
    pub(super) guard: Guard,
    pub(super) seen: &'a Seen,
    /// The place of the first parameter.
    pub(super) first: usize,
}

/// Moves parameters and moments along gradients.
pub(super) struct Advance<'a> {
    pub(super) optimizer: &'a Optimizer,
    pub(super) coefficients: &'a [f32; 8],
    /// The parameters, and the moments that there are.
    pub(super) state: [&'a mut [f32]; 4],
    pub(super) gradients: &'a [f32],
}

impl Advance<'_> {
    /// Does so, with a look at the parameters if they are guarded.
    pub(super) fn run(self, guarded: Guarded<'_>) {
        if guarded.guard.is_open() {
            vectorize(Freely(self));
        } else {
            vectorize(Watched { advance: self, guarded });
        }
    }
}

/// An update whose parameters may become anything.
struct Freely<'a>(Advance<'a>);

impl Vectorized for Freely<'_> {
    type Output = ();

    /// A piece that fits the L1 cache at a time.
    #[inline(always)]
    fn run(self) {
        let Advance { optimizer, coefficients, state, gradients } = self.0;
        let pieces = Slices::new(state).chunks(PIECE);
        for ([parameters, m, v, w], gradients) in pieces.zip(gradients.chunks(PIECE)) {
            optimizer.update(coefficients, parameters, gradients, [&mut *m, &mut *v, &mut *w]);
            flush(m);
            flush(v);
            flush(w);
        }
    }
}

/// One whose parameters are to stay finite. Apart from the other, which compiles to better code alone.
struct Watched<'a> {
    advance: Advance<'a>,
    guarded: Guarded<'a>,
}

impl Vectorized for Watched<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Advance { optimizer, coefficients, state, gradients } = self.advance;
        let Guarded { guard, seen, mut first } = self.guarded;
        let mut room = [0.0; PIECE];
        let pieces = Slices::new(state).chunks(PIECE);
        for ([parameters, m, v, w], gradients) in pieces.zip(gradients.chunks(PIECE)) {
            let before = guard.keep(parameters, &mut room);
            optimizer.update(coefficients, parameters, gradients, [&mut *m, &mut *v, &mut *w]);
            guard.settle(parameters, before, first, seen);
            first += parameters.len();
            flush(m);
            flush(v);
            flush(w);
        }
    }
}
