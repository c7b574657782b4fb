//! What becomes of the terms of a loss.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Loss;

/// How the terms of a minibatch become one number.
///
/// With sample or class weights a row's terms count as often as its weight says, in the sum and in
/// the number of terms alike: a mean divides by the sum of the minibatch's weights, as PyTorch does
/// with class weights. So a weight of 0 leaves a row out, and a weight of 2 is the row twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReduction {
    /// The mean of all terms, PyTorch's `mean`: over rows and columns, or over rows where a loss has
    /// one term a row.
    #[default]
    Mean,
    /// The sum of all terms. Gradients, and with them the fitting learning rate, then grow with the
    /// minibatch.
    Sum,
    /// The sum of all terms over the number of rows, PyTorch's `batchmean`.
    BatchMean,
}

impl LossReduction {
    /// Every reduction.
    pub const ALL: [Self; 3] = [Self::Mean, Self::Sum, Self::BatchMean];

    /// The name: `mean`, `sum`, `batch_mean`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Sum => "sum",
            Self::BatchMean => "batch_mean",
        }
    }

    /// Whether rows are counted, so that only the ratios of their weights matter.
    #[must_use]
    pub const fn is_mean(self) -> bool {
        matches!(self, Self::Mean | Self::BatchMean)
    }

    /// What the sum of all terms is multiplied with, for rows of `outputs` outputs.
    #[must_use]
    pub fn scale(self, loss: Loss, rows: usize, outputs: usize) -> f64 {
        match self {
            Self::Mean if loss.is_rowwise() => 1.0 / rows as f64,
            Self::Mean => 1.0 / (rows as f64 * outputs as f64),
            Self::Sum => 1.0,
            Self::BatchMean => 1.0 / rows as f64,
        }
    }
}

impl fmt::Display for LossReduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
