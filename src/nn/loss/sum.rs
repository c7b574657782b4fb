//! Sums that neither wait for their last addition nor lose digits over long rows.

use crate::nn::Real;

/// The partial sums of a long row: as many as the widest vectors have lanes.
const LANES: usize = 16;

/// The sum of a row.
///
/// A short one is added up in order; a long one in interleaved partial sums, which vector code can
/// keep and which err less, and those as a tree.
#[inline(always)]
pub(super) fn sum<T: Real>(row: &[T]) -> T {
    if row.len() <= LANES {
        return row.iter().fold(T::of(0.0), |sum, &x| sum + x);
    }
    let mut lanes = [T::of(0.0); LANES];
    for chunk in row.chunks(LANES) {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane = *lane + x);
    }
    tree(lanes)
}

/// The sum of a row's terms, of which `term` gives value and gradient from output and target.
#[inline(always)]
pub(super) fn sum_terms<T: Real>(
    output: &[T],
    target: &[T],
    gradient: &mut [T],
    term: impl Fn(T, T) -> (T, T),
) -> T {
    if output.len() <= LANES {
        let mut sum = T::of(0.0);
        for ((&y, &t), g) in output.iter().zip(target).zip(gradient) {
            let (value, slope) = term(y, t);
            *g = slope;
            sum = sum + value;
        }
        return sum;
    }
    let mut lanes = [T::of(0.0); LANES];
    let chunks = output.chunks(LANES).zip(target.chunks(LANES)).zip(gradient.chunks_mut(LANES));
    for ((output, target), gradient) in chunks {
        for (((lane, &y), &t), g) in lanes.iter_mut().zip(output).zip(target).zip(gradient) {
            let (value, slope) = term(y, t);
            *g = slope;
            *lane = *lane + value;
        }
    }
    tree(lanes)
}

/// The sum of `len` numbers, given by their places.
#[inline(always)]
pub(super) fn sum_by<T: Real>(len: usize, mut at: impl FnMut(usize) -> T) -> T {
    let mut lanes = [T::of(0.0); LANES];
    for j in 0..len {
        lanes[j % LANES] = lanes[j % LANES] + at(j);
    }
    tree(lanes)
}

#[inline(always)]
fn tree<T: Real>(mut lanes: [T; LANES]) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = lanes[i] + lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}
