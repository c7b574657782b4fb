//! Micro-kernels whose vectors lie along the rows of C, so that its columns need not fill vectors.
//!
//! Between its multiply-adds a tile copies a part of the panel of A that the next tiles read. They leave
//! room for these few instructions, and go on while memory delivers.

use super::kernel::{LINE, MAX_LANES, Vector, store_first_rows};
use super::pack::copy_step;
use std::ops::Range;

/// The most columns of an upright tile: with 4 vectors of rows 24 accumulators, 4 vectors of A and a
/// broadcast of 32 registers, and 10 loads for 24 multiply-adds.
pub(super) const COLUMNS: usize = 6;
/// How many steps ahead those that are copied are asked for.
const AHEAD: usize = 4;

/// Where the steps of k of an operand lie: of each a number of floats side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) first: *const f32,
    /// Floats from a step to the next.
    pub(super) stride: usize,
    /// The steps to use, if they are picked, else null.
    pub(super) picks: *const u32,
}

impl Steps {
    /// # Safety
    /// If steps are picked, there is a pick for `p`.
    #[inline(always)]
    unsafe fn at(&self, p: usize) -> *const f32 {
        // SAFETY: the caller's.
        let step = if self.picks.is_null() { p } else { unsafe { *self.picks.add(p) as usize } };
        self.first.wrapping_add(step * self.stride)
    }
}

/// Steps to copy to a panel while a tile is computed.
#[derive(Debug, Clone)]
pub(super) struct Carry {
    pub(super) from: Steps,
    /// Floats of a step.
    pub(super) lanes: usize,
    /// All steps of the panel.
    pub(super) depth: usize,
    pub(super) to: *mut f32,
    /// Floats from a step of the panel to the next, at least `lanes`.
    pub(super) width: usize,
    /// Those to copy during this tile, no more than it has.
    pub(super) steps: Range<usize>,
    /// The tile's steps from one of them to the next: few enough for all, and at least one.
    pub(super) every: usize,
}

impl Carry {
    /// Copies the first of `steps`, and takes it off; if there is one.
    ///
    /// # Safety
    /// As [`UprightFn`], and the caller enables the features of `V`.
    #[inline(always)]
    unsafe fn copy<V: Vector>(&self, steps: &mut Range<usize>) {
        let Some(p) = steps.next() else { return };
        // SAFETY: the caller's contract.
        unsafe {
            let ahead = self.from.at((p + AHEAD).min(self.depth - 1));
            for lane in (0..self.lanes).step_by(LINE) {
                V::prefetch(ahead.wrapping_add(lane));
            }
            copy_step::<V>(self.from.at(p), self.lanes, self.to.add(p * self.width));
        }
    }
}

/// What one call of an upright tile computes: `C (+)= A.B` over `depth` steps.
#[derive(Debug, Clone)]
pub(super) struct UprightTile {
    /// The rows of A, side by side for each step.
    pub(super) a: Steps,
    pub(super) b: *const f32,
    /// Floats from a row of B to the next.
    pub(super) b_step: usize,
    pub(super) depth: usize,
    pub(super) c: *mut f32,
    pub(super) c_step: usize,
    /// Lanes of the last vector that are rows of C: 1 to `lanes`.
    pub(super) tail: usize,
    /// Whether to add to C; else C is not read.
    pub(super) accumulate: bool,
    pub(super) carry: Carry,
}

/// An upright tile of a fixed number of columns and vectors.
///
/// # Safety
/// The processor has the kernel's features, and every address that [`UprightTile`] describes for this
/// number of columns and vectors can be read (A, B, what is copied) or written (C, the panel).
pub(super) type UprightFn = unsafe fn(&UprightTile);

/// The body of every [`UprightFn`]. Each element is the same chain of multiply-adds as in a tile.
///
/// # Safety
/// As there, and the caller enables the features of `V`.
#[inline(always)]
pub(super) unsafe fn upright<V: Vector, const NR: usize, const NV: usize>(t: &UprightTile) {
    // SAFETY: the caller's contract is that of every access below: `NV - 1` whole vectors of rows of
    // A and C and the `tail` first lanes of another, and `NR` columns of B and C.
    unsafe {
        let tail = V::mask(t.tail);
        let mut sums = if t.accumulate { load_sums(t) } else { [[V::zero(); NR]; NV] };
        let (mut b_row, mut p) = (t.b, 0);
        let mut copies = t.carry.steps.clone();
        while p < t.depth {
            t.carry.copy::<V>(&mut copies);
            let end = t.depth.min(p + t.carry.every);
            while p < end {
                let from = t.a.at(p);
                let x: [V; NV] = std::array::from_fn(|v| {
                    let from = from.wrapping_add(v * V::LANES);
                    if v + 1 < NV { V::load(from) } else { V::load_first(from, tail) }
                });
                for j in 0..NR {
                    let b = V::splat(b_row.add(j));
                    for (x, sums) in x.iter().zip(&mut sums) {
                        sums[j] = x.mul_add(b, sums[j]);
                    }
                }
                b_row = b_row.wrapping_add(t.b_step);
                p += 1;
            }
        }
        for (v, sums) in sums.into_iter().enumerate() {
            let c = t.c.add(v * V::LANES * t.c_step);
            if v + 1 < NV || t.tail == V::LANES {
                V::store_rows(sums, c, t.c_step);
            } else {
                store_first_rows(sums, c, t.c_step, t.tail);
            }
        }
    }
}

/// What C holds, as vectors along its rows.
///
/// # Safety
/// As [`upright`].
#[inline(always)]
unsafe fn load_sums<V: Vector, const NR: usize, const NV: usize>(t: &UprightTile) -> [[V; NR]; NV] {
    const { assert!(V::LANES <= MAX_LANES) };
    let mut lanes = [0.0; MAX_LANES];
    // SAFETY: the caller's contract.
    unsafe {
        let mut sums = [[V::zero(); NR]; NV];
        for (v, sums) in sums.iter_mut().enumerate() {
            let rows = if v + 1 < NV { V::LANES } else { t.tail };
            for (j, sum) in sums.iter_mut().enumerate() {
                for (i, lane) in lanes.iter_mut().enumerate().take(rows) {
                    *lane = *t.c.add((v * V::LANES + i) * t.c_step + j);
                }
                *sum = V::load(lanes.as_ptr());
            }
        }
        sums
    }
}
