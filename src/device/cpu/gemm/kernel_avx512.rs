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

#[target_feature(enable = "avx512f")]
unsafe fn tile_avx512<const MR: usize, const NV: usize, const KIND: usize>(t: &Tile) {
    // SAFETY: the contract is the caller's, and the feature is enabled here.
    unsafe { tile::<V512, MR, NV, KIND>(t) }
}

#[target_feature(enable = "avx512f")]
unsafe fn dots_avx512<const MR: usize, const NR: usize>(t: &Tile) {
    // SAFETY: the contract is the caller's, and the feature is enabled here.
    unsafe { dots::<V512, MR, NR>(t) }
}

#[target_feature(enable = "avx512f")]
unsafe fn upright_avx512<const NR: usize, const NV: usize>(t: &UprightTile) {
    // SAFETY: the contract is the caller's, and the feature is enabled here.
    unsafe { upright::<V512, NR, NV>(t) }
}

#[target_feature(enable = "avx512f")]
unsafe fn pack_avx512(panel: &mut Panel) {
    // SAFETY: the contract is the caller's, and the feature is enabled here.
    unsafe { pack::<V512>(panel) }
}

/// Stores the first 1 to 4 numbers.
///
/// # Safety
/// There is room for `count` floats.
#[inline(always)]
unsafe fn store_row(row: __m128, to: *mut f32, count: usize) {
    // SAFETY: the room is the caller's; these instructions are in every x86-64.
    unsafe {
        match count {
            4.. => _mm_storeu_ps(to, row),
            1 => _mm_store_ss(to, row),
            _ => {
                _mm_storel_pd(to.cast(), _mm_castps_pd(row));
                if count == 3 {
                    _mm_store_ss(to.add(2), _mm_movehl_ps(row, row));
                }
            }
        }
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
        // SAFETY: as said above.
        unsafe {
            let column = |j: usize| columns.get(j).map_or(_mm512_setzero_ps(), |column| column.0);
            let pairs = |at: usize| {
                let (even, odd) = (column(at), column(at + 1));
                [_mm512_unpacklo_ps(even, odd), _mm512_unpackhi_ps(even, odd)]
                    .map(|pairs| _mm512_castps_pd(pairs))
            };
            for first in (0..N).step_by(4) {
                let ([a, b], [c, d]) = (pairs(first), pairs(first + 2));
                // Number i has rows i, i + 4, i + 8 and i + 12.
                let quads = [
                    _mm512_unpacklo_pd(a, c),
                    _mm512_unpackhi_pd(a, c),
                    _mm512_unpacklo_pd(b, d),
                    _mm512_unpackhi_pd(b, d),
                ];
                for (i, quads) in quads.into_iter().enumerate() {
                    let quads = _mm512_castpd_ps(quads);
                    let row = |at: usize| to.add((i + 4 * at) * step + first);
                    store_row(_mm512_extractf32x4_ps::<0>(quads), row(0), N - first);
                    store_row(_mm512_extractf32x4_ps::<1>(quads), row(1), N - first);
                    store_row(_mm512_extractf32x4_ps::<2>(quads), row(2), N - first);
                    store_row(_mm512_extractf32x4_ps::<3>(quads), row(3), N - first);
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
