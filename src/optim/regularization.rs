//! What keeps weights small and gradients tame, as data.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Limits of the gradients, applied before the optimizer's step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Clip {
    /// Each element to [-limit, limit]; PyTorch's `clip_grad_value_`.
    Value(f64),
    /// The gradients of each layer, weight and bias together, scaled down to this Euclidean norm if
    /// theirs is larger; PyTorch's `clip_grad_norm_` on a layer's parameters.
    LayerNorm(f64),
    /// All gradients together, scaled down to this Euclidean norm if theirs is larger; PyTorch's
    /// `clip_grad_norm_`.
    GlobalNorm(f64),
}

impl Clip {
    /// The limit.
    #[must_use]
    pub const fn limit(self) -> f64 {
        match self {
            Self::Value(limit) | Self::LayerNorm(limit) | Self::GlobalNorm(limit) => limit,
        }
    }
}

/// Everything that is done to gradients before an update, and to parameters after it.
///
/// In this order: penalties are added to the gradients, gradients are clipped, the optimizer takes
/// its step, weights are limited, the average moves. The default does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regularization {
    /// The factor of the sum of |p|.
    pub l1: f64,
    /// The factor of half the sum of p^2.
    pub l2: f64,
    /// Whether biases are penalized too.
    pub biases: bool,
    /// The limits of the gradients.
    pub clip: Option<Clip>,
    /// The largest norm of a unit's incoming weights.
    pub max_norm: Option<f64>,
    /// The decay of the parameters' moving average.
    pub average: Option<f64>,
}

impl Regularization {
    /// Checks that every number is in its domain.
    ///
    /// # Errors
    /// [`Error::Argument`].
    pub(crate) fn check(&self) -> Result<()> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let factor = |x: f64| x.is_finite() && x >= 0.0;
        let limit = |limit: Option<f64>| (limit.unwrap_or(1.0), limit.is_none_or(positive));
        let (clip, clip_fits) = limit(self.clip.map(Clip::limit));
        let (norm, norm_fits) = limit(self.max_norm);
        let decay = self.average.unwrap_or(0.0);
        let domains = [
            ("the L1 penalty", self.l1, factor(self.l1), "a finite number, at least 0"),
            ("the L2 penalty", self.l2, factor(self.l2), "a finite number, at least 0"),
            ("the gradients' limit", clip, clip_fits, "a finite number, more than 0"),
            ("the weights' largest norm", norm, norm_fits, "a finite number, more than 0"),
            ("the average's decay", decay, (0.0..1.0).contains(&decay), "at least 0, below 1"),
        ];
        match domains.into_iter().find(|domain| !domain.2) {
            Some((what, value, _, expected)) => Err(Error::argument(what, value, expected)),
            None => Ok(()),
        }
    }
}
