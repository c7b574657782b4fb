//! Products as work that threads can share.

use super::cut::{Cut, Cuttable, Parts};
use super::engine::{Engine, Operands};
use super::runs::RUN;
use super::{Beta, Lhs, MatMut, MatRef, Scratch};

/// A product `C = A.B`, or `C += A.B`, and matrices of C's shape whose elements its epilogue needs.
#[derive(Debug)]
pub(crate) struct Work<'a, 'c, const N: usize> {
    pub(crate) a: Lhs<'a>,
    pub(crate) b: MatRef<'a>,
    pub(crate) c: MatMut<'c>,
    pub(crate) beta: Beta,
    /// A matrix that is not there has empty runs.
    pub(crate) beside: [Option<MatMut<'c>>; N],
}

/// Floating-point operations for which calling a worker pays: 30 microseconds' worth on one core,
/// where a worker that spins answers in one microsecond, and one that is parked in about ten.
pub(crate) const SHARED_FLOP: usize = 4_000_000;

/// Operations that an element of C takes as long as: half a nanosecond, in which its epilogue reads a bias or an
/// activation and what it leaves is stored.
const OUTPUT_FLOP: usize = 60;

/// How long a product (m, n, k) takes, in the floating-point operations that one core would do in
/// that time: columns fill vectors, and an element of A comes from memory at 12 GB/s, a third of a
/// nanosecond.
pub(super) fn cost(m: usize, n: usize, k: usize) -> usize {
    let element = 2 * n.next_multiple_of(16) + 40;
    m.saturating_mul(k).saturating_mul(element)
}

/// The shape of the largest of at most `parts` parts of a product (m, n, k).
pub(crate) fn part([m, n, k]: [usize; 3], parts: usize) -> (usize, usize) {
    match Cut::of(m, n, Engine::of(m, n, k), parts) {
        Cut::Rows(rows) => (rows.min(m), n),
        // A last column may come to the others.
        Cut::Cols(cols) => (m, (cols + 1).min(n)),
    }
}

impl<'a, 'c, const N: usize> Work<'a, 'c, N> {
    /// What is to compute the product and all of its parts.
    pub(crate) fn engine(&self) -> Engine {
        let (m, n) = self.shape();
        Engine::of(m, n, self.b.rows())
    }

    /// How long the product and its epilogue take, in floating-point operations.
    pub(crate) fn cost(&self) -> usize {
        let (m, n) = self.shape();
        cost(m, n, self.b.rows()) + m * n * OUTPUT_FLOP
    }

    /// How many terms the product is a sum of. A weight's gradient, whose A is a minibatch transposed, is always one
    /// product, as its blocks are where it goes to its update at once.
    pub(crate) fn terms(&self) -> usize {
        let ((m, n), k) = (self.shape(), self.b.rows());
        if self.a.columns_are_runs() {
            1
        } else if self.b.is_transposed() {
            Terms::back([m, n, k])
        } else {
            Terms::count(m, n, k)
        }
    }

    /// Computes the product with the engine of the whole that it is a part of.
    ///
    /// `epilogue(row, col, run, beside)` is called once for every element of C, when it is final:
    /// `run` holds the elements (row, col), (row, col + 1) and so on, and `beside` the elements of
    /// the other matrices at the same place. Rows and columns are those of the matrix that C was
    /// cut from, if it is a part. Runs come in no particular order; they end where strips of columns
    /// do, or hold several whole rows.
    ///
    /// # Panics
    /// If the shapes disagree.
    pub(crate) fn run(
        self,
        engine: Engine,
        mut epilogue: impl FnMut(usize, usize, &mut [f32], [&mut [f32]; N]),
        scratch: &mut Scratch,
    ) {
        let Self { a, b, c, beta, mut beside } = self;
        let (first_row, first_col) = c.origin();
        let with_beside = |row: usize, col: usize, run: &mut [f32]| {
            let (i, j, len) = (row - first_row, col - first_col, run.len());
            epilogue(row, col, run, runs(&mut beside, (i, j), len));
        };
        engine.run(Operands { a, b, c, beta, stream: None }, with_beside, scratch);
    }

    /// Calls `work` for all rows of C, several together where they lie side by side, with their place as for
    /// [`Work::run`] and those of the other matrices.
    pub(crate) fn rows(mut self, mut work: impl FnMut(usize, usize, &mut [f32], [&mut [f32]; N])) {
        let ((m, n), (row, col)) = (self.shape(), self.c.origin());
        let together = if self.c.is_contiguous() { (RUN / n.max(1)).max(1) } else { 1 };
        for i in (0..m).step_by(together) {
            let len = together.min(m - i) * n;
            let beside = runs(&mut self.beside, (i, 0), len);
            work(row + i, col, self.c.run(i, 0, len), beside);
        }
    }

    /// The product in at most `count` parts.
    pub(crate) fn parts(self, count: usize) -> Parts<Self> {
        let (m, n) = self.shape();
        let cut = Cut::of(m, n, self.engine(), count);
        Parts::new(self, cut)
    }
}

impl<const N: usize> Cuttable for Work<'_, '_, N> {
    fn shape(&self) -> (usize, usize) {
        (self.c.rows(), self.c.cols())
    }

    fn take_rows(&mut self, rows: usize) -> Self {
        let a = self.a.take_rows(rows);
        let beside = take(&mut self.beside, |matrix| matrix.take_rows(rows));
        Self { a, b: self.b, c: self.c.take_rows(rows), beta: self.beta, beside }
    }

    fn take_cols(&mut self, cols: usize) -> Self {
        let b = self.b.take_cols(cols);
        let beside = take(&mut self.beside, |matrix| matrix.take_cols(cols));
        Self { a: self.a, b, c: self.c.take_cols(cols), beta: self.beta, beside }
    }
}

/// Takes a part of each matrix off.
pub(super) fn take<'c, const N: usize>(
    matrices: &mut [Option<MatMut<'c>>; N],
    part: impl Fn(&mut MatMut<'c>) -> MatMut<'c>,
) -> [Option<MatMut<'c>>; N] {
    matrices.each_mut().map(|matrix| matrix.as_mut().map(&part))
}

/// Elements (i, j), (i, j + 1) and so on of each matrix; none of those that are not there.
pub(super) fn runs<'m, const N: usize>(
    matrices: &'m mut [Option<MatMut<'_>>; N],
    (i, j): (usize, usize),
    len: usize,
) -> [&'m mut [f32]; N] {
    matrices.each_mut().map(|matrix| match matrix {
        Some(matrix) => matrix.run(i, j, len),
        None => <&mut [f32]>::default(),
    })
}

/// A product with few rows and many steps of k, as the sum of products with fewer.
///
/// It is cut there for any number of threads, so the sum does not depend on it. Each part reads its
/// own rows of B: those that the same thread has updated, if B is a weight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) a: Lhs<'a>,
    pub(crate) b: MatRef<'a>,
}

impl<'a> Terms<'a> {
    /// The most elements of a term that stays in a cache: half a megabyte.
    const MOST_OUTPUTS: usize = 1 << 17;

    /// The number of terms of a product (m, n, k); one if it is not cut. Two keep each of two
    /// threads with its half of B at the least cost; more, of long ones, are for more threads.
    ///
    /// Where caches are not shared, a line that two cores use comes to each from the other, once a step for the
    /// reader and once for the writer: half of a weight that is cut otherwise than its update, or half of the terms.
    /// So they pay if they are fewer than the weight's elements, and stay in a cache. Of more rows, threads that
    /// share k also spare each other a quarter of A, which a weight gradient reads by columns again.
    pub(crate) fn count(m: usize, n: usize, k: usize) -> usize {
        let count = match k {
            0..192 => 1,
            192..3072 => 2,
            _ => 4,
        };
        let outputs = m.saturating_mul(n);
        let fewer = m.saturating_mul(count) <= k && outputs <= Self::MOST_OUTPUTS;
        let few = m <= 64 && outputs <= 1 << 14;
        let spared = k.saturating_mul(n) / 2 + m.saturating_mul(k) / 4;
        let pays = few || fewer || 2 * count * outputs <= spared;
        let is_shared = cost(m, n, k) >= SHARED_FLOP;
        if pays && is_shared && !Engine::of(m, n, k).packs() { count } else { 1 }
    }

    /// The number of terms of a product (m, n, k) whose B is a weight on the way back to the layer below. If threads
    /// keep to rows of the weight on the way forward, C is cut along them, as its columns.
    pub(crate) fn back([m, n, k]: [usize; 3]) -> usize {
        if Self::count(m, k, n) > 1 { 1 } else { Self::count(m, n, k) }
    }

    /// The steps of a product (m, n, k) that each of so many threads takes: all, if it is no sum of terms.
    pub(super) fn own_steps([m, n, k]: [usize; 3], threads: usize) -> usize {
        match Self::count(m, n, k) {
            1 => k,
            terms => Self::steps(terms, k) * Self::own(terms, threads),
        }
    }

    /// How many of the terms each of so many threads takes: they follow each other, as tiles ask for what comes next.
    pub(crate) fn own(terms: usize, threads: usize) -> usize {
        (terms / threads).max(1)
    }

    const fn steps(terms: usize, k: usize) -> usize {
        k.div_ceil(terms).next_multiple_of(16)
    }

    /// Computes one of the terms.
    pub(crate) fn run(self, term: usize, terms: usize, sum: &mut [f32], scratch: &mut Scratch) {
        let k = self.b.rows();
        let steps = Self::steps(terms, k);
        let steps = k.min(term * steps)..k.min((term + 1) * steps);
        let (a, b) = (self.a.col_range(steps.clone()), self.b.row_range(steps));
        let c = MatMut::row_major(sum, a.rows(), b.cols());
        let operands = Operands { a, b, c, beta: Beta::Overwrite, stream: None };
        Engine::vectors().run(operands, |_, _, _| (), scratch);
    }
}
