//! Where an operand lies: a shape, and a place in one of the buffers an instruction is given.

use std::fmt;

/// The shape of a matrix. Everything the crate computes with is a row-major matrix of 4-byte words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub cols: usize,
}

impl Shape {
    /// A shape of `rows` by `cols`.
    #[must_use]
    pub const fn new(rows: usize, cols: usize) -> Self {
        Self { rows, cols }
    }

    /// The number of elements; saturates instead of overflowing.
    #[must_use]
    pub const fn len(self) -> usize {
        self.rows.saturating_mul(self.cols)
    }

    /// Whether there is no element.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.rows == 0 || self.cols == 0
    }

    /// Rows and columns exchanged.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.rows, self.cols)
    }
}

/// A row-major matrix inside a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The buffer, as an index into the list the instruction is executed with.
    pub buffer: usize,
    /// The first element, in words from the buffer's start.
    pub offset: usize,
    /// The shape.
    pub shape: Shape,
}

impl View {
    /// A view of `shape` at the start of `buffer`.
    #[must_use]
    pub const fn new(buffer: usize, shape: Shape) -> Self {
        Self { buffer, offset: 0, shape }
    }

    /// The same shape, `offset` words into the buffer.
    #[must_use]
    pub const fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }

    /// The words of the buffer that the view covers.
    #[must_use]
    pub const fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset.saturating_add(self.shape.len())
    }
}

/// How the rows of a minibatch are found in the matrix that holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// Row i is row i: the matrix is the minibatch.
    All,
    /// Row i is row `first_row + i`, with `first_row` from the step's arguments.
    Range,
    /// Row i is row `order[first_row + i]`; the view is a column of u32 row numbers.
    Order(View),
}

/// The rows of a minibatch, gathered by the instruction that reads them: no batch is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// The matrix the rows are taken from.
    pub source: View,
    /// Which of its rows.
    pub pick: Pick,
    /// How many.
    pub count: usize,
}

impl Rows {
    /// All rows of a view.
    #[must_use]
    pub const fn all(source: View) -> Self {
        Self { source, pick: Pick::All, count: source.shape.rows }
    }

    /// What is read to find them and of them.
    pub(crate) fn views(&self) -> impl Iterator<Item = View> {
        let order = match self.pick {
            Pick::Order(order) => Some(order),
            Pick::All | Pick::Range => None,
        };
        [Some(self.source), order].into_iter().flatten()
    }

    /// The shape of the minibatch.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        Shape::new(self.count, self.source.shape.cols)
    }
}
