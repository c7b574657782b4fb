//! Products as work that threads can share: cut into parts along the rows or columns of C.

use super::engine::{Engine, Operands};
use super::kernel::MAX_ROWS;
use super::{Beta, Lhs, MatMut, MatRef, Scratch};

/// Where rows are cut: tiles of any instruction set end there, and so do runs of two cache lines
/// of a column-major A. Fewer rows than this for each part are cut where the tallest tiles end.
const ROWS: usize = 32;
/// Where columns are cut: strips of any instruction set end there.
const COLS: usize = 48;

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

/// How C is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cut {
    /// Into parts of so many rows.
    Rows(usize),
    /// Into parts of so many columns.
    Cols(usize),
}

impl Cut {
    /// Cuts an (m, n) matrix into at most `parts` parts of about one size. Each thread packs the
    /// operand that is not cut for itself, so the longer side is cut; but a strip of columns that
    /// is narrower than a tile would waste vectors.
    pub(super) fn of(m: usize, n: usize, parts: usize) -> Self {
        if n > m && n >= 2 * COLS * parts {
            Self::Cols(n.div_ceil(parts).next_multiple_of(COLS))
        } else {
            let unit = if m >= ROWS * parts { ROWS } else { MAX_ROWS };
            Self::Rows(m.div_ceil(parts).next_multiple_of(unit))
        }
    }
}

/// How long a product (m, n, k) takes, in the floating-point operations that one core would do in
/// that time: columns fill vectors, and an element of A comes from memory at 12 GB/s, a third of a
/// nanosecond.
pub(super) fn cost(m: usize, n: usize, k: usize) -> usize {
    let element = 2 * n.next_multiple_of(16) + 40;
    m.saturating_mul(k).saturating_mul(element)
}

/// The shape of the largest of at most `parts` parts of an (m, n) matrix.
pub(crate) fn part(m: usize, n: usize, parts: usize) -> (usize, usize) {
    match Cut::of(m, n, parts) {
        Cut::Rows(rows) => (rows.min(m), n),
        // A last column may come to the others.
        Cut::Cols(cols) => (m, (cols + 1).min(n)),
    }
}

impl<'a, 'c, const N: usize> Work<'a, 'c, N> {
    /// The shape of C.
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.c.rows(), self.c.cols())
    }

    /// What is to compute the product and all of its parts.
    pub(crate) fn engine(&self) -> Engine {
        let (m, n) = self.shape();
        Engine::of(m, n, self.b.rows())
    }

    /// How long the product takes, in floating-point operations.
    pub(crate) fn cost(&self) -> usize {
        let (m, n) = self.shape();
        cost(m, n, self.b.rows())
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
            let runs = beside.each_mut().map(|matrix| match matrix {
                Some(matrix) => matrix.run(i, j, len),
                None => <&mut [f32]>::default(),
            });
            epilogue(row, col, run, runs);
        };
        engine.run(Operands { a, b, c, beta }, with_beside, scratch);
    }

    /// Calls `work` for every row of C, with those of the other matrices.
    pub(crate) fn rows(&mut self, mut work: impl FnMut(usize, &mut [f32], [&mut [f32]; N])) {
        let (m, n) = self.shape();
        for i in 0..m {
            let beside = self.beside.each_mut().map(|matrix| match matrix {
                Some(matrix) => matrix.run(i, 0, n),
                None => <&mut [f32]>::default(),
            });
            work(i, self.c.run(i, 0, n), beside);
        }
    }

    /// The product in at most `count` parts.
    pub(crate) fn parts(self, count: usize) -> Parts<'a, 'c, N> {
        let (m, n) = self.shape();
        Parts { rest: Some(self), cut: Cut::of(m, n, count) }
    }

    /// Takes the first rows off.
    fn take_rows(&mut self, rows: usize) -> Self {
        let (a, below) = (self.a.row_range(0..rows), self.a.row_range(rows..self.a.rows()));
        self.a = below;
        let take = |matrix: &mut Option<MatMut<'c>>| matrix.as_mut().map(|m| m.take_rows(rows));
        let beside = self.beside.each_mut().map(take);
        Self { a, b: self.b, c: self.c.take_rows(rows), beta: self.beta, beside }
    }

    /// Takes the first columns off.
    fn take_cols(&mut self, cols: usize) -> Self {
        let (b, right) = (self.b.columns(0..cols), self.b.columns(cols..self.b.cols()));
        self.b = right;
        let take = |matrix: &mut Option<MatMut<'c>>| matrix.as_mut().map(|m| m.take_cols(cols));
        let beside = self.beside.each_mut().map(take);
        Self { a: self.a, b, c: self.c.take_cols(cols), beta: self.beta, beside }
    }
}

/// The parts of a product, one after the other.
pub(crate) struct Parts<'a, 'c, const N: usize> {
    rest: Option<Work<'a, 'c, N>>,
    cut: Cut,
}

impl<'a, 'c, const N: usize> Iterator for Parts<'a, 'c, N> {
    type Item = Work<'a, 'c, N>;

    fn next(&mut self) -> Option<Self::Item> {
        let work = self.rest.as_mut()?;
        let (m, n) = work.shape();
        match self.cut {
            Cut::Rows(rows) if rows < m => Some(work.take_rows(rows)),
            // A last column by itself would be summed in another order: see the module.
            Cut::Cols(cols) if cols + 1 < n => Some(work.take_cols(cols)),
            Cut::Rows(_) | Cut::Cols(_) => self.rest.take(),
        }
    }
}

impl<const N: usize> DoubleEndedIterator for Parts<'_, '_, N> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let mut last = self.rest.take()?;
        let (m, n) = last.shape();
        let before = |len: usize, part: usize| len.saturating_sub(1) / part * part;
        match self.cut {
            Cut::Rows(rows) if rows < m => self.rest = Some(last.take_rows(before(m, rows))),
            Cut::Cols(cols) if cols + 1 < n => {
                // The last column stays with the others, as from the front.
                self.rest = Some(last.take_cols(before(n - 1, cols)));
            }
            Cut::Rows(_) | Cut::Cols(_) => (),
        }
        Some(last)
    }
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
    /// The number of terms of a product (m, n, k); one if it is not cut. Two keep each of two
    /// threads with its half of B at the least cost; more, of long ones, are for more threads.
    pub(crate) const fn count(m: usize, n: usize, k: usize) -> usize {
        let pays = m <= 64 && m * n <= 1 << 14 && m * n * k >= Self::LEAST;
        match k {
            _ if !pays => 1,
            0..384 => 1,
            384..3072 => 2,
            _ => 4,
        }
    }

    /// The least multiplications for which it pays that threads share them.
    const LEAST: usize = 1 << 20;

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
        let operands = Operands { a, b, c, beta: Beta::Overwrite };
        Engine::vectors().run(operands, |_, _, _| (), scratch);
    }
}
