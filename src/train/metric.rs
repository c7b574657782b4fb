//! How good predictions are. Computed on the host in f64.

use ndarray::{ArrayView1, ArrayView2, Axis};

use crate::data::{Dataset, Targets};
use crate::error::{Error, Result};
use crate::nn::{Loss, Target};
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
    /// The mean of a loss function.
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
    /// outputs and targets differ in shape, [`Error::Label`] for a label without an output.
    pub fn compute(self, outputs: ArrayView2<'_, f32>, data: &Dataset) -> Result<f64> {
        let columns = match (self, data.targets()) {
            (Self::Accuracy, Targets::Labels { .. }) => outputs.ncols(),
            (Self::Loss(loss), Targets::Labels { .. }) if loss.takes_labels() => outputs.ncols(),
            (Self::Loss(loss), Targets::Values { outputs, .. }) if !loss.takes_labels() => *outputs,
            (Self::R2 | Self::Mse | Self::Mae, Targets::Values { outputs, .. }) => *outputs,
            _ => return Err(self.mismatch(data)),
        };
        let (left, right) =
            (Shape::new(outputs.nrows(), outputs.ncols()), Shape::new(data.len(), columns));
        if left != right {
            let hint = "outputs, first, and targets, second, need one shape";
            return Err(Error::Shape { op: self.name(), left, right, hint });
        }
        match (self, data.labels(), data.values()) {
            (Self::Accuracy, Some(labels), _) => Ok(accuracy(outputs, labels)),
            (Self::Loss(loss), Some(labels), _) => by_labels(loss, outputs, labels),
            (Self::Loss(loss), _, Some(values)) => Ok(by_values(loss, outputs, values)),
            (Self::R2, _, Some(values)) => Ok(r2(outputs, values)),
            (Self::Mse, _, Some(values)) => Ok(mean(outputs, values, |d| d * d)),
            (Self::Mae, _, Some(values)) => Ok(mean(outputs, values, f64::abs)),
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

fn accuracy(outputs: ArrayView2<'_, f32>, labels: &[u32]) -> f64 {
    let rows = outputs.rows().into_iter().zip(labels);
    let right = rows.filter(|(row, label)| argmax(row.iter().copied()) == **label as usize).count();
    right as f64 / labels.len() as f64
}

fn by_labels(loss: Loss, outputs: ArrayView2<'_, f32>, labels: &[u32]) -> Result<f64> {
    let classes = outputs.ncols();
    let mut gradient = vec![0.0; classes];
    let mut sum = 0.0;
    for (row, (y, &label)) in outputs.rows().into_iter().zip(labels).enumerate() {
        if label as usize >= classes {
            return Err(Error::Label { row, label: i64::from(label), classes });
        }
        let y: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
        sum += loss.row(&y, Target::Label(label as usize), &mut gradient);
    }
    Ok(sum * loss.scale(outputs.nrows(), classes))
}

fn by_values(loss: Loss, outputs: ArrayView2<'_, f32>, values: ArrayView2<'_, f32>) -> f64 {
    let wide = |row: ArrayView1<'_, f32>| row.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let mut gradient = vec![0.0; outputs.ncols()];
    let rows = outputs.rows().into_iter().zip(values.rows());
    let sum: f64 =
        rows.map(|(y, t)| loss.row(&wide(y), Target::Values(&wide(t)), &mut gradient)).sum();
    sum * loss.scale(outputs.nrows(), outputs.ncols())
}

fn mean(
    outputs: ArrayView2<'_, f32>,
    values: ArrayView2<'_, f32>,
    term: impl Fn(f64) -> f64,
) -> f64 {
    let pairs = outputs.iter().zip(values.iter());
    let sum: f64 = pairs.map(|(&y, &t)| term(f64::from(y) - f64::from(t))).sum();
    sum / outputs.len() as f64
}

fn r2(outputs: ArrayView2<'_, f32>, values: ArrayView2<'_, f32>) -> f64 {
    let columns = outputs.axis_iter(Axis(1)).zip(values.axis_iter(Axis(1)));
    let score = |(y, t): (ArrayView1<'_, f32>, ArrayView1<'_, f32>)| {
        let mean = t.iter().map(|&t| f64::from(t)).sum::<f64>() / t.len() as f64;
        let total: f64 = t.iter().map(|&t| (f64::from(t) - mean).powi(2)).sum();
        let left: f64 = y.iter().zip(t).map(|(&y, &t)| (f64::from(t) - f64::from(y)).powi(2)).sum();
        match (total == 0.0, left == 0.0) {
            (true, true) => 1.0,
            (true, false) => 0.0,
            _ => 1.0 - left / total,
        }
    };
    columns.map(score).sum::<f64>() / outputs.ncols() as f64
}
