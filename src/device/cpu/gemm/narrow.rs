//! The last columns of C where they would fill only a small part of a vector.
//!
//! 50 columns are three vectors and two columns, which as lanes of a fourth vector would cost a
//! third of the rest. Where rows of A are contiguous, up to 4 such columns are dot products along k.
//! Where columns of A are, tiles stand upright: see [`Upright`](super::upright::Upright).

use super::kernel::{MAX_ROWS, Tile};
use super::product::{Block, Product, parts};
use super::runs::Runs;
use super::{Beta, Scratch};

/// The most narrow columns that are computed together.
pub(super) const NARROW: usize = 4;
/// The least steps of k for which dot products pay, as the lanes of each have to be added up.
const LEAST_STEPS: usize = 96;
/// The steps of k after which the lanes of dot products are added up. Blocks of k end there, so
/// that their size does not change a bit.
pub(super) const DOT_STEPS: usize = 256;

impl Product<'_, '_> {
    /// The columns before the narrow ones; all, if there are none. Of dot products, which sum in an order
    /// of their own, it depends on the number of columns only by how many are left of a vector, so that
    /// parts of a product agree.
    pub(super) fn wide(&self) -> usize {
        let n = self.c.cols();
        let lanes = self.kernel.lanes;
        let left = n & (lanes - 1);
        // Dot products read B anew for every few columns.
        let pays = n == 1 || self.b.rows() >= LEAST_STEPS;
        let is_narrow = self.a.rows_are_runs() && pays && left <= NARROW.min(lanes / 2);
        if is_narrow { n - left } else { n }
    }

    /// A block of narrow columns.
    pub(super) fn narrow(
        &mut self,
        block: &Block,
        scratch: &mut Scratch,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
    ) {
        let Block { rows, cols, steps, .. } = block;
        let mut tile = Tile {
            a: [std::ptr::null(); MAX_ROWS],
            next: std::ptr::null(),
            a_step: self.a.col_stride(),
            is_packed: false,
            picks: std::ptr::null(),
            b: self.b.at(steps.start, cols.start),
            b_step: self.b.row_stride(),
            depth: steps.len(),
            c: std::ptr::null_mut(),
            c_step: self.c.leading(),
            tail: 0,
            accumulate: steps.start > 0 || self.beta == Beta::Accumulate,
        };
        let runs = &mut Runs::new(rows.start, cols.clone(), &self.c);
        if self.b.row_stride() == 1 {
            tile.b_step = self.b.col_stride();
        } else {
            if rows.start == 0 {
                self.copy_columns(block, scratch.narrow());
            }
            (tile.b, tile.b_step) = (scratch.narrow().as_ptr(), steps.len());
        }
        self.dots(block, &mut tile, runs, epilogue);
    }

    /// Copies columns of B, each to lie contiguously.
    fn copy_columns(&self, block: &Block, to: &mut [f32]) {
        let steps = block.steps.clone();
        for (j, to) in block.cols.clone().zip(to.chunks_exact_mut(steps.len().max(1))) {
            for (p, to) in steps.clone().zip(to) {
                // SAFETY: the view of B holds `steps` and `cols`.
                *to = unsafe { *self.b.at(p, j) };
            }
        }
    }

    /// Dot products along k.
    fn dots(
        &mut self,
        block: &Block,
        tile: &mut Tile,
        runs: &mut Runs,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
    ) {
        let Block { rows, cols, steps, .. } = block;
        let dots = self.kernel.dots[cols.len() - 1];
        let (first, accumulate) = (tile.b, tile.accumulate);
        for part in parts(rows.clone(), dots.len()) {
            let height = part.len();
            tile.c = self.c.at(part.start, cols.start);
            let mut from = steps.start;
            loop {
                self.a.find_rows(part.start, from, &mut tile.a[..height]);
                tile.b = first.wrapping_add(from - steps.start);
                tile.depth = DOT_STEPS.min(steps.end - from);
                tile.accumulate = accumulate || from > steps.start;
                // SAFETY: this processor has the kernel's features, as `Kernel::all` says. The
                // views hold the rows, columns and steps; A's rows are contiguous, and so are B's
                // columns or their copies, which `copy_columns` has made for these steps.
                unsafe { dots[height - 1](tile) };
                from += tile.depth;
                // Without any step there still is a C to overwrite, so the end is looked for here.
                if from == steps.end {
                    break;
                }
            }
            if block.hands_on {
                runs.hand_on(part.end, part.end == rows.end, &mut self.c, epilogue);
            }
        }
    }
}
