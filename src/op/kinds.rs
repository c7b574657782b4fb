//! What kinds there are of elementwise operations and of reductions.

use super::Shape;

/// An elementwise operation of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// a + b
    Add,
    /// a - b
    Subtract,
    /// a b
    Multiply,
    /// a / b
    Divide,
}

impl BinaryOp {
    /// Every operation, in the order of their codes in WGSL.
    pub const ALL: [Self; 4] = [Self::Add, Self::Subtract, Self::Multiply, Self::Divide];

    /// The formula.
    #[must_use]
    #[inline]
    pub fn apply(self, a: f32, b: f32) -> f32 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
        }
    }
}

/// What a reduction leaves of many elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// The sum.
    Sum,
    /// The arithmetic mean.
    Mean,
    /// The largest element.
    Max,
    /// The smallest element.
    Min,
    /// The index of the first largest element, as f32: along the axis, or row-major for all.
    Argmax,
    /// The square root of the sum of squares (L2, Frobenius).
    Norm,
}

impl Reduction {
    /// Every reduction, in the order of their codes in WGSL.
    pub const ALL: [Self; 6] =
        [Self::Sum, Self::Mean, Self::Max, Self::Min, Self::Argmax, Self::Norm];
}

/// The first place of the largest value.
pub(crate) fn argmax(values: impl Iterator<Item = f32>) -> usize {
    let start = (0, f32::NEG_INFINITY);
    values.enumerate().fold(start, |best, (i, x)| if x > best.1 { (i, x) } else { best }).0
}

/// Along what a reduction runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Axis {
    /// One result a row: (rows, 1).
    Rows,
    /// One result a column: (1, cols).
    Columns,
    /// One result: (1, 1).
    All,
}

impl Axis {
    /// Every axis, in the order of their codes in WGSL.
    pub const ALL: [Self; 3] = [Self::Rows, Self::Columns, Self::All];

    /// The shape that is left of `shape`.
    #[must_use]
    pub const fn reduced(self, shape: Shape) -> Shape {
        match self {
            Self::Rows => Shape::new(shape.rows, 1),
            Self::Columns => Shape::new(1, shape.cols),
            Self::All => Shape::new(1, 1),
        }
    }
}
