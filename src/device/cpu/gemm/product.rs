//! The driver: cuts a product into blocks that fit the caches, and the blocks into tiles.
//!
//! From the outside in: panels of `NC` columns, blocks of `kc` steps of k, blocks of `mc` rows,
//! strips as wide as a tile, tiles. A block of B is read by all rows, a block of A by all strips,
//! so each is packed (or left where it lies) according to how often it is read and how it lies.

use super::kernel::{Kernel, MAX_ROWS, TILE_VECTORS, Tile};
use super::pack::Panel;
use super::{Beta, Lhs, MatMut, MatRef, Scratch};
use std::ops::Range;

/// Steps of a block of k: C is read and written once a block, and of the L1 cache a strip of B
/// (48 columns) takes this many times 192 bytes.
pub(super) const KC: usize = 256;
/// Rows of a block of A: with `KC` steps a quarter of a 1 MiB L2 cache.
pub(super) const MC: usize = 256;
/// Columns of a block of B, 22 of the widest strips: with `KC` steps about 1 MiB.
pub(super) const NC: usize = 1056;
/// Floats of B in L1: a product of one strip takes k in blocks of this size instead of `KC`, and
/// one whose whole block of B is no larger goes through it row by row of tiles.
pub(super) const STRIP: usize = 8192;
/// Columns of the widest tile of any kernel.
const MAX_COLS: usize = 16 * TILE_VECTORS;

/// A product to compute with the micro-kernels of one instruction set.
#[derive(Debug)]
pub(super) struct Product<'a, 'c> {
    pub(super) kernel: &'static Kernel,
    pub(super) a: Lhs<'a>,
    pub(super) b: MatRef<'a>,
    pub(super) c: MatMut<'c>,
    pub(super) beta: Beta,
}

/// What is packed, and the sizes of blocks.
#[derive(Debug, Clone, Copy)]
struct Plan {
    pack_a: bool,
    pack_b: bool,
    mc: usize,
    kc: usize,
    nc: usize,
}

/// A part of the product.
#[derive(Debug, Clone)]
struct Block {
    rows: Range<usize>,
    cols: Range<usize>,
    steps: Range<usize>,
}

impl Product<'_, '_> {
    /// Computes the product and hands every finished run of a row to the epilogue.
    pub(super) fn run(
        mut self,
        mut epilogue: impl FnMut(usize, usize, &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let (m, n, k) = (self.c.rows(), self.c.cols(), self.b.rows());
        assert!(self.a.rows() == m && self.a.cols() == k && self.b.cols() == n, "shapes disagree");
        if m == 0 || n == 0 {
            return;
        }
        if n == 1 && self.a.rows_are_runs() {
            return self.dots(epilogue, scratch);
        }
        if n == 1 && self.a.columns_are_runs() {
            // The vectors of a tile lie along rows of C, and its only column can be one.
            if let (Some(a), origin) = (self.a.plain(), self.c.origin())
                && let Some(c) = self.c.column_as_row()
            {
                let (a, b) = (self.b.transposed().into(), a.transposed());
                let mut one_by_one = |_: usize, first: usize, run: &mut [f32]| {
                    for (i, value) in run.chunks_exact_mut(1).enumerate() {
                        epilogue(origin.0 + first + i, origin.1, value);
                    }
                };
                return Product { a, b, c, ..self }.blocks(&mut one_by_one, scratch);
            }
        }
        self.blocks(&mut epilogue, scratch);
    }

    fn plan(&self) -> Plan {
        let (m, n, k) = (self.c.rows(), self.c.cols(), self.b.rows());
        let strip = self.kernel.cols();
        let kc = if n > strip { KC } else { KC.max(STRIP / n.next_multiple_of(16)) };
        let kc = if k <= kc { k.max(1) } else { k.div_ceil(k.div_ceil(kc)) };
        let nc = if n <= NC { n } else { n.div_ceil(n.div_ceil(NC)).next_multiple_of(strip) };
        Plan {
            pack_a: n > 2 * strip && m > 2 * MAX_ROWS,
            pack_b: self.b.col_stride() != 1 || (n > strip && m > 64),
            mc: if kc * nc <= STRIP { 2 * MAX_ROWS } else { MC },
            kc,
            nc,
        }
    }

    /// All blocks of the product, one block of steps after the other.
    fn blocks(
        &mut self,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let (m, n, k) = (self.c.rows(), self.c.cols(), self.b.rows());
        let plan = self.plan();
        if plan.pack_a || plan.pack_b {
            scratch.reserve(m, n, k);
        }
        for j in (0..n).step_by(plan.nc) {
            // Without steps there still is a C to overwrite.
            for p in (0..k.max(1)).step_by(plan.kc) {
                for i in (0..m).step_by(plan.mc) {
                    let block = Block {
                        rows: i..m.min(i + plan.mc),
                        cols: j..n.min(j + plan.nc),
                        steps: p..k.min(p + plan.kc),
                    };
                    self.block(plan, &block, epilogue, scratch);
                }
            }
        }
    }

    /// One block, strip by strip.
    fn block(
        &mut self,
        plan: Plan,
        block: &Block,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let Block { rows, cols, steps } = block;
        let (packed_a, packed_b) = scratch.blocks();
        if plan.pack_a {
            let height = self.kernel.rows();
            let size = height * steps.len();
            for (i, panel) in (0..).zip(rows.clone().step_by(height)) {
                let part = panel..rows.end.min(panel + height);
                self.pack_a(part, steps, &mut packed_a[i * size..(i + 1) * size]);
            }
        }
        for j in cols.clone().step_by(self.kernel.cols()) {
            let strip = j..cols.end.min(j + self.kernel.cols());
            let (b, b_step) = if plan.pack_b {
                let width = strip.len().next_multiple_of(self.kernel.lanes);
                let place = (j - cols.start) * steps.len();
                let panel = &mut packed_b[place..place + width * steps.len()];
                if rows.start == 0 {
                    self.pack_b(&strip, steps, panel, width);
                }
                (panel.as_ptr(), width)
            } else {
                (self.b.at(steps.start, j), self.b.row_stride())
            };
            let vectors = strip.len().div_ceil(self.kernel.lanes);
            let mut tile = Tile {
                a: [std::ptr::null(); MAX_ROWS],
                a_step: self.a.col_stride(),
                picks: std::ptr::null(),
                b,
                b_step,
                depth: steps.len(),
                c: std::ptr::null_mut(),
                c_step: self.c.leading(),
                tail: strip.len() - (vectors - 1) * self.kernel.lanes,
                accumulate: steps.start > 0 || self.beta == Beta::Accumulate,
            };
            let strip = Block { rows: rows.clone(), cols: strip, steps: steps.clone() };
            if plan.pack_a {
                self.strip(&mut tile, &strip, Some(packed_a), epilogue);
            } else {
                self.strip(&mut tile, &strip, None, epilogue);
            }
        }
    }

    /// The tiles of a block as wide as one tile. `tile` lacks only the places of A and C.
    fn strip(
        &mut self,
        tile: &mut Tile,
        block: &Block,
        packed_a: Option<&mut [f32]>,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
    ) {
        let Block { rows, cols, steps } = block;
        let (row, col) = self.c.origin();
        let tallest = self.kernel.rows();
        let vectors = cols.len().div_ceil(self.kernel.lanes);
        let last = steps.end == self.b.rows();
        let mut picks = false;
        if packed_a.is_some() {
            tile.a_step = tallest;
        } else if let Some(order) = self.a.picked_columns(steps.start) {
            tile.picks = order.as_ptr();
            picks = true;
        }
        for i in rows.clone().step_by(tallest) {
            let height = tallest.min(rows.end - i);
            // The places are written one by one: the kernel's loads of them must not wait for
            // a wider store to leave the store queue.
            if let Some(packed) = &packed_a {
                let panel = packed[(i - rows.start) * steps.len()..].as_ptr();
                for (lane, place) in tile.a.iter_mut().enumerate() {
                    *place = panel.wrapping_add(lane);
                }
            } else {
                self.a.find_rows(i, steps.start, &mut tile.a[..height]);
            }
            tile.c = self.c.at(i, cols.start);
            let kernel = self.kernel.tiles[height - 1][vectors - 1][usize::from(picks)];
            // SAFETY: this processor has the kernel's features, as `Kernel::all` says. The views
            // hold rows `i..i + height`, `cols` and `steps` of A, B and C; where A or B is
            // packed, `pack_a` and `pack_b` have filled the panels that the tile reads.
            unsafe { kernel(tile) };
            if last {
                for r in i..i + height {
                    epilogue(row + r, col + cols.start, self.c.run(r, cols.start, cols.len()));
                }
            }
        }
    }

    /// A product with one column whose rows of A are contiguous: dot products along k.
    fn dots(&mut self, mut epilogue: impl FnMut(usize, usize, &mut [f32]), scratch: &mut Scratch) {
        let (m, k) = (self.c.rows(), self.b.rows());
        let (row, col) = self.c.origin();
        let contiguous = self.b.row_stride() == 1;
        if !contiguous {
            scratch.reserve(1, 1, k);
        }
        let depth = if contiguous { k.max(1) } else { KC };
        for p in (0..k.max(1)).step_by(depth) {
            let steps = p..k.min(p + depth);
            let b = if contiguous {
                self.b.at(p, 0)
            } else {
                let panel = &mut scratch.blocks().1[..steps.len()];
                self.pack_b(&(0..1), &steps, panel, 1);
                panel.as_ptr()
            };
            let mut tile = Tile {
                a: [std::ptr::null(); MAX_ROWS],
                a_step: 1,
                picks: std::ptr::null(),
                b,
                b_step: 1,
                depth: steps.len(),
                c: std::ptr::null_mut(),
                c_step: self.c.leading(),
                tail: 1,
                accumulate: p > 0 || self.beta == Beta::Accumulate,
            };
            for i in (0..m).step_by(self.kernel.dots.len()) {
                let height = self.kernel.dots.len().min(m - i);
                self.a.find_rows(i, p, &mut tile.a[..height]);
                tile.c = self.c.at(i, 0);
                // SAFETY: as in `strip`; A's rows are contiguous, and so is B or its copy.
                unsafe { self.kernel.dots[height - 1](&tile) };
                if steps.end == k {
                    for r in i..i + height {
                        epilogue(row + r, col, self.c.run(r, 0, 1));
                    }
                }
            }
        }
    }

    /// Packs up to a tile's height of rows of A.
    fn pack_a(&self, rows: Range<usize>, steps: &Range<usize>, to: &mut [f32]) {
        let mut lanes = [std::ptr::null(); MAX_ROWS];
        let lanes = &mut lanes[..rows.len()];
        self.a.find_rows(rows.start, steps.start, lanes);
        self.pack(&mut Panel {
            lanes,
            adjacent: self.a.columns_are_runs(),
            step: self.a.col_stride(),
            picks: self.a.picked_columns(steps.start),
            depth: steps.len(),
            width: self.kernel.rows(),
            to,
        });
    }

    /// Packs a strip of B.
    fn pack_b(&self, cols: &Range<usize>, steps: &Range<usize>, to: &mut [f32], width: usize) {
        let mut lanes = [std::ptr::null(); MAX_COLS];
        let lanes = &mut lanes[..cols.len()];
        for (lane, j) in lanes.iter_mut().zip(cols.clone()) {
            *lane = self.b.at(steps.start, j);
        }
        self.pack(&mut Panel {
            lanes,
            adjacent: self.b.col_stride() == 1,
            step: self.b.row_stride(),
            picks: None,
            depth: steps.len(),
            width,
            to,
        });
    }

    fn pack(&self, panel: &mut Panel) {
        // SAFETY: this processor has the kernel's features, as `Kernel::all` says, and the lanes
        // and steps are those of a block of A or B.
        unsafe { (self.kernel.pack)(panel) };
    }
}
