//! The micro-kernels in plain Rust, for the compiler to vectorise: tiles of 4 columns a vector.
//!
//! They run where nothing better is known: aarch64 (NEON is always there), wasm, old x86.

use super::kernel::{Kernel, PICK, TAIL, Tile, Vector, WHOLE, kernel, tile};
use super::kernel_dots::dots;
use super::kernel_upright::{UprightTile, upright};
use super::pack::{Panel, pack};

/// Four vectors of sums fewer than the registers of the target: 32 on aarch64, else 16.
#[cfg(target_arch = "aarch64")]
pub(super) static KERNEL: Kernel = kernel!(
    4,
    [tile_portable, dots_portable, upright_portable],
    pack_portable,
    [1, 2, 3, 4, 5, 6, 7, 8],
    [1, 2, 3, 4]
);
#[cfg(not(target_arch = "aarch64"))]
pub(super) static KERNEL: Kernel = kernel!(
    4,
    [tile_portable, dots_portable, upright_portable],
    pack_portable,
    [1, 2, 3, 4],
    [1, 2]
);

unsafe fn tile_portable<const MR: usize, const NV: usize, const KIND: usize>(t: &Tile) {
    // SAFETY: the contract is the caller's; no feature is needed.
    unsafe { tile::<V128, MR, NV, KIND>(t) }
}

unsafe fn dots_portable<const MR: usize, const NR: usize>(t: &Tile) {
    // SAFETY: the contract is the caller's; no feature is needed.
    unsafe { dots::<V128, MR, NR>(t) }
}

unsafe fn upright_portable<const NR: usize, const NV: usize>(t: &UprightTile) {
    // SAFETY: the contract is the caller's; no feature is needed.
    unsafe { upright::<V128, NR, NV>(t) }
}

/// Whether `f32::mul_add` is one instruction; elsewhere it is a slow call.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

unsafe fn pack_portable(panel: &mut Panel) {
    // SAFETY: the contract is the caller's; no feature is needed.
    unsafe { pack::<V128>(panel) }
}

#[derive(Clone, Copy)]
struct V128([f32; 4]);

impl V128 {
    #[inline(always)]
    fn from_fn(lane: impl FnMut(usize) -> f32) -> Self {
        Self(std::array::from_fn(lane))
    }
}

// SAFETY of every block below: the trait's contract gives the addresses.
impl Vector for V128 {
    const LANES: usize = 4;
    type Mask = usize;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0.0; 4])
    }

    #[inline(always)]
    unsafe fn mask(lanes: usize) -> usize {
        lanes
    }

    #[inline(always)]
    unsafe fn splat(from: *const f32) -> Self {
        // SAFETY: as said above.
        Self([unsafe { *from }; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as said above; an array has the alignment of its elements.
        Self(unsafe { from.cast::<[f32; 4]>().read() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, lanes: usize) -> Self {
        if lanes == 4 {
            // SAFETY: as said above.
            return unsafe { Self::load(from) };
        }
        // SAFETY: as said above; only the lanes of the mask are read.
        Self::from_fn(|lane| if lane < lanes { unsafe { *from.add(lane) } } else { 0.0 })
    }

    #[inline(always)]
    unsafe fn prefetch(_at: *const f32) {}

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as said above; an array has the alignment of its elements.
        unsafe { to.cast::<[f32; 4]>().write(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, lanes: usize) {
        for (lane, value) in self.0.into_iter().enumerate().take(lanes) {
            // SAFETY: as said above; only the lanes of the mask are written.
            unsafe { to.add(lane).write(value) }
        }
    }

    #[inline(always)]
    unsafe fn store_halves(self, low: *mut f32, high: *mut f32) {
        let [a, b, c, d] = self.0;
        // SAFETY: as said above; an array has the alignment of its elements.
        unsafe {
            low.cast::<[f32; 2]>().write([a, b]);
            high.cast::<[f32; 2]>().write([c, d]);
        }
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, to: Self) -> Self {
        if FUSED {
            Self::from_fn(|lane| self.0[lane].mul_add(by.0[lane], to.0[lane]))
        } else {
            Self::from_fn(|lane| self.0[lane] * by.0[lane] + to.0[lane])
        }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        (self.0[0] + self.0[2]) + (self.0[1] + self.0[3])
    }
}
