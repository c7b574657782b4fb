//! Where a product goes: to a matrix, or only to its epilogue.

use super::MatMut;

/// The left side of `C = A.B`.
#[derive(Debug)]
pub(crate) enum Output<'c> {
    /// Into memory.
    Matrix(MatMut<'c>),
    /// Nowhere: the epilogue sees every run of C in a tile that is used again, and memory none of
    /// it. All steps of k have to be one block: see [`Output::can_be_runs`].
    Runs(Extent),
}

/// A shape, and where it lies in the matrix it was cut from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    rows: usize,
    cols: usize,
    origin: (usize, usize),
}

impl Output<'_> {
    /// The most steps of k that are one block, however many there are.
    const MOST_STEPS: usize = super::product::KC;

    /// C has this shape and is not kept.
    pub(crate) const fn runs(rows: usize, cols: usize) -> Self {
        Self::Runs(Extent { rows, cols, origin: (0, 0) })
    }

    /// Whether a product with `k` steps can do without a matrix.
    pub(crate) const fn can_be_runs(k: usize) -> bool {
        k <= Self::MOST_STEPS
    }

    pub(super) const fn rows(&self) -> usize {
        match self {
            Self::Matrix(matrix) => matrix.rows(),
            Self::Runs(extent) => extent.rows,
        }
    }

    pub(super) const fn cols(&self) -> usize {
        match self {
            Self::Matrix(matrix) => matrix.cols(),
            Self::Runs(extent) => extent.cols,
        }
    }

    pub(super) const fn origin(&self) -> (usize, usize) {
        match self {
            Self::Matrix(matrix) => matrix.origin(),
            Self::Runs(extent) => extent.origin,
        }
    }

    /// Takes the first rows off.
    pub(super) fn take_rows(&mut self, rows: usize) -> Self {
        match self {
            Self::Matrix(matrix) => Self::Matrix(matrix.take_rows(rows)),
            Self::Runs(extent) => {
                let taken = Extent { rows, ..*extent };
                extent.rows -= rows;
                extent.origin.0 += rows;
                Self::Runs(taken)
            }
        }
    }

    /// Takes the first columns off.
    pub(super) fn take_cols(&mut self, cols: usize) -> Self {
        match self {
            Self::Matrix(matrix) => Self::Matrix(matrix.take_cols(cols)),
            Self::Runs(extent) => {
                let taken = Extent { cols, ..*extent };
                extent.cols -= cols;
                extent.origin.1 += cols;
                Self::Runs(taken)
            }
        }
    }

    /// A single column as a row, if its elements lie side by side.
    pub(super) fn column_as_row(&mut self) -> Option<Output<'_>> {
        match self {
            Self::Matrix(matrix) => matrix.column_as_row().map(Output::Matrix),
            Self::Runs(extent) if extent.cols == 1 => Some(Output::runs(1, extent.rows)),
            Self::Runs(_) => None,
        }
    }

    /// Where a tile at (i, j) is computed, and how far its rows are apart: in the matrix, or in
    /// `tile`, whose rows have `width` elements.
    pub(super) fn place(
        &mut self,
        (i, j): (usize, usize),
        tile: &mut [f32],
        width: usize,
    ) -> (*mut f32, usize) {
        match self {
            Self::Matrix(matrix) => (matrix.at(i, j), matrix.leading()),
            Self::Runs(_) => (tile.as_mut_ptr(), width),
        }
    }

    /// Row `row` of the tile at (i, j), `len` elements of it.
    pub(super) fn run<'t>(
        &'t mut self,
        (i, j): (usize, usize),
        row: usize,
        len: usize,
        tile: &'t mut [f32],
        width: usize,
    ) -> &'t mut [f32] {
        match self {
            Self::Matrix(matrix) => matrix.run(i + row, j, len),
            Self::Runs(_) => &mut tile[row * width..][..len],
        }
    }
}
