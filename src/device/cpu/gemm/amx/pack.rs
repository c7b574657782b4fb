//! Packing: operands cut into tiles, and their elements into pieces.
//!
//! A row of a tile is 16 pairs of bf16, as the unit adds products of pairs. Pair j of a chunk of 32
//! steps holds the steps j and j + 16, in both operands. Tiles of A have a row for each row of A,
//! tiles of B a row for each pair of steps.

use super::{DEPTH, PAIRS, PIECES, TILE};
use std::arch::x86_64::*;

/// Lanes (rows of A, or columns of B) over a block of k.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes<'a> {
    /// Each lane at the first step of the block (of the source if `picks` is used).
    pub(super) lanes: &'a [*const f32],
    /// Whether the lanes lie side by side.
    pub(super) adjacent: bool,
    /// Floats from a step to the next.
    pub(super) step: usize,
    /// The steps to use, if they are picked: as many as there are.
    pub(super) picks: Option<&'a [u32]>,
    pub(super) steps: usize,
}

/// Which index the rows of a tile run along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    /// As in tiles of A.
    Steps,
    /// As in tiles of B.
    Lanes,
}

/// Packs the chunk of 32 steps from `first` on of up to 16 lanes: each piece's tile `apart` pairs
/// after the last. Steps and lanes beyond the last are zero.
///
/// # Safety
/// The processor has AVX-512F, and every element that the lanes name can be read.
///
/// # Panics
/// If the tiles do not fit in `to`.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn pack(lanes: &Lanes, first: usize, along: Along, apart: usize, to: &mut [u32]) {
    assert!(to.len() >= (PIECES - 1) * apart + PAIRS && lanes.lanes.len() <= TILE);
    // SAFETY: the caller's contract.
    unsafe {
        if lanes.adjacent {
            tiles(|step, i| across(lanes, step + i), first, along == Along::Steps, apart, to);
        } else if lanes.step == 1 && lanes.picks.is_none() {
            tiles(|step, i| run(lanes, step, i), first, along == Along::Lanes, apart, to);
        } else {
            tiles(|step, i| collected(lanes, step, i), first, along == Along::Lanes, apart, to);
        }
    }
}

/// Packs a chunk of which `row(step, i)` reads row i of the 16 by 16 block that begins at a step.
///
/// # Safety
/// The tiles fit in `to`.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn tiles(
    row: impl Fn(usize, usize) -> __m512,
    first: usize,
    transpose: bool,
    apart: usize,
    to: &mut [u32],
) {
    let mut store = |i: usize, low: __m512, high: __m512| {
        for (piece, pairs) in split(low, high).into_iter().enumerate() {
            // SAFETY: a row of a tile is one vector; the caller vouches for the room.
            unsafe {
                let to = to.as_mut_ptr().add(piece * apart + i * TILE);
                _mm512_storeu_si512(to.cast(), pairs);
            }
        }
    };
    if transpose {
        let block = |step: usize| transposed(std::array::from_fn(|i| row(step, i)));
        let (low, high) = (block(first), block(first + TILE));
        (0..TILE).for_each(|i| store(i, low[i], high[i]));
    } else {
        (0..TILE).for_each(|i| store(i, row(first, i), row(first + TILE, i)));
    }
}

/// The pieces of 32 numbers, as pairs.
#[inline]
#[target_feature(enable = "avx512f")]
fn split(low: __m512, high: __m512) -> [__m512i; PIECES] {
    let (low, high) = (pieces(low), pieces(high));
    std::array::from_fn(|i| _mm512_or_si512(_mm512_srli_epi32::<16>(low[i]), high[i]))
}

/// The pieces of 16 numbers, each in the upper half of a lane whose lower half is zero.
#[inline]
#[target_feature(enable = "avx512f")]
fn pieces(x: __m512) -> [__m512i; PIECES] {
    let upper = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
    // To nearest, a tie away from zero; so what is left is as often negative as positive.
    let rounded = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
    let first = _mm512_and_si512(rounded, upper);
    let rest = _mm512_sub_ps(x, _mm512_castsi512_ps(first));
    let second = _mm512_and_si512(_mm512_castps_si512(rest), upper);
    let third = _mm512_sub_ps(rest, _mm512_castsi512_ps(second));
    [first, second, _mm512_castps_si512(third)]
}

/// The first `count` lanes of a vector.
#[inline]
fn mask(count: usize) -> __mmask16 {
    ((1_u32 << count) - 1) as __mmask16
}

/// One step of lanes that lie side by side.
///
/// # Safety
/// As [`pack`].
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn across(lanes: &Lanes, step: usize) -> __m512 {
    let Some(&start) = lanes.lanes.first() else { return _mm512_setzero_ps() };
    let at = |step: usize| {
        let step = lanes.picks.map_or(step, |picks| picks[step] as usize);
        start.wrapping_add(step * lanes.step)
    };
    if step >= lanes.steps {
        return _mm512_setzero_ps();
    }
    // Each step lies elsewhere, so the next chunk's are asked for.
    _mm_prefetch::<_MM_HINT_T1>(at((step + DEPTH).min(lanes.steps - 1)).cast());
    // SAFETY: the caller's contract; lanes outside of the mask are not accessed.
    unsafe { _mm512_maskz_loadu_ps(mask(lanes.lanes.len()), at(step)) }
}

/// 16 steps of lane i, which lie side by side.
///
/// # Safety
/// As [`pack`].
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn run(lanes: &Lanes, first: usize, i: usize) -> __m512 {
    /// How many steps ahead a lane is asked for: rows of a minibatch lie anywhere.
    const AHEAD: usize = 8 * TILE;
    let Some(lane) = lanes.lanes.get(i) else { return _mm512_setzero_ps() };
    _mm_prefetch::<_MM_HINT_T0>(lane.wrapping_add(first + AHEAD).cast());
    let mask = mask(lanes.steps.saturating_sub(first).min(TILE));
    // SAFETY: the caller's contract; lanes outside of the mask are not accessed.
    unsafe { _mm512_maskz_loadu_ps(mask, lane.wrapping_add(first)) }
}

/// 16 steps of lane i, one element at a time.
///
/// # Safety
/// As [`pack`].
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn collected(lanes: &Lanes, first: usize, i: usize) -> __m512 {
    let mut elements = [0.0; TILE];
    if let Some(lane) = lanes.lanes.get(i) {
        for (element, step) in elements.iter_mut().zip(first..lanes.steps) {
            let step = lanes.picks.map_or(step, |picks| picks[step] as usize);
            // SAFETY: the caller's contract.
            *element = unsafe { *lane.add(step * lanes.step) };
        }
    }
    // SAFETY: there are 16 elements.
    unsafe { _mm512_loadu_ps(elements.as_ptr()) }
}

/// Rows and columns exchanged: within groups of four lanes, then the groups.
#[inline]
#[target_feature(enable = "avx512f")]
fn transposed(rows: [__m512; TILE]) -> [__m512; TILE] {
    let mut groups = [_mm512_setzero_ps(); TILE];
    for (from, to) in rows.chunks_exact(4).zip(groups.chunks_exact_mut(4)) {
        let low = [_mm512_unpacklo_ps(from[0], from[1]), _mm512_unpacklo_ps(from[2], from[3])];
        let high = [_mm512_unpackhi_ps(from[0], from[1]), _mm512_unpackhi_ps(from[2], from[3])];
        let [low0, low1] = low.map(|pair| _mm512_castps_pd(pair));
        let [high0, high1] = high.map(|pair| _mm512_castps_pd(pair));
        to[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low0, low1));
        to[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low0, low1));
        to[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high0, high1));
        to[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high0, high1));
    }
    let mut columns = [_mm512_setzero_ps(); TILE];
    for i in 0..4 {
        let [a, b, c, d] = [groups[i], groups[4 + i], groups[8 + i], groups[12 + i]];
        let even = [_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0x88>(c, d)];
        let odd = [_mm512_shuffle_f32x4::<0xdd>(a, b), _mm512_shuffle_f32x4::<0xdd>(c, d)];
        columns[i] = _mm512_shuffle_f32x4::<0x88>(even[0], even[1]);
        columns[4 + i] = _mm512_shuffle_f32x4::<0x88>(odd[0], odd[1]);
        columns[8 + i] = _mm512_shuffle_f32x4::<0xdd>(even[0], even[1]);
        columns[12 + i] = _mm512_shuffle_f32x4::<0xdd>(odd[0], odd[1]);
    }
    columns
}
