//! Packing: copying a block of an operand into panels that the tiles read from end to end.
//!
//! A panel holds `lanes` rows of A (or columns of B) over a block of k: for each step of k, its
//! lanes side by side. Where there are fewer lanes than a panel has room for, the rest is left as
//! it was; no tile uses it.

use super::kernel::{LINE, Vector};
use super::prefetch::prefetch;

/// How many steps ahead lanes that lie side by side are asked for: each step is elsewhere.
const AHEAD: usize = 4;

/// Where a panel comes from and goes to: `to[p * width + lane] = source(lane, p)`. Lanes that lie
/// side by side may be more than fit in one panel; the next begins `stride` floats further for each
/// lane.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    /// Each lane at the first step of the block (of the source if `picks` is used).
    pub(super) lanes: &'a [*const f32],
    /// Those of the next panel, to ask for, if they lie apart; they need not be valid.
    pub(super) next: &'a [*const f32],
    /// Whether the lanes lie side by side.
    pub(super) adjacent: bool,
    /// Floats from a step to the next.
    pub(super) step: usize,
    /// The steps to use, if they are picked: `depth` of them.
    pub(super) picks: Option<&'a [u32]>,
    pub(super) depth: usize,
    pub(super) width: usize,
    /// At least `depth`.
    pub(super) stride: usize,
    pub(super) to: &'a mut [f32],
}

/// Packs one panel.
///
/// # Safety
/// The processor has the kernel's features, and every element that the panel names can be read.
///
/// # Panics
/// If the panel does not fit in `to`.
pub(super) type PackFn = unsafe fn(&mut Panel);

/// The body of every [`PackFn`].
///
/// # Safety
/// As [`PackFn`], and the caller enables the features of `V`.
#[inline(always)]
pub(super) unsafe fn pack<V: Vector>(panel: &mut Panel) {
    let panels = if panel.adjacent { panel.lanes.len().div_ceil(panel.width) } else { 1 };
    assert!(panel.lanes.len() <= panels * panel.width);
    assert!(panel.depth <= panel.stride || panels <= 1);
    assert!(
        panel.to.len()
            >= (panels.max(1) - 1) * panel.stride * panel.width + panel.depth * panel.width
    );
    assert!(panel.picks.is_none_or(|picks| picks.len() >= panel.depth));
    // SAFETY: the contract is the caller's.
    unsafe {
        if panel.adjacent {
            copy::<V>(panel);
        } else if panel.step == 1 && panel.picks.is_none() {
            transpose(panel);
        } else {
            collect(panel, 0..panel.lanes.len(), 0);
        }
    }
}

/// Lanes side by side: whole vectors, and a last one that ends where the lanes end.
#[inline(always)]
unsafe fn copy<V: Vector>(panel: &mut Panel) {
    let Some(&first) = panel.lanes.first() else { return };
    let lanes = panel.lanes.len();
    // Where a vector is as wide as two panels, one at a time goes to both.
    let pairs = if 2 * panel.width == V::LANES { lanes / V::LANES * V::LANES } else { 0 };
    // SAFETY: as the caller's contract says, `lanes` elements of every step can be read, and
    // `pack` has made sure of the room for them.
    unsafe {
        let to = panel.to.as_mut_ptr();
        let step = |p: usize| panel.picks.map_or(p, |picks| *picks.get_unchecked(p) as usize);
        let from = |p: usize| first.wrapping_add(step(p) * panel.step);
        for p in 0..panel.depth {
            let next = from((p + AHEAD).min(panel.depth - 1));
            for lane in (0..lanes).step_by(LINE) {
                V::prefetch(next.wrapping_add(lane));
            }
            let from = from(p);
            let to = to.add(p * panel.width);
            for lane in (0..pairs).step_by(V::LANES) {
                let high = to.add((lane + panel.width) * panel.stride);
                V::load(from.add(lane)).store_halves(to.add(lane * panel.stride), high);
            }
            for lane in (pairs..lanes).step_by(panel.width) {
                let lanes = panel.width.min(lanes - lane);
                copy_step::<V>(from.add(lane), lanes, to.add(lane * panel.stride));
            }
        }
    }
}

/// Copies lanes of a step.
///
/// # Safety
/// As [`Vector`], of so many lanes.
#[inline(always)]
pub(super) unsafe fn copy_step<V: Vector>(from: *const f32, lanes: usize, to: *mut f32) {
    let mut lane = 0;
    // SAFETY: the caller vouches for the lanes.
    unsafe {
        while lane + V::LANES < lanes {
            V::load(from.add(lane)).store(to.add(lane));
            lane += V::LANES;
        }
        let tail = V::mask(lanes - lane);
        V::load_first(from.add(lane), tail).store_first(to.add(lane), tail);
    }
}

/// Steps side by side: blocks of 4 lanes by 4 steps, then what is left. A few cache lines of all
/// lanes are done before the next, so that what is written stays in the L1 cache until it is
/// complete. Meanwhile the same part of the next panel is asked for: lanes lie in pages of their own, in each
/// of which the processor's prefetchers begin anew.
#[inline(always)]
unsafe fn transpose(panel: &mut Panel) {
    const CHUNK: usize = 64;
    let lanes = panel.lanes.len() / 4 * 4;
    let depth = panel.depth / 4 * 4;
    for first in (0..depth).step_by(CHUNK) {
        for next in panel.next {
            prefetch(next.wrapping_add(first), CHUNK.min(depth - first));
        }
        for lane in (0..lanes).step_by(4) {
            let from: [*const f32; 4] = std::array::from_fn(|i| panel.lanes[lane + i]);
            for p in (first..depth.min(first + CHUNK)).step_by(4) {
                // SAFETY: lanes, steps and places are those of the caller's contract.
                unsafe {
                    let to = panel.to.as_mut_ptr().add(p * panel.width + lane);
                    transpose4(from.map(|row| row.add(p)), to, panel.width);
                }
            }
        }
    }
    // SAFETY: the caller's contract.
    unsafe {
        collect(panel, 0..lanes, depth);
        collect(panel, lanes..panel.lanes.len(), 0);
    }
}

/// One element at a time, from step `first` on.
#[inline(always)]
unsafe fn collect(panel: &mut Panel, lanes: std::ops::Range<usize>, first: usize) {
    for lane in lanes {
        for p in first..panel.depth {
            let step = panel.picks.map_or(p, |picks| picks[p] as usize);
            // SAFETY: lane, step and place are those of the caller's contract.
            unsafe {
                let value = *panel.lanes[lane].add(step * panel.step);
                panel.to.as_mut_ptr().add(p * panel.width + lane).write(value);
            }
        }
    }
}

/// Four runs of four floats become four others, `width` apart.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose4(from: [*const f32; 4], to: *mut f32, width: usize) {
    use std::arch::x86_64::*;
    // SAFETY: SSE is part of x86_64; the caller vouches for the runs.
    unsafe {
        let [a, b, c, d] = from.map(|row| _mm_loadu_ps(row));
        let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
        _mm_storeu_ps(to, _mm_movelh_ps(ab, cd));
        _mm_storeu_ps(to.add(width), _mm_movehl_ps(cd, ab));
        let (ab, cd) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        _mm_storeu_ps(to.add(2 * width), _mm_movelh_ps(ab, cd));
        _mm_storeu_ps(to.add(3 * width), _mm_movehl_ps(cd, ab));
    }
}

/// Four runs of four floats become four others, `width` apart.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
unsafe fn transpose4(from: [*const f32; 4], to: *mut f32, width: usize) {
    // SAFETY: the caller vouches for the runs; an array has the alignment of its elements.
    unsafe {
        let rows = from.map(|row| row.cast::<[f32; 4]>().read());
        for q in 0..4 {
            to.add(q * width).cast::<[f32; 4]>().write(rows.map(|row| row[q]));
        }
    }
}
