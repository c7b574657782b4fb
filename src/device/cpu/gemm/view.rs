//! The operands of a product: views of slices that say where element (i, j) lies.
//!
//! Every constructor checks its slice once, so that a view always lies inside what it borrows;
//! the kernels rely on it. A view can be cut into blocks, which is how threads share a product: see
//! [`Work`](super::Work).

use std::marker::PhantomData;
use std::ops::Range;

/// A matrix to read: element (i, j) is `data[i * row_stride + j * col_stride]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MatRef<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> MatRef<'a> {
    /// The first `rows * cols` elements of `data`, row after row.
    ///
    /// # Panics
    /// If `data` is shorter.
    pub(crate) fn row_major(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols, 1)
    }

    /// Element (i, j) is `data[i * row_stride + j * col_stride]`.
    ///
    /// # Panics
    /// If an element lies outside of `data`.
    pub(crate) fn strided(
        data: &'a [f32],
        rows: usize,
        cols: usize,
        row_stride: usize,
        col_stride: usize,
    ) -> Self {
        assert_inside(data.len(), (rows, cols), (row_stride, col_stride));
        Self { data, rows, cols, row_stride, col_stride }
    }

    /// Rows and columns exchanged; nothing moves.
    pub(crate) const fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// The rows in `range`.
    ///
    /// # Panics
    /// If the range is not inside the matrix.
    pub(crate) fn row_range(self, range: Range<usize>) -> Self {
        self.transposed().columns(range).transposed()
    }

    /// The columns in `range`, for a product whose C was split at a column.
    ///
    /// # Panics
    /// If the range is not inside the matrix.
    pub(crate) fn columns(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.cols, "columns outside the matrix");
        let skip = (range.start * self.col_stride).min(self.data.len());
        Self { data: &self.data[skip..], cols: range.len(), ..self }
    }

    /// Takes the first `cols` columns off.
    ///
    /// # Panics
    /// If there are fewer.
    pub(super) fn take_cols(&mut self, cols: usize) -> Self {
        let taken = self.columns(0..cols);
        *self = self.columns(cols..self.cols);
        taken
    }

    /// Whether its columns are runs.
    pub(super) const fn is_transposed(&self) -> bool {
        self.col_stride != 1 && self.row_stride == 1
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) const fn cols(&self) -> usize {
        self.cols
    }

    pub(super) const fn row_stride(&self) -> usize {
        self.row_stride
    }

    pub(super) const fn col_stride(&self) -> usize {
        self.col_stride
    }

    /// Row i, whose elements lie side by side.
    ///
    /// # Panics
    /// If they do not, or there is no such row.
    pub(super) fn row(&self, i: usize) -> &'a [f32] {
        assert!(i < self.rows && self.col_stride == 1, "a row is not there or has gaps");
        &self.data[i * self.row_stride..][..self.cols]
    }

    /// Where element (i, j) lies. Only to be read for an element of the matrix.
    pub(super) const fn at(&self, i: usize, j: usize) -> *const f32 {
        self.data.as_ptr().wrapping_add(i * self.row_stride + j * self.col_stride)
    }
}

/// Which axis of a left operand is picked from its source through a list of indices.
#[derive(Debug, Clone, Copy)]
enum Gather<'a> {
    None,
    Rows(&'a [u32]),
    Cols(&'a [u32]),
}

/// The left operand: a matrix, or rows picked from one, or the transposed of either.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lhs<'a> {
    /// The matrix before rows or columns are picked.
    source: MatRef<'a>,
    gather: Gather<'a>,
}

impl<'a> From<MatRef<'a>> for Lhs<'a> {
    fn from(source: MatRef<'a>) -> Self {
        Self { source, gather: Gather::None }
    }
}

impl<'a> Lhs<'a> {
    /// Row i is row `order[i]` of `source`. The transposed of this has its columns picked: the
    /// left operand of a weight gradient.
    ///
    /// # Panics
    /// If `order` names a row that is not there.
    pub(crate) fn gathered(source: MatRef<'a>, order: &'a [u32]) -> Self {
        let last = order.iter().fold(0, |last, &row| last.max(row));
        assert!(order.is_empty() || (last as usize) < source.rows, "a gathered row is not there");
        Self { source, gather: Gather::Rows(order) }
    }

    /// Rows and columns exchanged; nothing moves.
    pub(crate) const fn transposed(self) -> Self {
        let gather = match self.gather {
            Gather::None => Gather::None,
            Gather::Rows(order) => Gather::Cols(order),
            Gather::Cols(order) => Gather::Rows(order),
        };
        Self { source: self.source.transposed(), gather }
    }

    /// The rows in `range`, for a product whose C was split at a row.
    ///
    /// # Panics
    /// If the range is not inside the matrix.
    pub(crate) fn row_range(self, range: Range<usize>) -> Self {
        match self.gather {
            Gather::Rows(order) => Self { gather: Gather::Rows(&order[range]), ..self },
            _ => Self { source: self.source.row_range(range), ..self },
        }
    }

    /// Takes the first `rows` rows off.
    ///
    /// # Panics
    /// If there are fewer.
    pub(super) fn take_rows(&mut self, rows: usize) -> Self {
        let taken = self.row_range(0..rows);
        *self = self.row_range(rows..self.rows());
        taken
    }

    /// The columns in `range`.
    ///
    /// # Panics
    /// If the range is not inside the matrix.
    pub(crate) fn col_range(self, range: Range<usize>) -> Self {
        self.transposed().row_range(range).transposed()
    }

    pub(crate) const fn rows(&self) -> usize {
        match self.gather {
            Gather::Rows(order) => order.len(),
            _ => self.source.rows,
        }
    }

    pub(crate) const fn cols(&self) -> usize {
        match self.gather {
            Gather::Cols(order) => order.len(),
            _ => self.source.cols,
        }
    }

    pub(super) const fn col_stride(&self) -> usize {
        self.source.col_stride
    }

    /// Whether the elements of a column lie side by side.
    pub(super) const fn columns_are_runs(&self) -> bool {
        self.source.row_stride == 1 && !matches!(self.gather, Gather::Rows(_))
    }

    /// Whether the elements of a row lie side by side.
    pub(super) const fn rows_are_runs(&self) -> bool {
        self.source.col_stride == 1 && !matches!(self.gather, Gather::Cols(_))
    }

    /// The columns of the source that are the columns from `first` on, if they are picked.
    pub(super) fn picked_columns(&self, first: usize) -> Option<&'a [u32]> {
        match self.gather {
            Gather::Cols(order) => Some(&order[first..]),
            _ => None,
        }
    }

    /// Element (i, j).
    ///
    /// # Panics
    /// If it is not there.
    pub(super) fn element(&self, i: usize, j: usize) -> f32 {
        let (row, col) = match self.gather {
            Gather::None => (i, j),
            Gather::Rows(order) => (order[i] as usize, j),
            Gather::Cols(order) => (i, order[j] as usize),
        };
        self.source.data[row * self.source.row_stride + col * self.source.col_stride]
    }

    /// Where the rows from `first` on have their element in column `col`, or where they begin if
    /// columns are picked: each pick counts from there.
    pub(super) fn find_rows(&self, first: usize, col: usize, to: &mut [*const f32]) {
        match self.gather {
            Gather::Rows(order) => {
                for (to, &row) in to.iter_mut().zip(&order[first..]) {
                    *to = self.source.at(row as usize, col);
                }
            }
            _ => {
                let col = if matches!(self.gather, Gather::Cols(_)) { 0 } else { col };
                let mut row = self.source.at(first, col);
                for to in to {
                    *to = row;
                    row = row.wrapping_add(self.source.row_stride);
                }
            }
        }
    }
}

/// A block of a row-major matrix to write. Blocks of one matrix can be held side by side, each
/// with its own columns of the same rows, which slices cannot say.
#[derive(Debug)]
pub(crate) struct MatMut<'a> {
    data: *mut f32,
    rows: usize,
    cols: usize,
    leading: usize,
    /// Where the block lies in the matrix it was cut from.
    origin: (usize, usize),
    borrow: PhantomData<&'a mut [f32]>,
}

// SAFETY: a block is the only way to its elements while it lives, as a `&mut [f32]` is.
unsafe impl Send for MatMut<'_> {}

impl<'a> MatMut<'a> {
    /// The first `rows * cols` elements of `data`, row after row.
    ///
    /// # Panics
    /// If `data` is shorter.
    pub(crate) fn row_major(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, cols)
    }

    /// A (rows, cols) matrix whose rows begin `leading` elements apart.
    ///
    /// # Panics
    /// If an element lies outside of `data`, or rows overlap.
    pub(crate) fn new(data: &'a mut [f32], rows: usize, cols: usize, leading: usize) -> Self {
        assert!(cols <= leading || rows <= 1, "rows of the result overlap");
        assert_inside(data.len(), (rows, cols), (leading, 1));
        Self { data: data.as_mut_ptr(), rows, cols, leading, origin: (0, 0), borrow: PhantomData }
    }

    /// Takes the first `rows` rows off; what is left keeps its place in the whole.
    ///
    /// # Panics
    /// If there are fewer.
    pub(super) fn take_rows(&mut self, rows: usize) -> Self {
        assert!(rows <= self.rows, "split outside the matrix");
        let taken = Self { rows, borrow: PhantomData, ..*self };
        self.data = self.data.wrapping_add(rows * self.leading);
        self.rows -= rows;
        self.origin.0 += rows;
        taken
    }

    /// Takes the first `cols` columns off; what is left keeps its place in the whole.
    ///
    /// # Panics
    /// If there are fewer.
    pub(super) fn take_cols(&mut self, cols: usize) -> Self {
        assert!(cols <= self.cols, "split outside the matrix");
        let taken = Self { cols, borrow: PhantomData, ..*self };
        self.data = self.data.wrapping_add(cols);
        self.cols -= cols;
        self.origin.1 += cols;
        taken
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) const fn cols(&self) -> usize {
        self.cols
    }

    pub(super) const fn leading(&self) -> usize {
        self.leading
    }

    pub(super) const fn origin(&self) -> (usize, usize) {
        self.origin
    }

    /// Where element (i, j) lies. Only to be used for an element of the block.
    pub(super) const fn at(&mut self, i: usize, j: usize) -> *mut f32 {
        self.data.wrapping_add(i * self.leading + j)
    }

    /// Whether its rows lie side by side.
    pub(super) const fn is_contiguous(&self) -> bool {
        self.cols == self.leading || self.rows == 1
    }

    /// `len` elements from (i, j) on: a part of a row, or several rows if they lie side by side.
    ///
    /// # Panics
    /// If they are not all in the block.
    pub(super) fn run(&mut self, i: usize, j: usize, len: usize) -> &mut [f32] {
        let rows = if self.is_contiguous() { self.rows.saturating_sub(i) } else { 1 };
        assert!(i < self.rows && j + len <= rows * self.cols, "a run leaves the matrix");
        // SAFETY: the run lies in the block, which lies in the slice that `new` borrowed and is
        // the only way to these elements; `&mut self` keeps two runs from living at once.
        unsafe { std::slice::from_raw_parts_mut(self.at(i, j), len) }
    }
}

/// Asserts that a matrix of `shape` with `strides` lies in a slice of `len` elements.
fn assert_inside(len: usize, shape: (usize, usize), strides: (usize, usize)) {
    if shape.0 == 0 || shape.1 == 0 {
        return;
    }
    let rows = (shape.0 - 1).checked_mul(strides.0);
    let cols = (shape.1 - 1).checked_mul(strides.1);
    let last = rows.zip(cols).and_then(|(rows, cols)| rows.checked_add(cols));
    assert!(last.is_some_and(|last| last < len), "a matrix leaves its slice");
}
