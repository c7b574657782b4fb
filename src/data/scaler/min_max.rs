//! [`MinMaxScaler`]: columns brought into a range.

use serde::{Deserialize, Serialize};

use super::{Table, checked_dims, map_columns};
use crate::error::{Error, Result};

/// Scales columns so that their least and greatest number become the ends of a range.
///
/// A constant column becomes the lower end; as in scikit-learn, a column that is less than 10
/// times the f64 epsilon (2.2e-15) wide counts as constant, and is only shifted, not stretched.
/// Default range: 0 to 1.
///
/// ```
/// use ndarray::array;
/// use wgrad::data::MinMaxScaler;
///
/// let x = array![[0.0, 7.0], [5.0, 7.0], [10.0, 7.0]];
/// let scaler = MinMaxScaler::fit(&x)?;
/// assert_eq!(scaler.transform(&x)?, array![[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]]);
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinMaxScaler {
    columns: Vec<MinMax>,
}

/// y = x scale + offset.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct MinMax {
    scale: f64,
    offset: f64,
}

impl MinMaxScaler {
    /// Learns the range of each column, to be brought to 0 to 1.
    ///
    /// # Errors
    ///
    /// Those of [`MinMaxScaler::fit_range`].
    pub fn fit(table: &impl Table) -> Result<Self> {
        Self::fit_range(table, 0.0, 1.0)
    }

    /// Learns the range of each column, to be brought to `low` to `high`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `low` and `high` are finite and `low` is less,
    /// [`Error::Empty`] without rows or columns, [`Error::NonFinite`] for a NaN or an infinity.
    pub fn fit_range(table: &impl Table, low: f64, high: f64) -> Result<Self> {
        if !(low < high && (high - low).is_finite()) {
            let expected = "the low end has to be less than the high end, and both finite";
            return Err(Error::argument("range", format!("{low} to {high}"), expected));
        }
        let (_, cols) = checked_dims("MinMaxScaler::fit", table)?;
        let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); cols];
        for (x, column) in table.numbers().zip((0..cols).cycle()) {
            let (min, max) = &mut range[column];
            *min = min.min(x);
            *max = max.max(x);
        }
        let columns = range.into_iter().map(|(min, max)| {
            // scikit-learn's bound for a column that is constant.
            let width = if max - min < 10.0 * f64::EPSILON { 1.0 } else { max - min };
            let scale = (high - low) / width;
            MinMax { scale, offset: low - min * scale }
        });
        Ok(Self { columns: columns.collect() })
    }

    /// What each column is multiplied by: y = x scale + offset.
    #[must_use]
    pub fn scale(&self) -> Vec<f64> {
        self.columns.iter().map(|c| c.scale).collect()
    }

    /// What is added to each column after that: y = x scale + offset.
    #[must_use]
    pub fn offset(&self) -> Vec<f64> {
        self.columns.iter().map(|c| c.offset).collect()
    }

    /// Scales each column: x scale + offset. Targets stay as they are, and numbers outside of
    /// the range of the fit come to lie outside of the new range.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if the columns are not as many as in the fit, [`Error::NonFinite`] if a
    /// finite number leaves the range of f32.
    pub fn transform<T: Table>(&self, table: &T) -> Result<T::Scaled> {
        let op = "MinMaxScaler::transform";
        map_columns(op, &self.columns, table, |c, x| x * c.scale + c.offset)
    }

    /// Takes scaled columns back: (x - offset) / scale.
    ///
    /// # Errors
    ///
    /// Those of [`MinMaxScaler::transform`].
    pub fn inverse_transform<T: Table>(&self, table: &T) -> Result<T::Scaled> {
        let op = "MinMaxScaler::inverse_transform";
        map_columns(op, &self.columns, table, |c, x| (x - c.offset) / c.scale)
    }

    /// Fits a scaler, and scales the same data with it.
    ///
    /// # Errors
    ///
    /// Those of [`MinMaxScaler::fit`].
    pub fn fit_transform<T: Table>(table: &T) -> Result<(Self, T::Scaled)> {
        let scaler = Self::fit(table)?;
        let scaled = scaler.transform(table)?;
        Ok((scaler, scaled))
    }
}
