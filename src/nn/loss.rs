//! Loss functions: how far a network's output is from its target, and which way is down.
//!
//! A loss is a sum over rows, times the scale of its mean: the op computes row losses and deltas,
//! and [`Loss::scale`] turns them into the mean that PyTorch reports.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Real;

/// A loss function.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// Mean of (y - t)^2 over rows and columns, for targets of the output's shape; PyTorch's
    /// `MSELoss`.
    Mse,
    /// Mean over rows of log sum exp(y) - y\[label\]: softmax followed by the negative log
    /// likelihood, for integer labels; PyTorch's `CrossEntropyLoss`. The network's output is
    /// logits, so its last activation is the identity.
    CrossEntropy,
}

impl Loss {
    /// Every loss, in the order of their codes in WGSL.
    pub const ALL: [Self; 2] = [Self::Mse, Self::CrossEntropy];

    /// The name: `mse`, `cross_entropy`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mse => "mse",
            Self::CrossEntropy => "cross_entropy",
        }
    }

    /// The code in `shaders/loss.wgsl`.
    #[cfg(feature = "gpu")]
    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Mse => 0,
            Self::CrossEntropy => 1,
        }
    }

    /// Whether the targets are integer labels, one a row.
    #[must_use]
    pub const fn takes_labels(self) -> bool {
        matches!(self, Self::CrossEntropy)
    }

    /// Whether the loss holds the output map itself, so that the network's output is logits.
    #[must_use]
    pub const fn takes_logits(self) -> bool {
        matches!(self, Self::CrossEntropy)
    }

    /// The columns of the targets of a network with `outputs` outputs.
    #[must_use]
    pub const fn target_columns(self, outputs: usize) -> usize {
        if self.takes_labels() { 1 } else { outputs }
    }

    /// What a batch's sum of row losses is multiplied with to give its mean.
    #[must_use]
    pub fn scale(self, rows: usize, outputs: usize) -> f64 {
        match self {
            Self::Mse => 1.0 / (rows * outputs) as f64,
            Self::CrossEntropy => 1.0 / rows as f64,
        }
    }

    /// One row's loss; writes its gradient with respect to the output into `gradient`.
    ///
    /// Both without the scale of the mean. `output` and `gradient` have one element an output.
    #[inline(always)]
    pub fn row<T: Real>(self, output: &[T], target: Target<'_, T>, gradient: &mut [T]) -> T {
        match (self, target) {
            (Self::CrossEntropy, Target::Label(label)) => cross_entropy(output, label, gradient),
            (_, Target::Values(target)) => squared_error(output, target, gradient),
            (_, Target::Label(label)) => {
                // The pairing is checked when a trainer is built; a label is then the value itself.
                squared_error(output, &[T::of(label as f64)], gradient)
            }
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

#[inline(always)]
fn squared_error<T: Real>(output: &[T], target: &[T], gradient: &mut [T]) -> T {
    let mut sum = T::of(0.0);
    for ((&y, &t), g) in output.iter().zip(target).zip(gradient) {
        let difference = y - t;
        *g = T::of(2.0) * difference;
        sum = sum + difference * difference;
    }
    sum
}

/// log sum exp(y) - y\[label\], with the largest output subtracted so that no exponential overflows.
#[inline(always)]
fn cross_entropy<T: Real>(output: &[T], label: usize, gradient: &mut [T]) -> T {
    let largest = output.iter().copied().fold(T::of(f64::NEG_INFINITY), T::max);
    let mut sum = T::of(0.0);
    for (&y, g) in output.iter().zip(gradient.iter_mut()) {
        *g = (y - largest).exp();
        sum = sum + *g;
    }
    let inverse = T::of(1.0) / sum;
    for (class, g) in gradient.iter_mut().enumerate() {
        *g = *g * inverse - T::of(f64::from(u8::from(class == label)));
    }
    sum.ln() + (largest - output[label])
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
