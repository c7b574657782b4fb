//! The micro-kernels with 512-bit vectors: tiles of 8 rows by 48 columns.

use super::kernel::{Kernel, PICK, TAIL, Tile, Vector, WHOLE, kernel, tile};
use super::kernel_dots::dots;
use super::kernel_upright::{UprightTile, upright};
use super::pack::{Panel, pack};
use std::arch::x86_64::*;

pub(super) static KERNEL: Kernel = kernel!(
    16,
    [tile_avx512, dots_avx512, upright_avx512],
    pack_avx512,
    [1, 2, 3, 4, 5, 6, 7, 8],
    [1, 2, 3, 4]
);

#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn tile_avx512<const MR: usize, const NV: usize, const KIND: usize>(t: &Tile) {
    // SAFETY: the contract is the caller's, and the feature is enabled here.
    unsafe { tile::<V512, MR, NV, KIND>(t) }
}

#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn dots_avx512<const MR: usize, const NR: usize>(t: &Tile) {
    // SAFETY: the contract is the caller's, and the feature is enabled here.
    unsafe { dots::<V512, MR, NR>(t) }
}

#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn upright_avx512<const NR: usize, const NV: usize>(t: &UprightTile) {
    // SAFETY: the contract is the caller's, and the feature is enabled here.
    unsafe { upright::<V512, NR, NV>(t) }
}

#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn pack_avx512(panel: &mut Panel) {
    // SAFETY: the contract is the caller's, and the feature is enabled here.
    unsafe { pack::<V512>(panel) }
}

/// Four columns of 16 rows as rows: number i has rows i, i + 4, i + 8 and i + 12.
///
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
unsafe fn quads([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
    // SAFETY: the feature is the caller's.
    unsafe {
        let [even, odd] = [_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d)];
        let [even, odd] = [_mm512_castps_pd(even), _mm512_castps_pd(odd)];
        let [first, second] = [_mm512_unpacklo_pd(even, odd), _mm512_unpackhi_pd(even, odd)];
        let [even, odd] = [_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d)];
        let [even, odd] = [_mm512_castps_pd(even), _mm512_castps_pd(odd)];
        let [third, fourth] = [_mm512_unpacklo_pd(even, odd), _mm512_unpackhi_pd(even, odd)];
        [
            _mm512_castpd_ps(first),
            _mm512_castpd_ps(second),
            _mm512_castpd_ps(third),
            _mm512_castpd_ps(fourth),
        ]
    }
}

#[derive(Clone, Copy)]
struct V512(__m512);

// SAFETY of every block below: the trait's contract gives the feature and the addresses.
impl Vector for V512 {
    const LANES: usize = 16;
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: as said above.
        Self(unsafe { _mm512_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __mmask16 {
        0xffff >> (16 - lanes)
    }

    #[inline(always)]
    unsafe fn splat(from: *const f32) -> Self {
        // SAFETY: as said above.
        Self(unsafe { _mm512_set1_ps(*from) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as said above.
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, mask: __mmask16) -> Self {
        // SAFETY: as said above; lanes outside of the mask are not accessed.
        Self(unsafe { _mm512_maskz_loadu_ps(mask, from) })
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        // SAFETY: a prefetch accesses nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as said above.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, mask: __mmask16) {
        // SAFETY: as said above; lanes outside of the mask are not accessed.
        unsafe { _mm512_mask_storeu_ps(to, mask, self.0) }
    }

    #[inline(always)]
    unsafe fn store_halves(self, low: *mut f32, high: *mut f32) {
        // SAFETY: as said above.
        unsafe {
            _mm256_storeu_ps(low, _mm512_castps512_ps256(self.0));
            let upper = _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0));
            _mm256_storeu_ps(high, _mm256_castpd_ps(upper));
        }
    }

    #[inline(always)]
    unsafe fn store_rows<const N: usize>(columns: [Self; N], to: *mut f32, step: usize) {
        const { assert!(N <= 8) };
        let mask = ((1u32 << N) - 1) as __mmask8;
        // SAFETY: as said above.
        unsafe {
            let none = Self::zero();
            let column = |j: usize| columns.get(j).unwrap_or(&none).0;
            let first = quads([column(0), column(1), column(2), column(3)]);
            let second = quads([column(4), column(5), column(6), column(7)]);
            // Of two rows the first four columns, and the others behind them.
            let upper = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
            let lower = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
            for (i, (first, second)) in first.into_iter().zip(second).enumerate() {
                let row = |at: usize| to.add((i + 4 * at) * step);
                if N <= 4 {
                    _mm_mask_storeu_ps(row(0), mask, _mm512_castps512_ps128(first));
                    _mm_mask_storeu_ps(row(1), mask, _mm512_extractf32x4_ps::<1>(first));
                    _mm_mask_storeu_ps(row(2), mask, _mm512_extractf32x4_ps::<2>(first));
                    _mm_mask_storeu_ps(row(3), mask, _mm512_extractf32x4_ps::<3>(first));
                    continue;
                }
                let (first, second) = (_mm512_castps_pd(first), _mm512_castps_pd(second));
                for (at, index) in [(0, upper), (2, lower)] {
                    let rows = _mm512_permutex2var_pd(first, index, second);
                    let halves = [_mm512_castpd512_pd256(rows), _mm512_extractf64x4_pd::<1>(rows)];
                    _mm256_mask_storeu_ps(row(at), mask, _mm256_castpd_ps(halves[0]));
                    _mm256_mask_storeu_ps(row(at + 1), mask, _mm256_castpd_ps(halves[1]));
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, to: Self) -> Self {
        // SAFETY: as said above.
        Self(unsafe { _mm512_fmadd_ps(self.0, by.0, to.0) })
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as said above.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }
}
