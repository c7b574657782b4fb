//! The driver: cuts a product into blocks, packs them, and goes over their tiles.
//!
//! From the outside in: blocks of k, blocks of rows, panels of columns, strips of two tiles of
//! columns, pairs of tiles of rows. A block of A lies packed in the L2 cache while the panels of B
//! go past it, each packed as it comes. A narrow B is one panel and packed once for all rows.

use super::super::product::parts;
use super::super::runs::Runs;
use super::super::{Beta, Lhs, MatMut, MatRef, Scratch};
use super::pack::{Along, Lanes, pack};
use super::tile::{TILES, Tiles};
use super::unit::Unit;
use super::{DEPTH, PAIRS, PIECES, TILE};
use std::ops::Range;

/// Rows of a pair of tiles, and columns of a strip.
const PAIR: usize = 2 * TILE;
/// Steps of a block of k: C is read and written once a block.
const KC: usize = 512;
/// Rows of a block of A: with `KC` steps 768 KiB of an L2 cache of 2 MiB.
const MC: usize = 256;
/// Columns of a panel of B: with `KC` steps 384 KiB.
const NC: usize = 128;

/// A product on the matrix unit.
pub(in super::super) struct Product<'a, 'c> {
    pub(in super::super) a: Lhs<'a>,
    pub(in super::super) b: MatRef<'a>,
    pub(in super::super) c: MatMut<'c>,
    pub(in super::super) beta: Beta,
}

/// A part of the product.
struct Block {
    rows: Range<usize>,
    cols: Range<usize>,
    steps: Range<usize>,
}

/// The packed pairs of the largest blocks of A and B of a product (m, n, k).
pub(in super::super) fn room(m: usize, n: usize, k: usize) -> [usize; 2] {
    let steps = k.min(KC);
    [pairs(m.min(MC), steps), pairs(n.min(NC), steps)]
}

/// The packed pairs of so many lanes.
fn pairs(lanes: usize, steps: usize) -> usize {
    lanes.div_ceil(TILE) * chunks(steps) * PIECES * PAIRS
}

/// Chunks of a block of k; one if there are no steps, as there still is a C to overwrite.
fn chunks(steps: usize) -> usize {
    steps.div_ceil(DEPTH).max(1)
}

impl Product<'_, '_> {
    /// Computes the product and hands its elements to the epilogue in runs; see `Work::run`.
    ///
    /// # Safety
    /// The unit is there.
    pub(in super::super) unsafe fn run(
        mut self,
        mut epilogue: impl FnMut(usize, usize, &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let (m, n, k) = (self.c.rows(), self.c.cols(), self.b.rows());
        assert!(self.a.rows() == m && self.a.cols() == k && self.b.cols() == n, "shapes disagree");
        if m == 0 || n == 0 {
            return;
        }
        scratch.reserve_tiles(room(m, n, k));
        let (packed_a, packed_b) = scratch.tiles();
        // SAFETY: the unit is there, says the caller.
        let unit = unsafe { Unit::configure() };
        let mut steps = 0..k.min(KC);
        loop {
            for rows in parts(0..m, MC) {
                self.pack_a(&rows, &steps, packed_a);
                for cols in parts(0..n, NC) {
                    if n > NC || rows.start == 0 {
                        self.pack_b(&cols, &steps, packed_b);
                    }
                    let block = Block { rows: rows.clone(), cols, steps: steps.clone() };
                    self.block(&unit, &block, (packed_a, packed_b), &mut epilogue);
                }
            }
            // Without any step there still is a C to overwrite, so the end is looked for here.
            if steps.end == k {
                break;
            }
            steps = steps.end..k.min(steps.end + KC);
        }
    }

    fn pack_a(&self, rows: &Range<usize>, steps: &Range<usize>, to: &mut [u32]) {
        let mut lanes = [std::ptr::null(); MC];
        let lanes = &mut lanes[..rows.len()];
        self.a.find_rows(rows.start, steps.start, lanes);
        let lanes = Lanes {
            lanes,
            adjacent: self.a.columns_are_runs(),
            step: self.a.col_stride(),
            picks: self.a.picked_columns(steps.start),
            steps: steps.len(),
        };
        pack_all(&lanes, Along::Steps, to);
    }

    fn pack_b(&self, cols: &Range<usize>, steps: &Range<usize>, to: &mut [u32]) {
        let mut lanes = [std::ptr::null(); NC];
        let lanes = &mut lanes[..cols.len()];
        for (lane, j) in lanes.iter_mut().zip(cols.clone()) {
            *lane = self.b.at(steps.start, j);
        }
        let lanes = Lanes {
            lanes,
            adjacent: self.b.col_stride() == 1,
            step: self.b.row_stride(),
            picks: None,
            steps: steps.len(),
        };
        pack_all(&lanes, Along::Lanes, to);
    }

    /// One block, strip by strip.
    fn block(
        &mut self,
        unit: &Unit,
        Block { rows, cols, steps }: &Block,
        (packed_a, packed_b): (&[u32], &[u32]),
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
    ) {
        let last = steps.end == self.b.rows();
        for strip in parts(cols.clone(), PAIR) {
            let mut runs = Runs::new(rows.start, strip.clone(), &self.c);
            for pair in parts(rows.clone(), PAIR) {
                let a = &packed_a[pairs(pair.start - rows.start, steps.len())..];
                let b = &packed_b[pairs(strip.start - cols.start, steps.len())..];
                let accumulate = steps.start > 0 || self.beta == Beta::Accumulate;
                let tiles = Tiles {
                    a: a.as_ptr(),
                    b: b.as_ptr(),
                    chunks: chunks(steps.len()),
                    c: self.c.at(pair.start, strip.start),
                    c_step: self.c.leading(),
                    accumulate,
                };
                multiply(unit, &tiles, pair.len(), strip.len());
                if last {
                    runs.hand_on(pair.end, pair.end == rows.end, &mut self.c, epilogue);
                }
            }
        }
    }
}

/// Two by two tiles of C or fewer. Where rows or columns are not whole tiles, in memory of our own.
fn multiply(_unit: &Unit, tiles: &Tiles, rows: usize, cols: usize) {
    let kernel = TILES[rows.div_ceil(TILE) - 1][cols.div_ceil(TILE) - 1];
    if rows % TILE == 0 && cols % TILE == 0 {
        // SAFETY: the unit is configured, as there is one; the driver has packed tiles for these
        // rows and columns, and C has whole tiles.
        return unsafe { kernel(tiles) };
    }
    let mut whole = [0.0; PAIR * PAIR];
    let row = |i: usize| tiles.c.wrapping_add(i * tiles.c_step);
    if tiles.accumulate {
        for (i, whole) in whole.chunks_exact_mut(PAIR).enumerate().take(rows) {
            // SAFETY: C has the row, and its columns.
            unsafe { row(i).copy_to_nonoverlapping(whole.as_mut_ptr(), cols) };
        }
    }
    // SAFETY: as above, with whole tiles of our own.
    unsafe { kernel(&Tiles { c: whole.as_mut_ptr(), c_step: PAIR, ..*tiles }) };
    for (i, whole) in whole.chunks_exact(PAIR).enumerate().take(rows) {
        // SAFETY: C has the row, and its columns.
        unsafe { row(i).copy_from_nonoverlapping(whole.as_ptr(), cols) };
    }
}

/// Packs lanes over a block of k: pairs of tiles, of each its chunks, of each its pieces.
fn pack_all(all: &Lanes, along: Along, to: &mut [u32]) {
    let chunks = chunks(all.steps);
    let tiles = all.lanes.len().div_ceil(TILE);
    let mut pack_one = |tile: usize, chunk: usize| {
        let end = all.lanes.len().min((tile + 1) * TILE);
        let lanes = Lanes { lanes: &all.lanes[tile * TILE..end], ..*all };
        let first = tile & !1;
        let beside = (tiles - first).min(2);
        let place = (first * chunks + chunk * beside) * PIECES * PAIRS + (tile - first) * PAIRS;
        // SAFETY: a processor that has the unit has AVX-512; the lanes are those of an operand.
        unsafe { pack(&lanes, chunk * DEPTH, along, beside * PAIRS, &mut to[place..]) };
    };
    // As they lie in memory.
    if all.adjacent {
        (0..chunks).for_each(|chunk| (0..tiles).for_each(|tile| pack_one(tile, chunk)));
    } else {
        (0..tiles).for_each(|tile| (0..chunks).for_each(|chunk| pack_one(tile, chunk)));
    }
}
