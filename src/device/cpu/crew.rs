//! Who executes instructions: the threads of a pool, each with memory to pack operands in.
//!
//! Work is shared when it is large enough to pay for it. How it is cut depends on its shape and on
//! the number of threads, what is computed for an element does not: results are bitwise the same
//! for any number of threads.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use super::gemm::{self, Cuttable, Engine, SHARED_FLOP, Stream, Terms, Work};
use super::guard::Guard;
use super::ops::Sums;
use super::pool::{Pool, lock};
use super::room::Room;
use super::tuner::{team_with, teams};
use super::vectorize::vectorize;

/// Elements of which each takes a few operations and comes from memory: as [`SHARED_FLOP`].
const SHARED_ELEMENTS: usize = 1 << 16;
/// Elements that a thread takes at a time: 64 KiB, so that a late thread leaves little to wait for.
pub(super) const CHUNK: usize = 1 << 14;

/// The threads, and each one's memory.
pub(super) struct Crew {
    pool: Arc<Pool>,
    /// How many of the threads share work, at least one.
    pub(super) team: usize,
    /// Whether there was any to share.
    shares: Cell<bool>,
    scratch: Vec<Mutex<gemm::Scratch>>,
    /// The terms of a product that is a sum of products.
    terms: Vec<f32>,
    /// Half of a delta.
    half: Room,
    pub(super) guard: Guard,
}

impl Crew {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        let team = pool.threads();
        Self {
            pool,
            team,
            shares: Cell::new(false),
            scratch: (0..team).map(|_| Mutex::default()).collect(),
            terms: Vec::new(),
            half: Room::default(),
            guard: Guard::default(),
        }
    }

    /// Whether any work has been large enough to be shared.
    pub(super) const fn shares(&self) -> bool {
        self.shares.get()
    }

    /// How many threads share work, if it pays.
    fn sharing(&self, pays: bool) -> usize {
        if !pays {
            return 1;
        }
        self.shares.set(true);
        self.team
    }

    /// Makes room for a product (m, n, k), which then allocates nothing.
    pub(super) fn reserve(&mut self, [m, n, k]: [usize; 3]) {
        let terms = Terms::count(m, n, k);
        if terms > 1 {
            self.terms.resize(self.terms.len().max(terms * m * n), 0.0);
        }
        self.reserve_whole([m, n, k]);
    }

    /// The same for one that is never a sum of terms.
    pub(super) fn reserve_whole(&mut self, [m, n, k]: [usize; 3]) {
        let engine = Engine::of(m, n, k);
        for (thread, scratch) in self.scratch.iter_mut().enumerate() {
            // In a larger team the part is smaller. The caller may have to work alone.
            let team = team_with(thread, self.pool.threads());
            let (m, n) = gemm::part([m, n, k], team);
            engine.reserve(m, n, k, scratch.get_mut().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Computes a product; for the epilogue see [`Work::run`].
    pub(super) fn multiply<const N: usize>(
        &mut self,
        work: Work<'_, '_, N>,
        epilogue: impl Fn(usize, usize, &mut [f32], [&mut [f32]; N]) + Sync,
    ) {
        match work.terms() {
            1 => self.multiply_whole(work, epilogue),
            count => self.sum(count, work, epilogue),
        }
    }

    /// The same, never as a sum of terms.
    pub(super) fn multiply_whole<const N: usize>(
        &mut self,
        work: Work<'_, '_, N>,
        epilogue: impl Fn(usize, usize, &mut [f32], [&mut [f32]; N]) + Sync,
    ) {
        let (team, engine) = (self.sharing(work.cost() >= SHARED_FLOP), work.engine());
        if team == 1 {
            let scratch = self.scratch[0].get_mut().unwrap_or_else(PoisonError::into_inner);
            return work.run(engine, epilogue, scratch);
        }
        let scratch = &self.scratch;
        self.pool.for_each(team, work.parts(team), |thread, part| {
            // Nobody else locks it: thread numbers are distinct.
            let mut scratch = lock(&scratch[thread]);
            part.run(engine, &epilogue, &mut scratch);
        });
    }

    /// Computes a product as a sum of `count` products, added in their order.
    fn sum<const N: usize>(
        &mut self,
        count: usize,
        work: Work<'_, '_, N>,
        epilogue: impl Fn(usize, usize, &mut [f32], [&mut [f32]; N]) + Sync,
    ) {
        let ((m, n), beta, team) = (work.shape(), work.beta, self.sharing(true));
        self.terms.resize(self.terms.len().max(count * m * n), 0.0);
        let product = Terms { a: work.a, b: work.b };
        let own = Terms::own(count, team);
        let parts = self.terms[..count * m * n].chunks_mut(own * m * n).enumerate();
        let scratch = &self.scratch;
        self.pool.for_each(team, parts, |thread, (part, terms)| {
            let mut scratch = lock(&scratch[thread]);
            for (i, term) in terms.chunks_exact_mut(m * n).enumerate() {
                product.run(part * own + i, count, term, &mut scratch);
            }
        });
        let terms = &self.terms[..count * m * n];
        let add = |row: usize, col: usize, run: &mut [f32], beside: [&mut [f32]; N]| {
            // The terms are the rows of a matrix, of which this run is some columns.
            let first = row * n + col;
            vectorize(Sums { matrix: terms, cols: m * n, first, beta, out: &mut *run });
            epilogue(row, col, run, beside);
        };
        match self.sharing(count * m * n >= SHARED_ELEMENTS) {
            1 => work.rows(add),
            team => self.pool.for_each(team, work.parts(team), |_, part| part.rows(add)),
        }
    }

    /// Computes a product in blocks that are not kept: see [`Stream::run`].
    pub(super) fn stream<const N: usize>(
        &mut self,
        stream: Stream<'_, '_, N>,
        extra: usize,
        epilogue: impl Fn(&mut [f32], [&mut [f32]; N]) + Sync,
    ) {
        let team = self.sharing(stream.cost(extra) >= SHARED_FLOP);
        if team == 1 {
            let scratch = self.scratch[0].get_mut().unwrap_or_else(PoisonError::into_inner);
            return stream.blocks(1).for_each(|block| block.run(&epilogue, scratch));
        }
        let scratch = &self.scratch;
        self.pool.for_each(team, stream.blocks(team), |thread, block| {
            let mut scratch = lock(&scratch[thread]);
            block.run(&epilogue, &mut scratch);
        });
    }

    /// Makes room for half of a delta.
    pub(super) fn reserve_half(&mut self, words: usize) {
        self.half.grow(words);
    }

    /// Takes it, as products need the rest meanwhile.
    pub(super) fn take_half(&mut self) -> Room {
        std::mem::take(&mut self.half)
    }

    /// Puts it back.
    pub(super) fn put_half(&mut self, half: Room) {
        self.half = half;
    }

    /// Makes room for a stream (m, n, k).
    pub(super) fn reserve_stream(&mut self, shape: [usize; 3]) {
        for scratch in &mut self.scratch {
            let scratch = scratch.get_mut().unwrap_or_else(PoisonError::into_inner);
            for team in teams(self.pool.threads()) {
                Stream::<0>::reserve(shape, team, scratch);
            }
        }
    }

    /// Calls `work` for every item, on all threads if there are many `elements` in the items.
    pub(super) fn for_each<I>(&self, elements: usize, items: I, work: impl Fn(I::Item) + Sync)
    where
        I: DoubleEndedIterator + Send,
    {
        match self.sharing(elements >= SHARED_ELEMENTS) {
            1 => items.for_each(work),
            team => self.pool.for_each(team, items, |_, item| work(item)),
        }
    }
}
