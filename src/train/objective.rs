//! What is minimised: a loss, how its terms become one number, and what weighs them.

use std::sync::Arc;

use super::flight::Plan;
use super::trainer::Trainer;
use crate::data::{Dataset, Targets};
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::{Activation, Loss, LossReduction, TargetKind};
use crate::persist::RunSettings;

impl Trainer {
    /// How the terms of a minibatch become its loss; default [`LossReduction::Mean`].
    ///
    /// The history's training losses are those of whole epochs under the same reduction; validation
    /// losses and [`Metric::Loss`](crate::Metric::Loss) are means, whatever it is.
    #[must_use]
    pub fn reduction(mut self, reduction: LossReduction) -> Self {
        self.settings.reduction = reduction;
        self
    }

    /// How much the rows of each class count, by label; default 1 each.
    ///
    /// A weight of 2 is every row of the class twice, in the sum of the loss and in the number of
    /// its terms; a row's sample weight is multiplied with it. `Dataset::balanced_class_weights`
    /// gives those with which every class counts alike. Where targets are values, a row's weight is
    /// the sum of w t over the outputs, with t held to 0 to 1, so that one-hot targets weigh as
    /// their labels would; for a single output there are two weights, those of t = 0 (or -1) and of
    /// t = 1. With label smoothing PyTorch weighs every class's share of a target by itself; here the
    /// row has the one weight. Metrics and validation losses do not know class weights.
    ///
    /// [`fit`](Self::fit) gives [`Error::Argument`] if there is not one weight a class, if one is
    /// negative or not finite, or if no row of the data counts.
    #[must_use]
    pub fn class_weights(mut self, weights: impl Into<Vec<f32>>) -> Self {
        self.settings.class_weights = Some(weights.into());
        self
    }

    /// What positive targets count against negative ones, for each output, in
    /// [`Loss::BceWithLogits`]; default 1 each. PyTorch's `pos_weight`.
    ///
    /// Negatives over positives balances an output. [`fit`](Self::fit) gives [`Error::Argument`] for
    /// another loss, if there is not one weight an output, or if one is negative or not finite.
    #[must_use]
    pub fn positive_weights(mut self, weights: impl Into<Vec<f32>>) -> Self {
        self.settings.positive_weights = Some(weights.into());
        self
    }
}

/// The settings that make up the objective.
#[derive(Debug, Clone, Copy)]
pub(super) struct Objective<'a> {
    pub(super) loss: Loss,
    pub(super) reduction: LossReduction,
    pub(super) class_weights: Option<&'a [f32]>,
    pub(super) positive_weights: Option<&'a [f32]>,
}

impl<'a> Objective<'a> {
    pub(super) fn of(settings: &'a RunSettings) -> Self {
        Self {
            loss: settings.loss,
            reduction: settings.reduction,
            class_weights: settings.class_weights.as_deref(),
            positive_weights: settings.positive_weights.as_deref(),
        }
    }

    /// Checks that the loss can follow the network, and its weights.
    pub(super) fn check(&self, mlp: &Mlp) -> Result<()> {
        self.loss.check()?;
        let last = mlp.layers().last().map_or(Activation::Identity, |layer| layer.activation);
        self.loss.check_output(last)?;
        let Some(positive) = self.positive_weights else { return Ok(()) };
        if !self.loss.takes_positive_weights() {
            let expected = "positive weights are known to `Loss::BceWithLogits` alone";
            return Err(Error::argument("the loss", self.loss, expected));
        }
        check_weights("positive weight", positive, mlp.network().outputs())
    }

    /// What each row of the data counts, for a network of `outputs` outputs; none where each counts
    /// once.
    ///
    /// # Errors
    /// [`Error::Argument`] for class weights that do not fit, or if no row counts.
    pub(super) fn weights(&self, data: &Dataset, outputs: usize) -> Result<Option<Weights>> {
        let sigmas = data.sigmas().filter(|_| self.loss == Loss::ChiSquare);
        if self.class_weights.is_none() && data.sample_weights().is_none() && sigmas.is_none() {
            return Ok(None);
        }
        let mut shares = vec![1.0; data.len()];
        if let Some(weights) = data.sample_weights() {
            shares.iter_mut().zip(weights).for_each(|(share, &w)| *share *= f64::from(w));
        }
        if let Some(weights) = self.class_weights {
            multiply_by_class(&mut shares, weights, data, outputs)?;
        }
        let largest = shares.iter().copied().fold(0.0, f64::max);
        if largest == 0.0 {
            let expected = "no row counts: give at least one a sample and a class weight above 0";
            return Err(Error::argument("every row's weight", 0, expected));
        }
        // A mean knows ratios only: so its sums cannot leave the range of f32.
        if self.reduction.is_mean() {
            shares.iter_mut().for_each(|share| *share /= largest);
        }
        Ok(Some(Weights::new(&shares, sigmas)))
    }
}

/// What rows count: (rows, 1), or (rows, 2) where a row's loss has a factor that the mean does not
/// count, 1 / sigma^2; the operand of [`Op::Weigh`](crate::op::Op::Weigh).
pub(super) struct Weights {
    pub(super) words: Arc<Vec<f32>>,
    pub(super) cols: usize,
}

impl Weights {
    fn new(shares: &[f64], sigmas: Option<&[f32]>) -> Self {
        let (words, cols) = match sigmas {
            None => (shares.iter().map(|&share| share as f32).collect(), 1),
            Some(sigmas) => {
                let pair = |(&share, &sigma): (&f64, &f32)| {
                    [(share / f64::from(sigma).powi(2)) as f32, share as f32]
                };
                (shares.iter().zip(sigmas).flat_map(pair).collect(), 2)
            }
        };
        Self { words: Arc::new(words), cols }
    }

    /// What a row's loss is multiplied with, and what it counts in a mean.
    pub(super) fn of(&self, row: usize) -> [f64; 2] {
        let of_row = &self.words[row * self.cols..(row + 1) * self.cols];
        [of_row[0], of_row[self.cols - 1]].map(f64::from)
    }

    /// The loss of an epoch from those of its steps, over rows in `order`, or as they lie.
    ///
    /// The mean of the steps' means, each weighted by what its rows count.
    pub(super) fn mean(&self, plan: &Plan, losses: &[f32], order: &[u32]) -> f64 {
        let (mut sum, mut all) = (0.0, 0.0);
        for (step, &loss) in losses.iter().enumerate() {
            let first = step * plan.batch;
            let rows = first..first + plan.rows_of(step);
            let share = |i: usize| self.of(order.get(i).map_or(i, |&row| row as usize))[1];
            let shares: f64 = rows.map(share).sum();
            sum += shares * f64::from(loss);
            all += shares;
        }
        sum / all
    }
}

/// Multiplies what each row counts with the weight of its class.
fn multiply_by_class(
    shares: &mut [f64],
    weights: &[f32],
    data: &Dataset,
    outputs: usize,
) -> Result<()> {
    let wide = |weight: &f32| f64::from(*weight);
    let classes = match data.targets() {
        Targets::Labels { .. } => outputs,
        Targets::Values { outputs: 1, .. } => 2,
        Targets::Values { outputs, .. } => *outputs,
    };
    check_weights("class weight", weights, classes)?;
    match data.targets() {
        Targets::Labels { labels, .. } => {
            let weight = |label: &u32| wide(&weights[*label as usize]);
            shares.iter_mut().zip(labels.iter()).for_each(|(share, label)| *share *= weight(label));
        }
        Targets::Values { values, outputs } => {
            let rows = values.chunks_exact(*outputs);
            for (share, row) in shares.iter_mut().zip(rows) {
                let held = |t: &f32| f64::from(t.clamp(0.0, 1.0));
                *share *= match (row, weights) {
                    ([t], [no, yes]) => (1.0 - held(t)) * wide(no) + held(t) * wide(yes),
                    _ => row.iter().zip(weights).map(|(t, w)| held(t) * wide(w)).sum(),
                };
            }
        }
    }
    Ok(())
}

/// Checks that there are so many weights, each of them one.
fn check_weights(what: &'static str, weights: &[f32], needed: usize) -> Result<()> {
    if weights.len() != needed {
        let expected = format!("{needed} are needed, and each is a {what}");
        return Err(Error::argument("the number of weights", weights.len(), expected));
    }
    match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        None => Ok(()),
        Some(at) => {
            let value = format!("{} at place {at}", weights[at]);
            Err(Error::argument(what, value, "it has to be finite and at least 0"))
        }
    }
}

/// Checks that the targets are of a kind that the loss takes, and values such as it takes.
pub(super) fn check_targets(loss: Loss, data: &Dataset) -> Result<()> {
    let kind = data.targets().kind();
    if loss.accepts(kind) {
        return check_values(loss, data);
    }
    let (found, needs) = match kind {
        TargetKind::Labels => (
            "class labels",
            "this loss needs values: make the data set with `Dataset::regression`, or use a loss \
             for labels such as `Loss::CrossEntropy`",
        ),
        TargetKind::Values => (
            "values",
            "this loss needs class labels: make the data set with `Dataset::classification`, or \
             use a loss for values such as `Loss::Mse`",
        ),
    };
    Err(Error::Targets { op: loss.name(), found, needs })
}

fn check_values(loss: Loss, data: &Dataset) -> Result<()> {
    let (Some(values), Some(expected)) = (data.values(), loss.expected_targets()) else {
        return Ok(());
    };
    match values.indexed_iter().find(|(_, target)| !loss.takes_target(**target)) {
        None => Ok(()),
        Some(((row, column), target)) => {
            let value = format!("{target} in row {row}, column {column}");
            let expected = format!("{loss} needs {expected}");
            Err(Error::argument("a target", value, expected))
        }
    }
}
