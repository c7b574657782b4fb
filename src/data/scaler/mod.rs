//! Scalers: columns brought to zero mean and unit variance, or into a range.
//!
//! A scaler is fitted on the training part and then applied to every part, so that nothing of
//! the test part leaks into training. All arithmetic is in f64, and the definitions are
//! scikit-learn's: the population variance, and a constant column is only shifted. Scalers
//! implement serde's traits, to be kept with a model.

mod min_max;
mod standard;

pub use min_max::MinMaxScaler;
pub use standard::StandardScaler;

use ndarray::{Array2, ArrayBase, Data, Ix2};

use super::dataset::Dataset;
use super::number::Number;
use crate::error::{Error, Result};
use crate::op::Shape;

mod sealed {
    pub trait Sealed {}
}

/// What a scaler can be fitted on and applied to: the features of a [`Dataset`], or a 2-D array
/// or view of any number type, (rows, columns).
///
/// Sealed: it cannot be implemented outside of this crate.
pub trait Table: sealed::Sealed {
    /// What scaling gives: a [`Dataset`] with the same targets, or an `Array2<f32>`.
    type Scaled;

    /// Rows and columns.
    #[doc(hidden)]
    fn dims(&self) -> (usize, usize);

    /// The numbers, row-major.
    #[doc(hidden)]
    fn numbers(&self) -> impl Iterator<Item = f64>;

    /// The same table with other numbers, one for each cell.
    #[doc(hidden)]
    fn with_numbers(&self, numbers: Vec<f32>) -> Self::Scaled;
}

impl sealed::Sealed for Dataset {}
impl Table for Dataset {
    type Scaled = Dataset;

    fn dims(&self) -> (usize, usize) {
        (self.len(), self.inputs())
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        self.features.iter().map(|&x| f64::from(x))
    }

    fn with_numbers(&self, numbers: Vec<f32>) -> Dataset {
        self.with_features(numbers)
    }
}

impl<S: Data<Elem: Number>> sealed::Sealed for ArrayBase<S, Ix2> {}
impl<S: Data<Elem: Number>> Table for ArrayBase<S, Ix2> {
    type Scaled = Array2<f32>;

    fn dims(&self) -> (usize, usize) {
        self.dim()
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        self.iter().map(|x| x.to_f64())
    }

    fn with_numbers(&self, numbers: Vec<f32>) -> Array2<f32> {
        Array2::from_shape_vec(self.dim(), numbers).expect("one number for each cell")
    }
}

/// Rows and columns, at least one of each, and only finite numbers.
fn checked_dims(op: &'static str, table: &impl Table) -> Result<(usize, usize)> {
    let (rows, cols) = table.dims();
    if rows == 0 || cols == 0 {
        return Err(Error::Empty { what: op, shape: Shape::new(rows, cols) });
    }
    let what = "the data to fit a scaler on";
    match table.numbers().enumerate().find(|(_, x)| !x.is_finite()) {
        Some((i, x)) => {
            Err(Error::NonFinite { what, row: i / cols, column: i % cols, value: x as f32 })
        }
        None => Ok((rows, cols)),
    }
}

/// Applies `map` to each number, with its column's entry of `columns`.
fn map_columns<C: Copy, T: Table>(
    op: &'static str,
    columns: &[C],
    table: &T,
    map: impl Fn(C, f64) -> f64,
) -> Result<T::Scaled> {
    let (rows, cols) = table.dims();
    if cols != columns.len() {
        let hint = "the scaler was fitted on as many columns as the second shape has";
        let (left, right) = (Shape::new(rows, cols), Shape::new(1, columns.len()));
        return Err(Error::Shape { op, left, right, hint });
    }
    let mut mapped = Vec::with_capacity(rows * cols);
    for ((i, x), &column) in table.numbers().enumerate().zip(columns.iter().cycle()) {
        let y = map(column, x) as f32;
        if x.is_finite() && !y.is_finite() {
            let (row, column) = (i / cols, i % cols);
            return Err(Error::NonFinite { what: "scaled data", row, column, value: y });
        }
        mapped.push(y);
    }
    Ok(table.with_numbers(mapped))
}
