//! The driver: cuts a product into blocks that fit the caches, and the blocks into tiles.
//!
//! From the outside in: panels of `NC` columns, blocks of `kc` steps of k, blocks of `mc` rows,
//! strips as wide as a tile, tiles. A block of B is read by all rows, a block of A by all strips,
//! so each is packed (or left where it lies) according to how often it is read and how it lies.

use super::kernel::{AHEAD, Kernel, MAX_ROWS, PICK, TAIL, TILE_VECTORS, Tile, WHOLE};
use super::narrow::DOT_STEPS;
use super::outer;
use super::pack::Panel;
use super::runs::Runs;
use super::scratch::Kept;
use super::upright::{self, Upright};
use super::{Beta, Lhs, MatMut, MatRef, Scratch};
use std::ops::Range;

/// Steps of a block of k. C is read and written once a block: the longer, the less often. A strip
/// of B (48 columns) takes 96 KiB of the L2 cache, which delivers it at 16 bytes a cycle, a third
/// of what it can.
pub(super) const KC: usize = 512;
/// Rows of a block of A: with `KC` steps 512 KiB of an L2 cache of 1 or 2 MiB.
pub(super) const MC: usize = 256;
/// Columns of a block of B, 44 of the widest strips: with `KC` steps 4 MiB of the L3 cache.
pub(super) const NC: usize = 2112;
/// Floats of a block of B that leave room in the L2 cache. Such a block is light: rows go past it
/// a few tiles at a time, so that A is read, and C written, once and in order.
pub(super) const LIGHT: usize = 128 * 1024;
/// Rows of a block of A that go past a light block of B.
pub(super) const LIGHT_MC: usize = 32;
/// Steps of a light block: 4 KiB of a row of A, one page.
pub(super) const LIGHT_KC: usize = 1024;
/// Elements of whole rows of C that are handed on together, when all of their columns are final: 16 KiB of the
/// L1 cache. A call for each part of a row takes 20 ns, as long as the arithmetic of 100 elements.
const WHOLE_ROWS: usize = 4096;
/// Rows of A that are packed together where its columns are runs: 1 KiB of each, so that the
/// processor's prefetchers help and few pages are looked up.
const MAX_GROUP: usize = MC;
/// How much longer panels of A are than their steps: one cache line for the tallest tiles. Else
/// panels of 512 steps would all begin in the same set of the L1 cache, and packing writes to many.
pub(super) const GAP: usize = 2;
/// Columns of B that are packed together where its rows are runs, to read enough of a row.
const MAX_LANES: usize = 4 * 16 * TILE_VECTORS;

/// A product to compute with the micro-kernels of one instruction set.
#[derive(Debug)]
pub(super) struct Product<'a, 'c> {
    pub(super) kernel: &'static Kernel,
    pub(super) a: Lhs<'a>,
    pub(super) b: MatRef<'a>,
    pub(super) c: MatMut<'c>,
    pub(super) beta: Beta,
    /// The number of the stream that this is a block of: its blocks keep the panels of B.
    pub(super) stream: Option<u64>,
}

/// What is packed, and the sizes of blocks.
#[derive(Debug, Clone, Copy)]
struct Plan {
    pack_a: bool,
    pack_b: bool,
    /// The stream for whose products panels of B are kept, one block of k after the other.
    keep_b: Option<u64>,
    /// Whether they are there from the products before.
    is_there: bool,
    mc: usize,
    kc: usize,
    nc: usize,
}

/// A part of the product.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) rows: Range<usize>,
    pub(super) cols: Range<usize>,
    pub(super) steps: Range<usize>,
    /// Whether its elements are handed on as soon as they are final, strip by strip.
    pub(super) hands_on: bool,
}

/// The range in parts of `size`, the last shorter. (`step_by` would divide to count them.)
pub(super) fn parts(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = range.start;
    std::iter::from_fn(move || {
        let part = start..range.end.min(start.saturating_add(size));
        start = part.end;
        (!part.is_empty()).then_some(part)
    })
}

impl Product<'_, '_> {
    /// Computes the product and hands its elements to the epilogue in runs; see `Work::run`.
    ///
    /// # Safety
    /// The shapes agree, and C has elements.
    pub(super) unsafe fn run(
        mut self,
        mut epilogue: impl FnMut(usize, usize, &mut [f32]),
        scratch: &mut Scratch,
    ) {
        self.blocks(&mut epilogue, scratch);
    }

    fn plan(&self) -> Plan {
        let (m, n, k) = (self.c.rows(), self.c.cols(), self.b.rows());
        let (strip, wide) = (self.kernel.cols(), self.wide());
        let nc = if n <= NC { n } else { n.div_ceil(n.div_ceil(NC)).next_multiple_of(strip) };
        let light = k.min(KC) * nc <= LIGHT;
        // Few strips read A in place, if its rows are runs or its columns few and so in cache.
        let (few, far) = (n <= 4 * strip, self.a.columns_are_runs() && k > 128);
        let dots = wide < n;
        let unit = if dots { DOT_STEPS } else { 1 };
        let most = if k <= KC {
            k
        } else if !dots && m <= MAX_ROWS && n > strip && k * n > 4 * LIGHT {
            // B is read once, from memory: in the order of its rows, as far as a tile's sums allow.
            48
        } else if light && !far {
            LIGHT_KC.min(LIGHT / nc / unit * unit)
        } else {
            KC
        };
        let pack_b = self.b.col_stride() != 1 || (wide > strip && m > 192);
        Plan {
            pack_a: m > 2 * MAX_ROWS && wide > strip && (!few || far),
            pack_b,
            keep_b: self.stream.filter(|_| pack_b && n <= nc),
            is_there: false,
            mc: if light && !far { LIGHT_MC } else { MC },
            kc: if k <= most { k } else { k.div_ceil(k.div_ceil(most)).next_multiple_of(unit) },
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
        if self.beta == Beta::Overwrite && outer::suits(&self.b) {
            return self.outer(epilogue);
        }
        if upright::suits(self.kernel, &self.a, &self.b) {
            return self.upright(epilogue, scratch);
        }
        let (wide, strip_cols) = (self.wide(), self.kernel.cols());
        let in_strips = n > strip_cols || (wide > 0 && wide < n);
        if !in_strips && k <= KC && self.b.col_stride() == 1 {
            // What the plan would say, without the time to make one: there are tiny products.
            let all = Block { rows: 0..m, cols: 0..n, steps: 0..k, hands_on: true };
            let b = (self.b.at(0, 0), self.b.row_stride());
            return match wide {
                0 => self.narrow(&all, scratch, epilogue),
                _ => self.strip(&all, None, b, epilogue),
            };
        }
        let mut plan = self.plan();
        if plan.pack_a || plan.pack_b {
            scratch.reserve(m, n, k);
        }
        if let Some(stream) = plan.keep_b {
            let (address, shape) = (self.b.at(0, 0).addr(), (k, n));
            plan.is_there = scratch.keep(Kept { stream, address, shape });
        } else if plan.pack_b {
            scratch.forget();
        }
        for cols in parts(0..n, plan.nc) {
            let mut steps = 0..k.min(plan.kc);
            loop {
                for rows in parts(0..m, plan.mc) {
                    let is_last = steps.end == k;
                    let whole = in_strips && cols.len() == n && rows.len() * n <= WHOLE_ROWS;
                    let block = Block {
                        rows: rows.clone(),
                        cols: cols.clone(),
                        steps: steps.clone(),
                        hands_on: is_last && !whole,
                    };
                    self.block(plan, &block, epilogue, scratch);
                    if is_last && whole {
                        self.hand_on(rows, epilogue);
                    }
                }
                // Without any step there still is a C to overwrite, so the end is looked for here.
                if steps.end == k {
                    break;
                }
                steps = steps.end..k.min(steps.end + plan.kc);
            }
        }
    }

    /// Hands whole rows on.
    fn hand_on(&mut self, rows: Range<usize>, epilogue: &mut impl FnMut(usize, usize, &mut [f32])) {
        let cols = 0..self.c.cols();
        Runs::new(rows.start, cols, &self.c).hand_on(rows.end, true, &mut self.c, epilogue);
    }

    /// All of it by upright tiles.
    fn upright(
        &mut self,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let (m, n) = (self.c.rows(), self.c.cols());
        let mut runs = Runs::new(0, 0..n, &self.c);
        let mut upright = Upright::new(self.kernel, self.a, self.b, scratch);
        for rows in parts(0..m, self.kernel.height()) {
            upright.multiply(&mut self.c, rows.clone(), self.beta);
            runs.hand_on(rows.end, rows.end == m, &mut self.c, epilogue);
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
        let Block { rows, steps, .. } = block;
        let wide = self.wide();
        let cols = block.cols.start..block.cols.end.min(wide);
        let (packed_a, packed_b) = scratch.blocks();
        if plan.pack_a {
            // Where columns are runs, whole cache lines of them are read at once.
            let group = if self.a.columns_are_runs() { MAX_GROUP } else { self.kernel.rows() };
            for part in parts(rows.clone(), group) {
                let place = (part.start - rows.start) * (steps.len() + GAP);
                self.pack_a(&part, steps, &mut packed_a[place..]);
            }
        }
        let strip_cols = self.kernel.cols();
        // What is kept of the blocks of k before this one.
        let before = plan.keep_b.map_or(0, |_| steps.start);
        let packed_b = &mut packed_b[before * cols.len().next_multiple_of(strip_cols)..];
        let width = strip_cols.min(self.kernel.vectors(cols.len()) * self.kernel.lanes);
        if plan.pack_b && rows.start == 0 && !plan.is_there {
            let group = if self.b.col_stride() == 1 { MAX_LANES } else { strip_cols };
            for part in parts(cols.clone(), group / strip_cols * strip_cols) {
                let place = (part.start - cols.start) * steps.len();
                self.pack_b(&part, steps, &mut packed_b[place..], width);
            }
        }
        for strip in parts(cols.clone(), strip_cols) {
            let (b, b_step) = if plan.pack_b {
                let place = (strip.start - cols.start) * steps.len();
                (packed_b[place..place + width * steps.len()].as_ptr(), width)
            } else {
                (self.b.at(steps.start, strip.start), self.b.row_stride())
            };
            let strip = Block { cols: strip, ..block.clone() };
            let packed_a = plan.pack_a.then_some(&*packed_a);
            self.strip(&strip, packed_a, (b, b_step), epilogue);
        }
        if block.cols.end > wide {
            let narrow = Block { cols: wide..block.cols.end, ..block.clone() };
            self.narrow(&narrow, scratch, epilogue);
        }
    }

    /// The tiles of a block as wide as one tile. `b` is where its first row of B lies, and how
    /// far the next.
    fn strip(
        &mut self,
        block: &Block,
        packed_a: Option<&[f32]>,
        (b, b_step): (*const f32, usize),
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
    ) {
        let Block { rows, cols, steps, .. } = block;
        let tallest = self.kernel.rows();
        let vectors = self.kernel.vectors(cols.len());
        let picks = if packed_a.is_some() { None } else { self.a.picked_columns(steps.start) };
        let tail = cols.len() - (vectors - 1) * self.kernel.lanes;
        let kind = match picks {
            Some(_) => PICK,
            None if tail == self.kernel.lanes => WHOLE,
            None => TAIL,
        };
        let mut tile = Tile {
            a: [std::ptr::null(); MAX_ROWS],
            next: std::ptr::null(),
            a_step: if packed_a.is_some() { tallest } else { self.a.col_stride() },
            is_packed: packed_a.is_some(),
            picks: picks.map_or(std::ptr::null(), <[u32]>::as_ptr),
            b,
            b_step,
            depth: steps.len(),
            c: std::ptr::null_mut(),
            c_step: self.c.leading(),
            tail,
            accumulate: steps.start > 0 || self.beta == Beta::Accumulate,
        };
        let mut next = [b; MAX_ROWS];
        let mut runs = Runs::new(rows.start, cols.clone(), &self.c);
        for part in parts(rows.clone(), tallest) {
            let (i, height) = (part.start, part.len());
            // The places are written one by one: the kernel's loads of them must not wait for
            // a wider store to leave the store queue.
            if let Some(packed) = packed_a {
                let panel = packed[(i - rows.start) * (steps.len() + GAP)..].as_ptr();
                for (lane, place) in tile.a.iter_mut().enumerate() {
                    *place = panel.wrapping_add(lane);
                }
            } else {
                self.a.find_rows(i, steps.start, &mut tile.a[..height]);
                let after = part.end..self.c.rows().min(part.end + tallest);
                if steps.len() >= AHEAD && picks.is_none() && !after.is_empty() {
                    self.a.find_rows(after.start, steps.start, &mut next[..after.len()]);
                    tile.next = &raw const next;
                }
            }
            tile.c = self.c.at(i, cols.start);
            let kernel = self.kernel.tiles[height - 1][vectors - 1][kind];
            // SAFETY: this processor has the kernel's features, as `Kernel::all` says. The views
            // hold rows `i..i + height`, `cols` and `steps` of A, B and C; where A or B is
            // packed, `pack_a` and `pack_b` have filled the panels that the tile reads.
            unsafe { kernel(&tile) };
            if block.hands_on {
                runs.hand_on(part.end, part.end == rows.end, &mut self.c, epilogue);
            }
        }
    }

    /// Packs rows of A: a tile's height, or up to `MAX_GROUP` if columns are runs.
    fn pack_a(&self, rows: &Range<usize>, steps: &Range<usize>, to: &mut [f32]) {
        let mut lanes = [std::ptr::null(); MAX_GROUP];
        let lanes = &mut lanes[..rows.len()];
        self.a.find_rows(rows.start, steps.start, lanes);
        let mut next = [std::ptr::null(); MAX_ROWS];
        let after = rows.end..self.c.rows().min(rows.end + self.kernel.rows());
        let next = &mut next[..if self.a.rows_are_runs() { after.len() } else { 0 }];
        self.a.find_rows(after.start, steps.start, next);
        self.pack(&mut Panel {
            lanes,
            next,
            adjacent: self.a.columns_are_runs(),
            step: self.a.col_stride(),
            picks: self.a.picked_columns(steps.start),
            depth: steps.len(),
            width: self.kernel.rows(),
            stride: steps.len() + GAP,
            to,
        });
    }

    /// Packs a strip of B.
    fn pack_b(&self, cols: &Range<usize>, steps: &Range<usize>, to: &mut [f32], width: usize) {
        let mut lanes = [std::ptr::null(); MAX_LANES];
        let lanes = &mut lanes[..cols.len()];
        let mut next = [std::ptr::null(); MAX_LANES];
        let after = cols.end..self.c.cols().min(cols.end + cols.len());
        let next = &mut next[..if self.b.col_stride() == 1 { 0 } else { after.len() }];
        for (lane, j) in lanes.iter_mut().zip(cols.clone()).chain(next.iter_mut().zip(after)) {
            *lane = self.b.at(steps.start, j);
        }
        self.pack(&mut Panel {
            lanes,
            next,
            adjacent: self.b.col_stride() == 1,
            step: self.b.row_stride(),
            picks: None,
            depth: steps.len(),
            width,
            stride: steps.len(),
            to,
        });
    }

    fn pack(&self, panel: &mut Panel) {
        // SAFETY: this processor has the kernel's features, as `Kernel::all` says, and the lanes
        // and steps are those of a block of A or B.
        unsafe { (self.kernel.pack)(panel) };
    }
}
