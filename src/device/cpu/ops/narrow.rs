//! Rows of a few elements, which alone would not fill a vector: 16 of them lie side by side as whole
//! vectors, so loops go over those.

use crate::device::cpu::gemm::Beta;
use crate::device::cpu::vectorize::Vectorized;

/// Rows with fewer elements than this are narrow.
const NARROW: usize = 16;
/// The rows that are taken together: so many of any length fill vectors.
const TOGETHER: usize = 16;

/// Adds `row` to every row of `rows`.
#[inline(always)]
pub(super) fn add_to_rows(row: &[f32], rows: &mut [f32]) {
    if row.len() >= NARROW || rows.len() < TOGETHER * row.len() {
        return rows.chunks_mut(row.len().max(1)).for_each(|sums| add(row, sums));
    }
    let mut pattern = [0.0; NARROW * TOGETHER];
    let pattern = &mut pattern[..row.len() * TOGETHER];
    pattern.chunks_exact_mut(row.len()).for_each(|copy| copy.copy_from_slice(row));
    rows.chunks_mut(pattern.len()).for_each(|rows| add(pattern, rows));
}

/// Adds the elements `first`, `first + 1` and so on of every row of a matrix of `cols` columns to
/// `sums`. Narrow rows are added up in 16 partial sums of each column first.
#[inline(always)]
fn add_rows(matrix: &[f32], cols: usize, first: usize, sums: &mut [f32]) {
    let together = cols * TOGETHER;
    if cols >= NARROW || matrix.len() < together {
        return matrix.chunks_exact(cols).for_each(|row| add(&row[first..], sums));
    }
    let mut partial = [0.0; NARROW * TOGETHER];
    let partial = &mut partial[..together];
    matrix.chunks(together).for_each(|rows| add(rows, partial));
    partial.chunks_exact(cols).for_each(|row| add(&row[first..], sums));
}

/// The sums of the columns from `first` on of a matrix of `cols` columns, row after row.
pub(in crate::device::cpu) struct Sums<'a> {
    pub(in crate::device::cpu) matrix: &'a [f32],
    pub(in crate::device::cpu) cols: usize,
    pub(in crate::device::cpu) first: usize,
    pub(in crate::device::cpu) beta: Beta,
    pub(in crate::device::cpu) out: &'a mut [f32],
}

impl Vectorized for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { matrix, cols, first, beta, out } = self;
        if beta == Beta::Overwrite {
            out.fill(0.0);
        }
        add_rows(matrix, cols, first, out);
    }
}

/// Adds to as many sums as there are elements.
#[inline(always)]
fn add(row: &[f32], sums: &mut [f32]) {
    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
}

#[cfg(test)]
mod tests {
    use super::{add_rows, add_to_rows};

    /// Whole numbers, so that sums are exact in any order.
    fn numbers(len: usize) -> Vec<f32> {
        (0..len).map(|i| (i * 37 % 101) as f32 - 50.0).collect()
    }

    #[test]
    fn rows_of_every_length_are_added_up() {
        for cols in 1..20 {
            for rows in [1, 2, 15, 16, 17, 33] {
                let (matrix, row) = (numbers(rows * cols), &numbers(cols + 3)[3..]);
                let mut sums = row.to_vec();
                add_rows(&matrix, cols, 0, &mut sums);
                let mut each = matrix.clone();
                add_to_rows(row, &mut each);
                for j in 0..cols {
                    let column = || matrix.iter().skip(j).step_by(cols);
                    assert_eq!(sums[j], row[j] + column().sum::<f32>(), "{rows} x {cols}");
                    let want: Vec<f32> = column().map(|x| x + row[j]).collect();
                    let got: Vec<f32> = each.iter().skip(j).step_by(cols).copied().collect();
                    assert_eq!(got, want, "{rows} x {cols}");
                }
            }
        }
    }

    #[test]
    fn columns_are_taken_from_the_first_on() {
        let matrix = numbers(40 * 20);
        let mut sums = [0.0; 2];
        add_rows(&matrix, 20, 18, &mut sums);
        let column = |j: usize| matrix.iter().skip(j).step_by(20).sum::<f32>();
        assert_eq!(sums, [column(18), column(19)]);
    }
}
