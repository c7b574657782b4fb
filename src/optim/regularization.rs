//! What keeps weights small and gradients tame, as data.

use serde::{Deserialize, Serialize};

use super::rule::Domain;
use crate::error::Result;

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
    /// [`Error::Argument`](crate::Error::Argument).
    pub(crate) fn check(&self) -> Result<()> {
        let limit = |what, limit: f64| {
            let fits = limit.is_finite() && limit > 0.0;
            Domain::that(fits, what, limit, "a finite number, more than 0")
        };
        let decay = |decay: f64| {
            let fits = (0.0..1.0).contains(&decay);
            Domain::that(fits, "the average's decay", decay, "at least 0, below 1")
        };
        let domains = [
            Some(Domain::not_negative("the L1 penalty", self.l1)),
            Some(Domain::not_negative("the L2 penalty", self.l2)),
            self.clip.map(|clip| limit("the gradients' limit", clip.limit())),
            self.max_norm.map(|norm| limit("the weights' largest norm", norm)),
            self.average.map(decay),
        ];
        domains.iter().flatten().try_for_each(Domain::check)
    }
}
