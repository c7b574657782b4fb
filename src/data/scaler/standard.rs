//! [`StandardScaler`]: zero mean and unit variance.

use serde::{Deserialize, Serialize};

use super::{Table, checked_dims, map_columns};
use crate::error::Result;

/// Scales columns to mean 0 and standard deviation 1: (x - mean) / scale.
///
/// The scale is the population standard deviation (the square root of the mean squared
/// deviation); a constant column has scale 1, so it becomes 0.
///
/// ```
/// use ndarray::array;
/// use wgrad::data::StandardScaler;
///
/// let x = array![[1.0, 5.0], [3.0, 5.0]];
/// let scaler = StandardScaler::fit(&x)?;
/// assert_eq!(scaler.transform(&x)?, array![[-1.0, 0.0], [1.0, 0.0]]);
/// assert_eq!(scaler.inverse_transform(&array![[2.0, 0.0]])?, array![[4.0, 5.0]]);
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandardScaler {
    columns: Vec<Standard>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Standard {
    mean: f64,
    scale: f64,
}

impl StandardScaler {
    /// Learns the mean and the scale of each column.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`](crate::Error::Empty) without rows or columns, [`Error::NonFinite`](crate::Error::NonFinite) for a NaN or an infinity.
    pub fn fit(table: &impl Table) -> Result<Self> {
        let (rows, cols) = checked_dims("StandardScaler::fit", table)?;
        let n = rows as f64;
        let mut mean = vec![0.0; cols];
        table.numbers().zip((0..cols).cycle()).for_each(|(x, column)| mean[column] += x);
        mean.iter_mut().for_each(|m| *m /= n);

        // Two passes: the squares of deviations do not cancel, the squares of the numbers would.
        let mut squares = vec![0.0; cols];
        for (x, column) in table.numbers().zip((0..cols).cycle()) {
            squares[column] += (x - mean[column]).powi(2);
        }
        let columns = mean.iter().zip(&squares).map(|(&mean, &sum)| {
            let variance = sum / n;
            // What rounding alone can leave of a constant column, by scikit-learn's bound.
            let rounding = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
            Standard { mean, scale: if variance <= rounding { 1.0 } else { variance.sqrt() } }
        });
        Ok(Self { columns: columns.collect() })
    }

    /// The mean of each column.
    #[must_use]
    pub fn mean(&self) -> Vec<f64> {
        self.columns.iter().map(|c| c.mean).collect()
    }

    /// What each column is divided by: its standard deviation, or 1 if it is constant.
    #[must_use]
    pub fn scale(&self) -> Vec<f64> {
        self.columns.iter().map(|c| c.scale).collect()
    }

    /// Scales each column: (x - mean) / scale. Targets stay as they are.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) if the columns are not as many as in the fit, [`Error::NonFinite`](crate::Error::NonFinite) if a
    /// finite number leaves the range of f32.
    pub fn transform<T: Table>(&self, table: &T) -> Result<T::Scaled> {
        map_columns("StandardScaler::transform", &self.columns, table, |c, x| {
            (x - c.mean) / c.scale
        })
    }

    /// Takes scaled columns back: x scale + mean.
    ///
    /// # Errors
    ///
    /// Those of [`StandardScaler::transform`].
    pub fn inverse_transform<T: Table>(&self, table: &T) -> Result<T::Scaled> {
        let op = "StandardScaler::inverse_transform";
        map_columns(op, &self.columns, table, |c, x| x * c.scale + c.mean)
    }

    /// Fits a scaler, and scales the same data with it.
    ///
    /// # Errors
    ///
    /// Those of [`StandardScaler::fit`].
    pub fn fit_transform<T: Table>(table: &T) -> Result<(Self, T::Scaled)> {
        let scaler = Self::fit(table)?;
        let scaled = scaler.transform(table)?;
        Ok((scaler, scaled))
    }
}
