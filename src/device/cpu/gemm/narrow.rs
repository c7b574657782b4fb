//! The last columns of C where they would fill only a small part of a vector.
//!
//! 50 columns are three vectors and two columns, which as lanes of a fourth vector would cost a
//! third of the rest. Where rows of A are contiguous, up to 4 such columns are dot products along k;
//! where columns of A are, the vectors lie along the rows of C, for up to 10.

use super::kernel::{HALVES, IN_PLACE, MAX_ROWS, PICKED, Tile};
use super::product::{Block, GAP, Product, parts};
use super::runs::Runs;
use super::{Beta, Scratch};

/// The most narrow columns that are computed together.
pub(super) const NARROW: usize = 4;
/// Vectors of rows of the tallest tile of narrow columns: with 4 columns 16 accumulators, enough to
/// hide how long a multiply-add takes.
pub(super) const COLUMN_VECTORS: usize = 4;
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
        let few = NARROW.min(lanes / 2);
        let (most, pays) = if self.a.rows_are_runs() {
            // Dot products read B anew for every few columns.
            (few, n == 1 || self.b.rows() >= LEAST_STEPS)
        } else {
            // Vectors along the rows of C do not, if there are enough rows to fill the tallest tile.
            let many = self.c.rows() >= COLUMN_VECTORS * lanes;
            let most = if many { lanes * 5 / 8 } else { few };
            (most, self.a.columns_are_runs() && self.b.col_stride() == 1)
        };
        if pays && left <= most { n - left } else { n }
    }

    /// Whether there are narrow columns that are dot products.
    pub(super) fn has_dots(&self) -> bool {
        self.a.rows_are_runs() && self.wide() < self.c.cols()
    }

    /// A block of narrow columns, of which A may be packed.
    pub(super) fn narrow(
        &mut self,
        block: &Block,
        is_packed: bool,
        scratch: &mut Scratch,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
    ) {
        let Block { rows, cols, steps } = block;
        let mut tile = Tile {
            a: [std::ptr::null(); MAX_ROWS],
            a_step: self.a.col_stride(),
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
        if !self.a.rows_are_runs() {
            let panels = is_packed && 2 * self.kernel.rows() == self.kernel.lanes;
            let packed_a = panels.then(|| &*scratch.blocks().0);
            return self.columns(block, packed_a, &mut tile, runs, epilogue);
        }
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
        let Block { rows, cols, steps } = block;
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
            if steps.end == self.b.rows() {
                runs.hand_on(part.end, part.end == rows.end, &mut self.c, epilogue);
            }
        }
    }

    /// Columns of C, with vectors along its rows.
    fn columns(
        &mut self,
        block: &Block,
        packed_a: Option<&[f32]>,
        tile: &mut Tile,
        runs: &mut Runs,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
    ) {
        let Block { rows, cols, steps } = block;
        let picks = self.a.picked_columns(steps.start);
        tile.picks = picks.map_or(std::ptr::null(), <[u32]>::as_ptr);
        let kind = match (packed_a, picks) {
            (Some(_), _) => HALVES,
            (None, Some(_)) => PICKED,
            (None, None) => IN_PLACE,
        };
        let lanes = self.kernel.lanes;
        for part in parts(rows.clone(), COLUMN_VECTORS * lanes) {
            let vectors = self.kernel.vectors(part.len());
            tile.tail = part.len() - (vectors - 1) * lanes;
            if let Some(packed) = packed_a {
                tile.a_step = self.kernel.rows();
                for (half, place) in tile.a.iter_mut().enumerate() {
                    // What a last half without rows reads is not used.
                    let row = (part.start + half * tile.a_step).min(part.end - 1) - rows.start;
                    let panel = row / tile.a_step * tile.a_step;
                    *place = packed[panel * (steps.len() + GAP)..].as_ptr();
                }
            } else {
                self.a.find_rows(part.start, steps.start, &mut tile.a[..1]);
            }
            for cols in parts(cols.clone(), NARROW) {
                tile.b = self.b.at(steps.start, cols.start);
                tile.c = self.c.at(part.start, cols.start);
                let kernel = self.kernel.columns[cols.len() - 1][vectors - 1][kind];
                // SAFETY: this processor has the kernel's features, as `Kernel::all` says. The views
                // hold the rows, columns and steps; A's columns are contiguous, or `pack_a` has filled
                // the panels of these rows and steps, and B's rows are contiguous.
                unsafe { kernel(tile) };
            }
            if steps.end == self.b.rows() {
                runs.hand_on(part.end, part.end == rows.end, &mut self.c, epilogue);
            }
        }
    }
}
