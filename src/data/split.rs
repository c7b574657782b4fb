//! Shuffling, splitting and selecting the rows of a [`Dataset`].
//!
//! Everything random depends on the seed alone, through a stream that nothing else draws from:
//! the same seed gives the same rows on every machine and device.

use std::sync::Arc;

use super::dataset::{Dataset, Targets, needs_labels};
use crate::error::{Error, Result};
use crate::random::{Stream, permutation, stream};

/// The indices of the split stream.
const SHUFFLED: u64 = 0;
const STRATIFIED: u64 = 1;

impl Dataset {
    /// The same rows in a random order that depends on `seed` and the number of rows.
    #[must_use]
    pub fn shuffled(&self, seed: u64) -> Self {
        let mut rng = stream(seed, Stream::Split, SHUFFLED);
        let order = permutation(&mut rng, self.len());
        self.gather(order.into_iter().map(|row| row as usize))
    }

    /// Splits off the last rows as the test part: (train, test).
    ///
    /// The test part has `test_fraction` of the rows, rounded up as scikit-learn does. Shuffle
    /// first where the rows have an order: `data.shuffled(0).split(0.2)`.
    ///
    /// ```
    /// use wgrad::data::Dataset;
    ///
    /// let data = Dataset::classification_from_vec([0.0; 10], 1, [0u8; 10])?;
    /// let (train, test) = data.shuffled(0).split(0.25)?;
    /// assert_eq!((train.len(), test.len()), (7, 3));
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the fraction is not between 0 and 1 or leaves a part empty.
    pub fn split(&self, test_fraction: f64) -> Result<(Self, Self)> {
        let test = self.test_rows(test_fraction)?;
        self.split_at(self.len() - test)
    }

    /// The first `rows` rows, and the others.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a part would be empty.
    pub fn split_at(&self, rows: usize) -> Result<(Self, Self)> {
        if rows == 0 || rows >= self.len() {
            let expected = format!("each part of {} rows needs at least one", self.len());
            return Err(Error::argument("the first part's number of rows", rows, expected));
        }
        Ok((self.gather(0..rows), self.gather(rows..self.len())))
    }

    /// Splits at random with every class in both parts in equal proportion: (train, test).
    ///
    /// The test part has `test_fraction` of the rows, rounded up, and of each class its share
    /// rounded up or down. A class keeps at least one row in the training part, so the test part
    /// is smaller where there are many classes of a single row. Both parts are shuffled, and
    /// have all the classes of the whole.
    ///
    /// # Errors
    ///
    /// [`Error::Targets`] if the targets are values, [`Error::Argument`] if the fraction is not
    /// between 0 and 1 or leaves a part empty.
    pub fn split_stratified(&self, test_fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let op = "Dataset::split_stratified";
        let (Some(labels), Some(counts)) = (self.labels(), self.class_counts()) else {
            return Err(needs_labels(op));
        };
        let wanted = self.test_rows(test_fraction)?;
        let mut quota = shares(&counts, wanted);
        let mut rng = stream(seed, Stream::Split, STRATIFIED);
        let order = permutation(&mut rng, self.len());
        let (test, train): (Vec<usize>, Vec<usize>) =
            order.into_iter().map(|row| row as usize).partition(|&row| {
                let left = &mut quota[labels[row] as usize];
                let taken = *left > 0;
                *left -= usize::from(taken);
                taken
            });
        if test.is_empty() {
            let expected = "every class has a single row, and the training part keeps it";
            return Err(Error::argument("test fraction", test_fraction, expected));
        }
        Ok((self.gather(train.into_iter()), self.gather(test.into_iter())))
    }

    /// The first `rows` rows.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if `rows` is 0 or more than there are.
    pub fn take(&self, rows: usize) -> Result<Self> {
        if rows == 0 || rows > self.len() {
            let expected = format!("it has to be 1 to {}", self.len());
            return Err(Error::argument("the number of rows to take", rows, expected));
        }
        Ok(self.gather(0..rows))
    }

    /// The rows with these indices, in this order; an index may come more than once.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for no index, or one that is out of range.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        if rows.is_empty() {
            return Err(Error::argument("the selection", "empty", "select at least one row"));
        }
        if let Some((place, row)) = rows.iter().enumerate().find(|(_, row)| **row >= self.len()) {
            let expected = format!("the data set has rows 0 to {}", self.len() - 1);
            let value = format!("{row} at place {place} of the selection");
            return Err(Error::argument("row index", value, expected));
        }
        Ok(self.gather(rows.iter().copied()))
    }

    /// Copies the rows with these indices, which the caller has checked.
    fn gather(&self, rows: impl ExactSizeIterator<Item = usize> + Clone) -> Self {
        let targets = match &self.targets {
            Targets::Labels { labels, classes } => Targets::Labels {
                labels: Arc::new(rows.clone().map(|row| labels[row]).collect()),
                classes: *classes,
            },
            Targets::Values { values, outputs } => Targets::Values {
                values: Arc::new(gather_rows(values, *outputs, rows.clone())),
                outputs: *outputs,
            },
        };
        let column = |column: &Option<Arc<Vec<f32>>>| {
            column.as_ref().map(|column| Arc::new(rows.clone().map(|row| column[row]).collect()))
        };
        Self {
            sample_weights: column(&self.sample_weights),
            sigmas: column(&self.sigmas),
            features: Arc::new(gather_rows(&self.features, self.inputs, rows.clone())),
            targets,
            inputs: self.inputs,
            class_names: self.class_names.clone(),
        }
    }

    /// The number of test rows, with at least one row left for training.
    fn test_rows(&self, fraction: f64) -> Result<usize> {
        let rows = self.len();
        let test = (fraction * rows as f64).ceil();
        // Written so that NaN fails.
        if !(fraction > 0.0 && fraction < 1.0 && test < rows as f64) {
            let expected = format!(
                "it has to be between 0 and 1, and leave at least one of {rows} rows for training"
            );
            return Err(Error::argument("test fraction", fraction, expected));
        }
        Ok(test as usize)
    }
}

fn gather_rows(
    matrix: &[f32],
    cols: usize,
    rows: impl ExactSizeIterator<Item = usize>,
) -> Vec<f32> {
    let mut gathered = Vec::with_capacity(rows.len() * cols);
    for row in rows {
        gathered.extend_from_slice(&matrix[row * cols..(row + 1) * cols]);
    }
    gathered
}

/// Divides `wanted` rows among classes in proportion to `counts`, by the largest remainders (of
/// equal ones the lower label first), and leaves every class at least one row.
fn shares(counts: &[usize], wanted: usize) -> Vec<usize> {
    let total: usize = counts.iter().sum();
    // In u128: rows x rows can leave u64.
    let product = |count: usize| count as u128 * wanted as u128;
    let mut quota: Vec<usize> =
        counts.iter().map(|&c| (product(c) / total as u128) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(product(counts[class]) % total as u128));

    let mut missing = wanted - quota.iter().sum::<usize>();
    for class in by_remainder {
        if missing == 0 {
            break;
        }
        let has_remainder = !product(counts[class]).is_multiple_of(total as u128);
        if has_remainder && quota[class] + 1 < counts[class] {
            quota[class] += 1;
            missing -= 1;
        }
    }
    quota
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_largest_remainders() {
        // 10 of 50, 30, 20 rows: 5, 3, 2 exactly.
        assert_eq!(shares(&[50, 30, 20], 10), [5, 3, 2]);
        // 4 of 5, 5, 5 rows: 1.33 each; the odd row goes to the lowest label.
        assert_eq!(shares(&[5, 5, 5], 4), [2, 1, 1]);
        // 3 of 7, 3 rows: 2.1 and 0.9.
        assert_eq!(shares(&[7, 3], 3), [2, 1]);
        // A class of one row keeps it, a class of none has no share.
        assert_eq!(shares(&[9, 1, 0], 5), [5, 0, 0]);
        assert_eq!(shares(&[1, 1, 1], 1), [0, 0, 0]);
    }
}
