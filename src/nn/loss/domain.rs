//! What a loss takes the network's output for, and so which activations may come last.

use super::Loss;
use crate::error::{Error, Result};
use crate::nn::Activation;

/// What a loss takes the network's output for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// Any numbers.
    Any,
    /// Logits: the loss holds the output map, so the last layer has none.
    Logits,
    /// Probabilities, from 0 to 1.
    Probabilities,
    /// Logarithms of probabilities, at most 0.
    LogProbabilities,
}

impl Domain {
    /// Whether the values of an activation are such.
    #[must_use]
    pub fn accepts(self, activation: Activation) -> bool {
        let [low, high] = activation.range();
        match self {
            Self::Any => true,
            Self::Logits => activation == Activation::Identity,
            Self::Probabilities => low >= 0.0 && high <= 1.0,
            Self::LogProbabilities => high <= 0.0,
        }
    }
}

impl Loss {
    /// What the loss takes the network's output for.
    #[must_use]
    pub const fn domain(self) -> Domain {
        match self {
            Self::CrossEntropy | Self::SmoothedCrossEntropy(_) | Self::BceWithLogits => {
                Domain::Logits
            }
            Self::Bce => Domain::Probabilities,
            Self::Nll | Self::KlDivergence => Domain::LogProbabilities,
            Self::Mse
            | Self::HalfSquared
            | Self::Mae
            | Self::Huber(_)
            | Self::SmoothL1(_)
            | Self::LogCosh
            | Self::Quantile(_)
            | Self::ChiSquare
            | Self::Poisson
            | Self::Hinge
            | Self::SquaredHinge
            | Self::Cosine => Domain::Any,
        }
    }

    /// Whether a value can be a target; a NaN can where any number can.
    #[must_use]
    pub fn takes_target(self, target: f32) -> bool {
        match self {
            Self::Bce
            | Self::BceWithLogits
            | Self::CrossEntropy
            | Self::SmoothedCrossEntropy(_)
            | Self::KlDivergence => (0.0..=1.0).contains(&target),
            Self::Hinge | Self::SquaredHinge => target.abs() == 1.0,
            Self::Poisson => target >= 0.0,
            Self::Mse
            | Self::HalfSquared
            | Self::Mae
            | Self::Huber(_)
            | Self::SmoothL1(_)
            | Self::LogCosh
            | Self::Quantile(_)
            | Self::ChiSquare
            | Self::Nll
            | Self::Cosine => true,
        }
    }

    /// In words, what [`takes_target`](Self::takes_target) takes, where that is not any number.
    pub(crate) const fn expected_targets(self) -> Option<&'static str> {
        match self {
            Self::Bce | Self::BceWithLogits => Some("targets from 0, for no, to 1, for yes"),
            Self::CrossEntropy | Self::SmoothedCrossEntropy(_) | Self::KlDivergence => {
                Some("probabilities as targets, from 0 to 1")
            }
            Self::Hinge | Self::SquaredHinge => Some("targets -1 and +1"),
            Self::Poisson => Some("counts as targets, at least 0"),
            _ => None,
        }
    }

    /// Checks that the loss can follow an activation.
    ///
    /// # Errors
    /// [`Error::Argument`] that says what to use instead.
    pub fn check_output(self, last: Activation) -> Result<()> {
        if self.domain().accepts(last) {
            return Ok(());
        }
        let fitting: Vec<&str> = (Activation::ALL.into_iter())
            .filter(|&activation| self.domain().accepts(activation))
            .map(Activation::name)
            .collect();
        let instead = match fitting[..] {
            [] => String::new(),
            _ => format!(" as the last activation {}, or", fitting.join(" or ")),
        };
        let expected = match self.domain() {
            Domain::Any | Domain::Logits => {
                format!("{self} takes logits: use `.output(width)`, which has no activation")
            }
            Domain::Probabilities => format!(
                "{self} takes probabilities: use{instead} `Loss::BceWithLogits` after \
                 `.output(width)`"
            ),
            Domain::LogProbabilities => format!(
                "{self} takes log-probabilities: use{instead} `Loss::CrossEntropy` after \
                 `.output(width)`"
            ),
        };
        Err(Error::argument("the last layer's activation", last, expected))
    }
}
