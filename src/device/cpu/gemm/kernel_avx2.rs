//! The micro-kernels with 256-bit vectors: tiles of 4 rows by 24 columns, which leaves one of the
//! 16 registers for the broadcast of A beside 12 sums and 3 vectors of B.

use super::kernel::{Kernel, PICK, TAIL, Tile, Vector, WHOLE, kernel, tile};
use super::kernel_dots::dots;
use super::kernel_upright::{UprightTile, upright};
use super::pack::{Panel, pack};
use std::arch::x86_64::*;

pub(super) static KERNEL: Kernel =
    kernel!(8, [tile_avx2, dots_avx2, upright_avx2], pack_avx2, [1, 2, 3, 4], [1, 2]);

#[target_feature(enable = "avx2,fma")]
unsafe fn tile_avx2<const MR: usize, const NV: usize, const KIND: usize>(t: &Tile) {
    // SAFETY: the contract is the caller's, and the features are enabled here.
    unsafe { tile::<V256, MR, NV, KIND>(t) }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn dots_avx2<const MR: usize, const NR: usize>(t: &Tile) {
    // SAFETY: the contract is the caller's, and the features are enabled here.
    unsafe { dots::<V256, MR, NR>(t) }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn upright_avx2<const NR: usize, const NV: usize>(t: &UprightTile) {
    // SAFETY: the contract is the caller's, and the features are enabled here.
    unsafe { upright::<V256, NR, NV>(t) }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn pack_avx2(panel: &mut Panel) {
    // SAFETY: the contract is the caller's, and the features are enabled here.
    unsafe { pack::<V256>(panel) }
}

#[derive(Clone, Copy)]
struct V256(__m256);

// SAFETY of every block below: the trait's contract gives the features and the addresses.
impl Vector for V256 {
    const LANES: usize = 8;
    type Mask = __m256i;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: as said above.
        Self(unsafe { _mm256_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __m256i {
        // SAFETY: as said above.
        unsafe {
            let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes as i32), lane)
        }
    }

    #[inline(always)]
    unsafe fn splat(from: *const f32) -> Self {
        // SAFETY: as said above.
        Self(unsafe { _mm256_broadcast_ss(&*from) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as said above.
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, mask: __m256i) -> Self {
        // SAFETY: as said above; lanes outside of the mask are not accessed.
        Self(unsafe { _mm256_maskload_ps(from, mask) })
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        // SAFETY: a prefetch accesses nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as said above.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, mask: __m256i) {
        // SAFETY: as said above; lanes outside of the mask are not accessed.
        unsafe { _mm256_maskstore_ps(to, mask, self.0) }
    }

    #[inline(always)]
    unsafe fn store_halves(self, low: *mut f32, high: *mut f32) {
        // SAFETY: as said above.
        unsafe { _mm256_storeu2_m128(high, low, self.0) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, to: Self) -> Self {
        // SAFETY: as said above.
        Self(unsafe { _mm256_fmadd_ps(self.0, by.0, to.0) })
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as said above.
        unsafe {
            let half = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps(self.0, 1));
            let quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)))
        }
    }
}
