//! L-BFGS (Liu and Nocedal, 1989) for full batches: the mathematics, on vectors of f64.
//!
//! [`History`] turns a gradient into a direction, [`LineSearch`] says which steps along it to try.
//! Neither evaluates anything: whoever does may wait for a device in between, which the crates that
//! there are do not allow, as they call a function back.

mod history;
mod line_search;

use serde::{Deserialize, Serialize};

use super::rule::Domain;
use crate::error::{Error, Result};

pub(crate) use history::History;
pub(crate) use line_search::{LineSearch, Point, Verdict};

/// The quasi-Newton method L-BFGS, for data that fit one batch; see [`fit`](Self::fit).
///
/// It takes few, long steps, each from the value and the gradient of the loss over all rows, along a
/// direction that it learns from the last gradients, with a line search (strong Wolfe conditions).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lbfgs {
    /// The most iterations; each takes one evaluation or a few; default 200.
    pub max_iterations: usize,
    /// How many of the last steps the direction is made from, at least 1; default 10.
    pub history: usize,
    /// It ends where no entry of the gradient is larger; default 1e-7, PyTorch's `tolerance_grad`.
    pub tolerance_gradient: f64,
    /// It ends where neither the loss nor any parameter changed by more; default 1e-9, PyTorch's
    /// `tolerance_change`.
    pub tolerance_change: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        let (tolerance_gradient, tolerance_change) = (1e-7, 1e-9);
        Self { max_iterations: 200, history: 10, tolerance_gradient, tolerance_change }
    }
}

impl Lbfgs {
    /// The same with this many iterations at most.
    #[must_use]
    pub fn max_iterations(self, max_iterations: usize) -> Self {
        Self { max_iterations, ..self }
    }

    /// The same with a history of this length.
    #[must_use]
    pub fn history(self, history: usize) -> Self {
        Self { history, ..self }
    }

    /// The same with this tolerance of the gradient.
    #[must_use]
    pub fn tolerance_gradient(self, tolerance_gradient: f64) -> Self {
        Self { tolerance_gradient, ..self }
    }

    /// The same with this tolerance of changes.
    #[must_use]
    pub fn tolerance_change(self, tolerance_change: f64) -> Self {
        Self { tolerance_change, ..self }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.history == 0 {
            return Err(Error::argument("the history of L-BFGS", 0, "at least one step"));
        }
        Domain::not_negative("the gradient's tolerance of L-BFGS", self.tolerance_gradient)
            .check()?;
        Domain::not_negative("the change's tolerance of L-BFGS", self.tolerance_change).check()
    }
}

/// The inner product.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The largest magnitude.
pub(crate) fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| f64::max(most, x.abs()))
}

#[cfg(test)]
mod tests;
