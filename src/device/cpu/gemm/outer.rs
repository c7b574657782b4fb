//! Products of one step of k, as behind a single output or of a minibatch of one row: each row of C is the row of B
//! times a number.
//!
//! A tile has accumulators to clear, places to look up and rows to store one by one, for one multiplication of each
//! element.

use super::MatRef;
use super::product::{Product, parts};
use super::runs::Runs;
use crate::device::cpu::vectorize::{Vectorized, vectorize};

/// The least columns of C: shorter rows would not fill a vector, and tiles are as fast.
const LEAST: usize = 16;
/// The rows that are computed together: a call for each takes a third longer (100 columns).
const ROWS: usize = 8;

/// Whether a product is computed so, if nothing is added to it.
pub(super) const fn suits(b: &MatRef) -> bool {
    b.rows() == 1 && b.col_stride() == 1 && b.cols() >= LEAST
}

impl Product<'_, '_> {
    /// All of the product, if it [`suits`].
    pub(super) fn outer(&mut self, epilogue: &mut impl FnMut(usize, usize, &mut [f32])) {
        let (m, n) = (self.c.rows(), self.c.cols());
        let row = self.b.row(0);
        let together = if self.c.is_contiguous() { ROWS } else { 1 };
        let mut runs = Runs::new(0, 0..n, &self.c);
        for rows in parts(0..m, together) {
            let mut factors = [0.0; ROWS];
            let elements = rows.clone().map(|i| self.a.element(i, 0));
            factors.iter_mut().zip(elements).for_each(|(factor, element)| *factor = element);
            let out = self.c.run(rows.start, 0, rows.len() * n);
            vectorize(Multiples { factors: &factors, row, out });
            runs.hand_on(rows.end, rows.end == m, &mut self.c, epilogue);
        }
    }
}

/// Rows that are multiples of one.
struct Multiples<'a> {
    factors: &'a [f32],
    row: &'a [f32],
    out: &'a mut [f32],
}

impl Vectorized for Multiples<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { factors, row, out } = self;
        for (out, factor) in out.chunks_exact_mut(row.len()).zip(factors) {
            // Added to zero, as a tile does: so there is no -0.
            out.iter_mut().zip(row).for_each(|(out, x)| *out = factor * x + 0.0);
        }
    }
}
