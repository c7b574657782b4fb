//! Loss functions: how far a network's output is from its target, and which way is down.
//!
//! A loss is a sum of terms: one an element, or one a row. [`Loss::row`] gives a row's sum and its
//! gradient, and [`LossReduction`] says what becomes of all rows' sums. What a loss expects of the
//! network's output is its [`Domain`].
//!
//! A new one is a variant here, with its formula in `elementwise` or `rowwise`, and its case in
//! `shaders/loss_terms.wgsl` or `shaders/loss.wgsl`; every test finds it through [`Loss::ALL`].

mod domain;
mod elementwise;
mod reduction;
mod rowwise;
mod sum;

use std::fmt;

pub use domain::Domain;
pub use reduction::LossReduction;
pub(crate) use rowwise::cross_entropies;
pub(super) use rowwise::softmax;
use serde::{Deserialize, Serialize};

use super::Real;
use crate::error::{Error, Result};

/// A loss function.
///
/// y is the network's output, t the target, d = y - t. Unless a variant says otherwise a loss has
/// one term an element, the targets are values of the output's shape, and any activation may come
/// last. Gradients are with respect to y; at a kink they are 0 or that of one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// d^2, gradient 2 d: the mean squared error, PyTorch's `MSELoss`. For regression with errors
    /// that are about normal.
    Mse,
    /// d^2 / 2, gradient d: the loss of scikit-learn's `MLPRegressor` and of most textbooks.
    HalfSquared,
    /// |d|, gradient sign d: the mean absolute error, PyTorch's `L1Loss`. Leads to the median, so
    /// outliers pull little.
    Mae,
    /// d^2 / 2 where |d| <= delta, gradient d; else delta (|d| - delta / 2), gradient
    /// delta sign d. Squared near the target, absolute far from it (Huber, 1964); PyTorch's
    /// `HuberLoss`, which has delta = 1.
    Huber(
        /// delta > 0: the largest gradient.
        f32,
    ),
    /// d^2 / (2 beta) where |d| < beta, gradient d / beta; else |d| - beta / 2, gradient sign d.
    /// Huber's loss over delta; PyTorch's `SmoothL1Loss`, which has beta = 1.
    SmoothL1(
        /// beta > 0: where the parabola ends.
        f32,
    ),
    /// log cosh d, gradient tanh d: much like Huber's with delta = 1, but smooth.
    LogCosh,
    /// tau (t - y) where t > y, gradient -tau; else (1 - tau) (y - t), gradient 1 - tau: leads to
    /// the target's tau-quantile (Koenker and Bassett, 1978). With tau = 1/2 half of
    /// [`Mae`](Self::Mae).
    Quantile(
        /// tau, between 0 and 1.
        f32,
    ),
    /// (d / sigma)^2, gradient 2 d / sigma^2, with the sigma of the row's target: for measurements
    /// of known uncertainty. The sigmas are the data set's
    /// ([`Dataset::with_sigmas`](crate::Dataset::with_sigmas)), 1 without.
    ChiSquare,
    /// e^y - t y, gradient e^y - t: the negative log likelihood of counts t whose expected value is
    /// e^y, less ln t!; PyTorch's `PoissonNLLLoss` with its defaults. For targets 0, 1, 2, ...
    Poisson,
    /// -t ln y - (1 - t) ln (1 - y), gradient (y - t) / (y (1 - y)): binary cross-entropy on
    /// probabilities, each output a yes or no of its own, for targets from 0 to 1; PyTorch's
    /// `BCELoss`, whose bounds it shares: a logarithm is at least -100, and y (1 - y) in the
    /// gradient at least 1e-12. [`BceWithLogits`](Self::BceWithLogits) needs no bounds: prefer it.
    Bce,
    /// p t softplus(-y) + (1 - t) softplus(y), gradient (1 - t) s(y) - p t s(-y), with s the
    /// sigmoid: [`Bce`](Self::Bce) of s(y), for logits of any size; PyTorch's `BCEWithLogitsLoss`.
    /// p is the positive weight of the output,
    /// [`Trainer::positive_weights`](crate::Trainer::positive_weights), 1 without.
    BceWithLogits,
    /// -sum t ln softmax(y), one term a row, gradient softmax(y) sum t - t: for classes that exclude
    /// each other. t is the label's one-hot vector, or the row's values: one-hot or soft targets.
    /// PyTorch's `CrossEntropyLoss`. Takes logits.
    CrossEntropy,
    /// [`CrossEntropy`](Self::CrossEntropy) with targets (1 - epsilon) t + epsilon / classes, so
    /// that the network does not become too sure (Szegedy et al., 2016); PyTorch's
    /// `label_smoothing`.
    SmoothedCrossEntropy(
        /// epsilon, from 0 to 1; 0.1 is usual.
        f32,
    ),
    /// -y\[label\], one term a row, gradient -1 at the label and else 0: the negative log
    /// likelihood, for integer labels; PyTorch's `NLLLoss`. Takes log-probabilities;
    /// [`CrossEntropy`](Self::CrossEntropy) is this after a log-softmax.
    Nll,
    /// t (ln t - y), 0 where t = 0, gradient -t: the Kullback-Leibler divergence of the
    /// probabilities t from the network's, whose logarithms y are; PyTorch's `KLDivLoss`, where
    /// [`LossReduction::BatchMean`] is the divergence as it is defined.
    KlDivergence,
    /// max(0, 1 - t y), gradient -t where t y < 1: the loss of support vector machines, for targets
    /// -1 and +1.
    Hinge,
    /// max(0, 1 - t y)^2, gradient -2 t max(0, 1 - t y): smooth, and harder on large errors.
    SquaredHinge,
    /// 1 - y . t / (|y| |t|), one term a row: the angle between output and target and not their
    /// lengths; PyTorch's `1 - cosine_similarity`, where a length is at least 1e-8. The gradient is
    /// (cos y / |y| - t / |t|) / |y|.
    Cosine,
}

/// The kinds of targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// A class a row: (rows, 1) of u32.
    Labels,
    /// A value an output: (rows, outputs) of f32.
    Values,
}

impl TargetKind {
    /// The columns of the targets of a network with `outputs` outputs.
    #[must_use]
    pub const fn columns(self, outputs: usize) -> usize {
        match self {
            Self::Labels => 1,
            Self::Values => outputs,
        }
    }
}

/// One row's target.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a, T> {
    /// A class.
    Label(usize),
    /// One value an output.
    Values(&'a [T]),
}

impl Loss {
    /// Every loss with its default constants, in the order of their codes in WGSL.
    pub const ALL: [Self; 18] = [
        Self::Mse,
        Self::HalfSquared,
        Self::Mae,
        Self::Huber(1.0),
        Self::SmoothL1(1.0),
        Self::LogCosh,
        Self::Quantile(0.5),
        Self::ChiSquare,
        Self::Poisson,
        Self::Bce,
        Self::BceWithLogits,
        Self::KlDivergence,
        Self::Hinge,
        Self::SquaredHinge,
        Self::CrossEntropy,
        Self::SmoothedCrossEntropy(0.1),
        Self::Nll,
        Self::Cosine,
    ];

    /// The name: `mse`, `cross_entropy`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mse => "mse",
            Self::HalfSquared => "half_squared",
            Self::Mae => "mae",
            Self::Huber(_) => "huber",
            Self::SmoothL1(_) => "smooth_l1",
            Self::LogCosh => "log_cosh",
            Self::Quantile(_) => "quantile",
            Self::ChiSquare => "chi_square",
            Self::Poisson => "poisson",
            Self::Bce => "bce",
            Self::BceWithLogits => "bce_with_logits",
            Self::KlDivergence => "kl_divergence",
            Self::Hinge => "hinge",
            Self::SquaredHinge => "squared_hinge",
            Self::CrossEntropy => "cross_entropy",
            Self::SmoothedCrossEntropy(_) => "smoothed_cross_entropy",
            Self::Nll => "nll",
            Self::Cosine => "cosine",
        }
    }

    /// The code in `shaders/loss.wgsl`: the place in [`ALL`](Self::ALL).
    #[cfg(feature = "gpu")]
    pub(crate) fn code(self) -> u32 {
        let place = Self::ALL.iter().position(|loss| loss.name() == self.name());
        place.map_or(0, |place| place as u32)
    }

    /// The constant that the loss has: delta, beta, tau or epsilon, else 0.
    #[must_use]
    pub const fn constant(self) -> f32 {
        match self {
            Self::Huber(constant)
            | Self::SmoothL1(constant)
            | Self::Quantile(constant)
            | Self::SmoothedCrossEntropy(constant) => constant,
            _ => 0.0,
        }
    }

    /// Whether targets of a kind fit.
    #[must_use]
    pub const fn accepts(self, kind: TargetKind) -> bool {
        match (self, kind) {
            (Self::CrossEntropy | Self::SmoothedCrossEntropy(_), _) => true,
            (Self::Nll, kind) => matches!(kind, TargetKind::Labels),
            (_, kind) => matches!(kind, TargetKind::Values),
        }
    }

    /// Whether the loss has one term a row, and not one an element.
    #[must_use]
    pub const fn is_rowwise(self) -> bool {
        matches!(
            self,
            Self::CrossEntropy | Self::SmoothedCrossEntropy(_) | Self::Nll | Self::Cosine
        )
    }

    /// Whether the loss knows positive weights.
    #[must_use]
    pub const fn takes_positive_weights(self) -> bool {
        matches!(self, Self::BceWithLogits)
    }

    /// Checks the constant.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is outside of its domain.
    pub fn check(self) -> Result<()> {
        let (what, value, expected, fits) = match self {
            Self::Huber(delta) => ("the delta of huber", delta, "finite, more than 0", delta > 0.0),
            Self::SmoothL1(beta) => {
                ("the beta of smooth_l1", beta, "finite, more than 0", beta > 0.0)
            }
            Self::Quantile(tau) => {
                ("the tau of quantile", tau, "between 0 and 1", tau > 0.0 && tau < 1.0)
            }
            Self::SmoothedCrossEntropy(epsilon) => {
                let fits = (0.0..=1.0).contains(&epsilon);
                ("the label smoothing", epsilon, "from 0 to 1", fits)
            }
            _ => return Ok(()),
        };
        if fits && value.is_finite() {
            return Ok(());
        }
        Err(Error::argument(what, value, format!("it has to be {expected}")))
    }

    /// One row's sum of terms; writes its gradient with respect to the output into `gradient`.
    ///
    /// `output` and `gradient` have one element an output, and so have values and positive weights.
    /// Targets of a kind that the loss does not take are checked before; here a label counts as its
    /// one-hot vector.
    #[inline(always)]
    pub fn row<T: Real>(
        self,
        output: &[T],
        target: Target<'_, T>,
        positive: Option<&[T]>,
        gradient: &mut [T],
    ) -> T {
        match self {
            Self::CrossEntropy => rowwise::cross_entropy(output, target, gradient),
            Self::SmoothedCrossEntropy(epsilon) => {
                rowwise::smoothed(output, target, T::of(f64::from(epsilon)), gradient)
            }
            Self::Nll => rowwise::nll(output, target, gradient),
            Self::Cosine => rowwise::cosine(output, target, gradient),
            _ => elementwise::row(self, output, target, positive, gradient),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
