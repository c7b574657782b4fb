//! Micro-kernels for columns of C that would fill only a small part of a vector: dot products.

use super::kernel::{AHEAD, Tile, Vector};

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
