//! The driver: cuts a product into blocks, packs them, and goes over their tiles.
//!
//! From the outside in: blocks of k, blocks of rows, panels of columns, strips of two tiles of
//! columns, pairs of tiles of rows. A block of A lies packed in the L2 cache while the panels of B
//! go past it, each packed as it comes. A narrow B is one panel and packed once for all rows.

use super::super::engine::Operands;
use super::super::product::parts;
use super::super::runs::Runs;
use super::super::{Beta, Lhs, Scratch};
use super::pack::{Along, Lanes, pack, prefetch};
use super::tile::{TILES, Tiles};
use super::unit::Unit;
use super::{DEPTH, PAIR, PAIRS, PIECES, TILE};
use std::ops::Range;

/// The most steps of a block of k: C is read and written once a block.
const KC: usize = 512;
/// The most rows of a block of A, for each of which a B of several panels is packed anew.
const MC: usize = 512;
/// The most rows of a block of A where B is one panel.
const LIGHT_MC: usize = 256;
/// The most elements of a block of A: packed 1.1 MiB of an L2 cache of 2 MiB.
const BLOCK: usize = MC * 384;
/// Columns of a panel of B: with `KC` steps 384 KiB.
const NC: usize = 128;
/// Chunks of a lane that are asked for ahead.
const AHEAD: usize = 4;

/// A part of the product.
struct Block {
    rows: Range<usize>,
    cols: Range<usize>,
    steps: Range<usize>,
}

/// The packed pairs of the largest blocks of A and B, for products of at most (m, n, k).
pub(in super::super) fn room(m: usize, n: usize, k: usize) -> [usize; 2] {
    let (rows, steps) = (m.min(MC), k.min(KC));
    [pairs(rows, steps).min(BLOCK / 2 * PIECES), pairs(n.min(NC), steps)]
}

/// The rows of a block of A, and the steps of a block of k.
fn block_size(m: usize, n: usize, k: usize) -> [usize; 2] {
    let rows = m.clamp(1, if n > NC { MC } else { LIGHT_MC }).next_multiple_of(PAIR);
    let most = KC.min(BLOCK / rows / DEPTH * DEPTH);
    let steps = k.div_ceil(k.div_ceil(most).max(1)).next_multiple_of(DEPTH);
    [rows, steps]
}

/// The packed pairs of so many lanes.
fn pairs(lanes: usize, steps: usize) -> usize {
    lanes.div_ceil(TILE) * chunks(steps) * PIECES * PAIRS
}

/// Chunks of a block of k; one if there are no steps, as there still is a C to overwrite.
fn chunks(steps: usize) -> usize {
    steps.div_ceil(DEPTH).max(1)
}

impl Operands<'_, '_> {
    /// Computes the product on the matrix unit and hands its elements to the epilogue in runs; see `Work::run`.
    ///
    /// # Safety
    /// The unit is there, the shapes agree, and C has elements.
    pub(in super::super) unsafe fn run_on_amx(
        mut self,
        mut epilogue: impl FnMut(usize, usize, &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let (m, n, k) = (self.c.rows(), self.c.cols(), self.b.rows());
        scratch.reserve_tiles(room(m, n, k));
        let (packed_a, packed_b) = scratch.tiles();
        // SAFETY: the unit is there, says the caller.
        let unit = unsafe { Unit::configure() };
        // Columns of B are to it what rows are to A.
        let (a, b) = (self.a, Lhs::from(self.b.transposed()));
        let [mc, kc] = block_size(m, n, k);
        let mut steps = 0..k.min(kc);
        loop {
            for rows in parts(0..m, mc) {
                pack_lanes(&a, &rows, &steps, Along::Steps, packed_a);
                for cols in parts(0..n, NC) {
                    if n > NC || rows.start == 0 {
                        pack_lanes(&b, &cols, &steps, Along::Lanes, packed_b);
                    }
                    let block = Block { rows: rows.clone(), cols, steps: steps.clone() };
                    self.block(&unit, &block, (packed_a, packed_b), &mut epilogue);
                }
            }
            // Without any step there still is a C to overwrite, so the end is looked for here.
            if steps.end == k {
                break;
            }
            steps = steps.end..k.min(steps.end + kc);
        }
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
    if rows.is_multiple_of(TILE) && cols.is_multiple_of(TILE) {
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

/// Packs rows of an operand over a block of k.
fn pack_lanes(
    of: &Lhs<'_>,
    rows: &Range<usize>,
    steps: &Range<usize>,
    along: Along,
    to: &mut [u32],
) {
    let mut lanes = [std::ptr::null(); MC];
    let lanes = &mut lanes[..rows.len()];
    of.find_rows(rows.start, steps.start, lanes);
    let lanes = Lanes {
        lanes,
        adjacent: of.columns_are_runs(),
        step: of.col_stride(),
        picks: of.picked_columns(steps.start),
        steps: steps.len(),
    };
    pack_all(&lanes, along, to);
}

/// Packs lanes over a block of k: pairs of tiles, of each its chunks, of each its pieces.
fn pack_all(all: &Lanes, along: Along, to: &mut [u32]) {
    let chunks = chunks(all.steps);
    let tiles = all.lanes.len().div_ceil(TILE);
    let lanes = |tile: usize| &all.lanes[tile * TILE..all.lanes.len().min((tile + 1) * TILE)];
    let mut pack_one = |tile: usize, chunk: usize| {
        let lanes = Lanes { lanes: lanes(tile), ..*all };
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
        for tile in 0..tiles {
            for chunk in 0..chunks {
                // Lanes may lie anywhere, so a few chunks are asked for.
                let ahead = chunk + AHEAD;
                let (tile_ahead, ahead) = (tile + ahead / chunks, ahead % chunks);
                if tile_ahead < tiles {
                    prefetch(lanes(tile_ahead), ahead * DEPTH);
                }
                pack_one(tile, chunk);
            }
        }
    }
}
