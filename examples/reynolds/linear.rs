//! What linear methods make of the fields: principal components, and ridge regression.
//!
//! There are more features than rows, so both go through the Gram matrix of the centred rows,
//! K = X X' (rows, rows), and one decomposition K = U diag(l) U' serves them all: the principal
//! components are the columns of U times the roots of l, and for every penalty a the ridge solution
//! is X' U (U'y / (l + a)), its leave-one-out residuals r_i / (1 - h_i) with r the plain residuals
//! and h the leverages. So the penalty is cross-validated at no cost, as scikit-learn's `RidgeCV`
//! does it.

use faer::{Col, Mat, Side};
use ndarray::{Array1, ArrayView1, ArrayView2, Axis};

use crate::common::{Failure, Result};

/// Centred rows, and the decomposition of their Gram matrix.
pub struct Linear {
    mean: Array1<f64>,
    rows: Mat<f64>,
    vectors: Mat<f64>,
    /// Ascending.
    values: Vec<f64>,
}

/// A fitted ridge regression.
pub struct Ridge {
    /// The penalty with the least leave-one-out error.
    pub penalty: f64,
    mean: Array1<f64>,
    weights: Array1<f64>,
    intercept: f64,
}

impl Linear {
    /// Decomposes features, (rows, features).
    pub fn fit(features: ArrayView2<'_, f32>) -> Result<Self> {
        let features = features.mapv(f64::from);
        let mean = features.mean_axis(Axis(0)).unwrap_or_default();
        let (n, width) = features.dim();
        let rows = Mat::from_fn(n, width, |i, k| features[[i, k]] - mean[k]);
        let gram = &rows * rows.transpose();
        let eigen = gram
            .self_adjoint_eigen(Side::Lower)
            .map_err(|error| Failure::new(format!("no eigenvalues: {error:?}")))?;
        let values = eigen.S().column_vector().iter().map(|value| value.max(0.0)).collect();
        Ok(Self { mean, rows, vectors: eigen.U().to_owned(), values })
    }

    /// The first two principal components of each row.
    pub fn components(&self) -> Vec<(f64, f64)> {
        let last = self.values.len() - 1;
        let component = |i, k: usize| self.vectors[(i, k)] * self.values[k].sqrt();
        (0..=last).map(|i| (component(i, last), component(i, last - 1))).collect()
    }

    /// The share of the variance that each of the first two principal components has.
    pub fn shares(&self) -> (f64, f64) {
        let total: f64 = self.values.iter().sum();
        let last = self.values.len() - 1;
        (self.values[last] / total, self.values[last - 1] / total)
    }

    /// Ridge regression on one target a row, with the best of the penalties 0.1, 1, ... 10^7.
    pub fn ridge(&self, targets: ArrayView1<'_, f32>) -> Ridge {
        let targets = targets.mapv(f64::from);
        let intercept = targets.mean().unwrap_or_default();
        let centred = Col::from_fn(targets.len(), |i| targets[i] - intercept);
        let along = self.vectors.transpose() * &centred;
        let penalties = (-1..=7).map(|power| 10f64.powi(power));
        let errors = penalties.map(|penalty| (penalty, self.leave_one_out(&along, penalty)));
        let best = errors.min_by(|a, b| a.1.total_cmp(&b.1));
        let penalty = best.map_or(1.0, |(penalty, _)| penalty);

        let shrunk = Col::from_fn(along.nrows(), |k| along[k] / (self.values[k] + penalty));
        let weights = self.rows.transpose() * (&self.vectors * shrunk);
        let weights = weights.iter().copied().collect();
        Ridge { penalty, mean: self.mean.clone(), weights, intercept }
    }

    /// The mean squared leave-one-out residual; `along` are the centred targets by eigenvector.
    fn leave_one_out(&self, along: &Col<f64>, penalty: f64) -> f64 {
        let n = along.nrows();
        let left = |k: usize| penalty / (self.values[k] + penalty);
        let squares = (0..n).map(|i| {
            let (residual, unexplained) = (0..n).fold((0.0, 0.0), |(residual, unexplained), k| {
                let u = self.vectors[(i, k)];
                (residual + u * left(k) * along[k], unexplained + u * u * left(k))
            });
            // The intercept has a leverage too: 1 / n for every row.
            (residual / (unexplained - 1.0 / n as f64)).powi(2)
        });
        squares.sum::<f64>() / n as f64
    }
}

impl Ridge {
    /// The coefficient of determination on other rows.
    pub fn r2(&self, features: ArrayView2<'_, f32>, targets: ArrayView1<'_, f32>) -> f64 {
        let centred = features.mapv(f64::from) - &self.mean;
        let predicted = centred.dot(&self.weights) + self.intercept;
        let targets = targets.mapv(f64::from);
        let mean = targets.mean().unwrap_or_default();
        let left = (&targets - &predicted).mapv(|error| error * error).sum();
        1.0 - left / targets.mapv(|target| (target - mean).powi(2)).sum()
    }
}
