//! What a row counts: sample weights, the uncertainties of measurements, and balanced classes.

use std::sync::Arc;

use super::dataset::{Dataset, needs_labels};
use crate::error::{Error, Result};

impl Dataset {
    /// The same data where row i counts as often as `weights[i]` says, in training and in metrics.
    ///
    /// A weight of 0 leaves the row out, a weight of 2 is the row twice; only their ratios matter
    /// where a loss is a mean. They stay with their rows when these are shuffled, split or selected.
    ///
    /// ```
    /// use wgrad::data::Dataset;
    ///
    /// let data = Dataset::classification_from_vec([0.0, 1.0, 2.0], 1, [0u8, 1, 1])?;
    /// let data = data.with_sample_weights([2.0, 1.0, 1.0])?.shuffled(0);
    /// assert_eq!(data.sample_weights().unwrap().len(), 3);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is not one weight a row, if one is negative or not finite, or if
    /// all are 0.
    pub fn with_sample_weights(mut self, weights: impl Into<Vec<f32>>) -> Result<Self> {
        let weights = weights.into();
        let fits = |weight: f32| weight.is_finite() && weight >= 0.0;
        check("sample weight", &weights, self.len(), "finite and at least 0", fits)?;
        if weights.iter().all(|&weight| weight == 0.0) {
            let expected = "at least one row has to count: give it a weight above 0";
            return Err(Error::argument("every sample weight", 0, expected));
        }
        self.sample_weights = Some(Arc::new(weights));
        Ok(self)
    }

    /// The same data where `sigmas[i]` is the standard deviation of row i's targets, for
    /// [`Loss::ChiSquare`](crate::Loss::ChiSquare).
    ///
    /// They stay with their rows when these are shuffled, split or selected. Other losses do not
    /// look at them.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is not one sigma a row, or if one is so far from 1, or not above
    /// 0, that 1 / sigma^2 is no positive f32.
    pub fn with_sigmas(mut self, sigmas: impl Into<Vec<f32>>) -> Result<Self> {
        let sigmas = sigmas.into();
        let fits = |sigma: f32| sigma > 0.0 && (1.0 / sigma / sigma).is_normal();
        let expected = "above 0, with 1 / sigma^2 within the range of f32";
        check("sigma", &sigmas, self.len(), expected, fits)?;
        self.sigmas = Some(Arc::new(sigmas));
        Ok(self)
    }

    /// How often each row counts; none where each counts once.
    #[must_use]
    pub fn sample_weights(&self) -> Option<&[f32]> {
        self.sample_weights.as_deref().map(Vec::as_slice)
    }

    /// The standard deviation of each row's targets, where they are known.
    #[must_use]
    pub fn sigmas(&self) -> Option<&[f32]> {
        self.sigmas.as_deref().map(Vec::as_slice)
    }

    /// Class weights with which every class counts alike: rows / (classes x rows of the class), as
    /// scikit-learn's `balanced` has it, for
    /// [`Trainer::class_weights`](crate::Trainer::class_weights). A class without a row gets 0.
    ///
    /// ```
    /// use wgrad::data::Dataset;
    ///
    /// let data = Dataset::classification_from_vec([0.0; 4], 1, [0u8, 1, 1, 1])?;
    /// assert_eq!(data.balanced_class_weights()?, [2.0, 4.0 / 6.0]);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Targets`] if the targets are values.
    pub fn balanced_class_weights(&self) -> Result<Vec<f32>> {
        let counts =
            self.class_counts().ok_or_else(|| needs_labels("Dataset::balanced_class_weights"))?;
        // Classes without a row are none that the others are balanced with.
        let classes = counts.iter().filter(|&&count| count > 0).count();
        let weight = |&count: &usize| match count {
            0 => 0.0,
            _ => (self.len() as f64 / (classes * count) as f64) as f32,
        };
        Ok(counts.iter().map(weight).collect())
    }
}

/// Checks that there is one value a row, and that each fits.
fn check(
    what: &'static str,
    values: &[f32],
    rows: usize,
    expected: &str,
    fits: impl Fn(f32) -> bool,
) -> Result<()> {
    if values.len() != rows {
        let expected = format!("the data set has {rows} rows, and each needs one {what}");
        return Err(Error::argument("the number of values", values.len(), expected));
    }
    match values.iter().position(|&value| !fits(value)) {
        None => Ok(()),
        Some(row) => {
            let value = format!("{} in row {row}", values[row]);
            Err(Error::argument(what, value, format!("it has to be {expected}")))
        }
    }
}
