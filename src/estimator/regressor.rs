//! Regression: values to values.

use std::marker::PhantomData;

use ndarray::{Array, ArrayBase, Data, Ix1, Ix2};

use super::builder::EstimatorBuilder;
use super::fitted::Fitted;
use crate::data::{Dataset, Number, TargetDimension};
use crate::error::{Error, Result};
use crate::train::Metric;

/// Learning values; `D` is the dimension of targets and predictions.
#[derive(Debug, Clone, Copy)]
pub struct Regression<D>(PhantomData<fn() -> D>);

/// A network fitted to values: scikit-learn's `MLPRegressor`.
///
/// Fitted to a 1-D array it predicts a 1-D array, one number a row; fitted to a 2-D array,
/// (rows, outputs), it predicts such. The loss is the squared error; features and targets are best
/// scaled to zero mean and unit variance ([`StandardScaler`](crate::data::StandardScaler)).
pub type MlpRegressor<D = Ix1> = Fitted<Regression<D>>;

impl MlpRegressor<Ix1> {
    /// An estimator with scikit-learn's defaults, to be changed and then fitted.
    #[must_use]
    pub fn builder() -> EstimatorBuilder<Regression<Ix1>> {
        EstimatorBuilder::default()
    }
}

impl EstimatorBuilder<Regression<Ix1>> {
    /// Trains a network on `x`, (rows, features), to give `y`, (rows) or (rows, outputs).
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Shape`] and [`Error::NonFinite`] for data without rows or
    /// columns, of different numbers of rows, or with a NaN or an infinity; [`Error::Argument`] for
    /// a setting outside its domain; [`Error::Diverged`]; and the device's.
    pub fn fit<S: Data<Elem: Number>, V: Data<Elem: Number>, D: TargetDimension>(
        &self,
        x: &ArrayBase<S, Ix2>,
        y: &ArrayBase<V, D>,
    ) -> Result<MlpRegressor<D>> {
        let data = Dataset::regression(x, y)?;
        let (mlp, curves) = self.settings.train(&data)?;
        Ok(Fitted { mlp, curves, kind: Regression(PhantomData) })
    }
}

impl<D: TargetDimension> MlpRegressor<D> {
    /// The values for each row of `x`, (rows, features): (rows) or (rows, outputs), as fitted.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` has another number of columns than the data of the fit,
    /// [`Error::Empty`], [`Error::NonFinite`], and the device's.
    pub fn predict<S: Data<Elem: Number>>(&self, x: &ArrayBase<S, Ix2>) -> Result<Array<f32, D>> {
        let y = self.mlp.predict(&super::features(x)?)?;
        let mut shape = D::zeros(D::NDIM.unwrap_or(2));
        for (axis, length) in shape.slice_mut().iter_mut().zip(y.shape()) {
            *axis = *length;
        }
        y.into_shape_with_order(shape)
            .map_err(|error| Error::Program { op: "predict", reason: error.to_string() })
    }

    /// The coefficient of determination R^2 of the predictions, the mean over the outputs: 1 is
    /// perfect, 0 as good as the mean of `y`.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict); [`Error::Shape`] if `y` has other rows or columns.
    pub fn score<S: Data<Elem: Number>, V: Data<Elem: Number>>(
        &self,
        x: &ArrayBase<S, Ix2>,
        y: &ArrayBase<V, D>,
    ) -> Result<f64> {
        self.mlp.evaluate(&Dataset::regression(x, y)?, Metric::R2)
    }
}
