//! Micro-kernels for columns of C that would fill only a small part of a vector.

use super::kernel::{AHEAD, HALVES, MAX_LANES, PICKED, Tile, Vector, store_first_rows};

/// The body of every [`DotFn`](super::kernel::DotFn).
///
/// # Safety
/// As there, and the caller enables the features of `V`.
#[inline(always)]
pub(super) unsafe fn dots<V: Vector, const MR: usize, const NR: usize>(t: &Tile) {
    // SAFETY: the caller's contract is that of every access below: `depth` elements of `MR` rows
    // of A and `NR` columns of B, and as many elements of C.
    unsafe {
        let a: [*const f32; MR] = std::array::from_fn(|i| t.a[i]);
        let mut sums = [[V::zero(); NR]; MR];
        let mut p = 0;
        while p + V::LANES <= t.depth {
            let mut b = [V::zero(); NR];
            for (j, b) in b.iter_mut().enumerate() {
                *b = V::load(t.b.add(j * t.b_step + p));
            }
            for (a, sums) in a.iter().zip(&mut sums) {
                let x = V::load(a.add(p));
                V::prefetch(a.wrapping_add(p + AHEAD));
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = x.mul_add(b, *sum);
                }
            }
            p += V::LANES;
        }
        if p < t.depth {
            let tail = V::mask(t.depth - p);
            for (a, sums) in a.iter().zip(&mut sums) {
                let x = V::load_first(a.add(p), tail);
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum = x.mul_add(V::load_first(t.b.add(j * t.b_step + p), tail), *sum);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, sum) in sums.iter().enumerate() {
                let c = t.c.add(i * t.c_step + j);
                *c = if t.accumulate { *c + sum.sum() } else { sum.sum() };
            }
        }
    }
}

/// The body of every [`ColumnFn`](super::kernel::ColumnFn). Each element is the same chain of
/// multiply-adds as in a tile.
///
/// # Safety
/// As there, and the caller enables the features of `V`.
#[inline(always)]
pub(super) unsafe fn columns<V: Vector, const NR: usize, const NV: usize, const KIND: usize>(
    t: &Tile,
) {
    const { assert!(V::LANES <= MAX_LANES) };
    let mut lanes = [0.0; MAX_LANES];
    let rows = |v: usize| if v + 1 < NV { V::LANES } else { t.tail };
    // SAFETY: the caller's contract is that of every access below: `NV - 1` whole vectors of rows of
    // A and C and the `tail` first lanes of another, and `NR` columns of B and C.
    unsafe {
        let tail = V::mask(t.tail);
        let mut sums = [[V::zero(); NR]; NV];
        if t.accumulate {
            for (v, sums) in sums.iter_mut().enumerate() {
                for (j, sum) in sums.iter_mut().enumerate() {
                    for (i, lane) in lanes.iter_mut().enumerate().take(rows(v)) {
                        *lane = *t.c.add((v * V::LANES + i) * t.c_step + j);
                    }
                    *sum = V::load(lanes.as_ptr());
                }
            }
        }
        let (mut b_row, mut column) = (t.b, 0);
        for p in 0..t.depth {
            let at = if KIND == PICKED { *t.picks.add(p) as usize * t.a_step } else { column };
            let mut b = [V::zero(); NR];
            for (j, b) in b.iter_mut().enumerate() {
                *b = V::splat(b_row.add(j));
            }
            for (v, sums) in sums.iter_mut().enumerate() {
                let from = t.a[0].wrapping_add(at + v * V::LANES);
                let x = if KIND == HALVES {
                    V::load_halves(t.a[2 * v].add(at), t.a[2 * v + 1].add(at))
                } else if v + 1 < NV {
                    V::load(from)
                } else {
                    V::load_first(from, tail)
                };
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = x.mul_add(b, *sum);
                }
            }
            b_row = b_row.wrapping_add(t.b_step);
            column = column.wrapping_add(t.a_step);
        }
        for (v, sums) in sums.into_iter().enumerate() {
            let c = t.c.add(v * V::LANES * t.c_step);
            match rows(v) {
                count if count < V::LANES => store_first_rows(sums, c, t.c_step, count),
                _ => V::store_rows(sums, c, t.c_step),
            }
        }
    }
}
