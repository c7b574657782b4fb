//! What every fitted estimator tells of its network and its training.

use std::fmt;

use ndarray::{Array1, Array2, Ix1, Ix2};

use super::stop::Curves;
use crate::error::{Error, Result};
use crate::mlp::Mlp;

/// A fitted estimator: [`MlpRegressor`](super::MlpRegressor) or
/// [`MlpClassifier`](super::MlpClassifier).
pub struct Fitted<K> {
    pub(super) mlp: Mlp,
    pub(super) kind: K,
    pub(super) curves: Curves,
}

impl<K> Fitted<K> {
    /// The network.
    #[must_use]
    pub fn mlp(&self) -> &Mlp {
        &self.mlp
    }

    /// The network, and nothing else: to be saved, or trained on by a [`Trainer`](crate::Trainer).
    #[must_use]
    pub fn into_mlp(self) -> Mlp {
        self.mlp
    }

    /// The epochs that were trained.
    #[must_use]
    pub fn n_iter(&self) -> usize {
        self.curves.losses.len()
    }

    /// The training loss of every epoch: the mean cross entropy of a classifier in nats, half the
    /// mean squared error of a regressor in squared units of its targets. Without the penalty.
    #[must_use]
    pub fn loss_curve(&self) -> &[f64] {
        &self.curves.losses
    }

    /// The training loss of the last epoch.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.curves.losses.last().copied().unwrap_or(f64::NAN)
    }

    /// The least training loss of an epoch; none with early stopping.
    #[must_use]
    pub fn best_loss(&self) -> Option<f64> {
        self.curves.best_loss
    }

    /// The score on the rows set aside after every epoch; empty without early stopping.
    #[must_use]
    pub fn validation_scores(&self) -> &[f64] {
        &self.curves.validation_scores
    }

    /// The greatest of them, whose parameters the network has; none without early stopping.
    #[must_use]
    pub fn best_validation_score(&self) -> Option<f64> {
        self.curves.best_validation_score
    }

    /// Whether training ended because it no longer improved, and not after `max_iter` epochs.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.curves.converged
    }

    /// The weights, layer by layer: (inputs, outputs).
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn coefs(&self) -> Result<Vec<Array2<f32>>> {
        let layers = 0..self.mlp.layers().len();
        let weight = |i| self.mlp.parameter(&format!("layers.{i}.weight"));
        layers.map(|i| weight(i)?.into_dimensionality::<Ix2>().map_err(unexpected)).collect()
    }

    /// The biases, layer by layer: (outputs).
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn intercepts(&self) -> Result<Vec<Array1<f32>>> {
        let layers = 0..self.mlp.layers().len();
        let bias = |i| self.mlp.parameter(&format!("layers.{i}.bias"));
        layers.map(|i| bias(i)?.into_dimensionality::<Ix1>().map_err(unexpected)).collect()
    }
}

fn unexpected(error: ndarray::ShapeError) -> Error {
    Error::Program { op: "parameter", reason: error.to_string() }
}

impl<K: fmt::Debug> fmt::Debug for Fitted<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mlp, kind, .. } = self;
        write!(f, "{kind:?} by {mlp:?}, {} epochs, loss {}", self.n_iter(), self.loss())
    }
}
