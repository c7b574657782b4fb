//! How good predictions are. Computed on the host in f64.
//!
//! A row counts as often as its sample weight says, as in scikit-learn's metrics. Other settings of
//! a training (reduction, class weights, positive weights) are not part of a metric.

use ndarray::{ArrayView1, ArrayView2, Axis};

use crate::data::{Dataset, Targets};
use crate::error::{Error, Result};
use crate::nn::{Loss, LossReduction, Target};
use crate::op::{Shape, argmax};

/// A measure of a network's outputs against a data set's targets.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Metric {
    /// The share of rows whose largest output is that of their label.
    Accuracy,
    /// The coefficient of determination 1 - sum (t - y)^2 / sum (t - mean t)^2, averaged over the
    /// outputs. As scikit-learn has it, a constant target gives 1 if it is met and else 0.
    R2,
    /// The mean squared error.
    Mse,
    /// The mean absolute error.
    Mae,
    /// The mean of a loss function's terms, whatever the training's reduction: PyTorch's `mean`.
    Loss(Loss),
}

impl From<Loss> for Metric {
    fn from(loss: Loss) -> Self {
        Self::Loss(loss)
    }
}

impl Metric {
    /// The name: `accuracy`, `r2`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::R2 => "r2",
            Self::Mse => "mse",
            Self::Mae => "mae",
            Self::Loss(loss) => loss.name(),
        }
    }

    /// Whether more is better, as for a score, or less, as for a loss.
    #[must_use]
    pub const fn more_is_better(self) -> bool {
        matches!(self, Self::Accuracy | Self::R2)
    }

    /// The metric of outputs (rows, outputs) against the targets of `data`.
    ///
    /// # Errors
    /// [`Error::Targets`] if the metric needs targets of the other kind, [`Error::Shape`] if
    /// outputs and targets differ in shape, [`Error::Label`] for a label without an output,
    /// [`Error::Argument`] for a loss whose constant is outside of its domain, or if every row's
    /// weight is 0.
    pub fn compute(self, outputs: ArrayView2<'_, f32>, data: &Dataset) -> Result<f64> {
        let columns = match (self, data.targets()) {
            (Self::Accuracy, Targets::Labels { .. }) => outputs.ncols(),
            (Self::Loss(loss), targets) if loss.accepts(targets.kind()) => match targets {
                Targets::Labels { .. } => outputs.ncols(),
                Targets::Values { outputs, .. } => *outputs,
            },
            (Self::R2 | Self::Mse | Self::Mae, Targets::Values { outputs, .. }) => *outputs,
            _ => return Err(self.mismatch(data)),
        };
        let (left, right) =
            (Shape::new(outputs.nrows(), outputs.ncols()), Shape::new(data.len(), columns));
        if left != right {
            let hint = "outputs, first, and targets, second, need one shape";
            return Err(Error::Shape { op: self.name(), left, right, hint });
        }
        let weights = Weights::new(data)?;
        match (self, data.labels(), data.values()) {
            (Self::Accuracy, Some(labels), _) => Ok(accuracy(outputs, labels, &weights)),
            (Self::Loss(loss), ..) => mean_loss(loss, outputs, data, &weights),
            (Self::R2, _, Some(values)) => Ok(r2(outputs, values, &weights)),
            (Self::Mse, _, Some(values)) => Ok(mean(outputs, values, &weights, |d| d * d)),
            (Self::Mae, _, Some(values)) => Ok(mean(outputs, values, &weights, f64::abs)),
            _ => Err(self.mismatch(data)),
        }
    }

    fn mismatch(self, data: &Dataset) -> Error {
        let (found, needs) = match data.targets() {
            Targets::Labels { .. } => {
                ("class labels", "values are needed: make the data set with `Dataset::regression`")
            }
            Targets::Values { .. } => (
                "values",
                "class labels are needed: make the data set with `Dataset::classification`",
            ),
        };
        Error::Targets { op: self.name(), found, needs }
    }
}

/// What each row counts, and all together.
struct Weights<'a> {
    of_rows: Option<&'a [f32]>,
    total: f64,
}

impl<'a> Weights<'a> {
    fn new(data: &'a Dataset) -> Result<Self> {
        let of_rows = data.sample_weights();
        let sum = |weights: &[f32]| weights.iter().map(|&weight| f64::from(weight)).sum();
        let total = of_rows.map_or(data.len() as f64, sum);
        if total == 0.0 {
            let expected = "a metric needs at least one row that counts";
            return Err(Error::argument("every sample weight", 0, expected));
        }
        Ok(Self { of_rows, total })
    }

    fn of(&self, row: usize) -> f64 {
        self.of_rows.map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// The mean over rows.
    fn mean(&self, of_row: impl Iterator<Item = f64>) -> f64 {
        self.sum(of_row) / self.total
    }

    /// The sum over rows; one that does not count may be anything.
    fn sum(&self, of_row: impl Iterator<Item = f64>) -> f64 {
        let weighted = |(row, x): (usize, f64)| match self.of(row) {
            0.0 => 0.0,
            weight => weight * x,
        };
        of_row.enumerate().map(weighted).sum()
    }
}

fn accuracy(outputs: ArrayView2<'_, f32>, labels: &[u32], weights: &Weights<'_>) -> f64 {
    let rows = outputs.rows().into_iter().zip(labels);
    let is_right = |(row, label): (ArrayView1<'_, f32>, &u32)| {
        f64::from(u8::from(argmax(row.iter().copied()) == *label as usize))
    };
    weights.mean(rows.map(is_right))
}

fn mean_loss(
    loss: Loss,
    outputs: ArrayView2<'_, f32>,
    data: &Dataset,
    weights: &Weights<'_>,
) -> Result<f64> {
    loss.check()?;
    let classes = outputs.ncols();
    if let Some(labels) = data.labels()
        && let Some(row) = labels.iter().position(|&label| label as usize >= classes)
    {
        return Err(Error::Label { row, label: i64::from(labels[row]), classes });
    }
    let wide = |row: ArrayView1<'_, f32>| row.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let mut gradient = vec![0.0; classes];
    let sigmas = data.sigmas().filter(|_| loss == Loss::ChiSquare);
    let losses = outputs.rows().into_iter().enumerate().map(|(i, y)| {
        let value = match (data.labels(), data.values()) {
            (Some(labels), _) => {
                loss.row(&wide(y), Target::Label(labels[i] as usize), None, &mut gradient)
            }
            (_, Some(values)) => {
                loss.row(&wide(y), Target::Values(&wide(values.row(i))), None, &mut gradient)
            }
            _ => 0.0,
        };
        sigmas.map_or(value, |sigmas| value / f64::from(sigmas[i]).powi(2))
    });
    Ok(weights.mean(losses) * LossReduction::Mean.scale(loss, 1, classes))
}

fn mean(
    outputs: ArrayView2<'_, f32>,
    values: ArrayView2<'_, f32>,
    weights: &Weights<'_>,
    term: impl Fn(f64) -> f64,
) -> f64 {
    let rows = outputs.rows().into_iter().zip(values.rows());
    let of_row = |(y, t): (ArrayView1<'_, f32>, ArrayView1<'_, f32>)| {
        let terms = y.iter().zip(t).map(|(&y, &t)| term(f64::from(y) - f64::from(t)));
        terms.sum::<f64>()
    };
    weights.mean(rows.map(of_row)) / outputs.ncols() as f64
}

fn r2(outputs: ArrayView2<'_, f32>, values: ArrayView2<'_, f32>, weights: &Weights<'_>) -> f64 {
    let columns = outputs.axis_iter(Axis(1)).zip(values.axis_iter(Axis(1)));
    let score = |(y, t): (ArrayView1<'_, f32>, ArrayView1<'_, f32>)| {
        let mean = weights.mean(t.iter().map(|&t| f64::from(t)));
        let total = weights.sum(t.iter().map(|&t| (f64::from(t) - mean).powi(2)));
        let left =
            weights.sum(y.iter().zip(t).map(|(&y, &t)| (f64::from(t) - f64::from(y)).powi(2)));
        match (total == 0.0, left == 0.0) {
            (true, true) => 1.0,
            (true, false) => 0.0,
            _ => 1.0 - left / total,
        }
    };
    columns.map(score).sum::<f64>() / outputs.ncols() as f64
}
