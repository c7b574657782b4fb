//! Classification: values to one of several labels.

use ndarray::{Array2, ArrayBase, Data, Ix2};

use super::builder::EstimatorBuilder;
use super::fitted::Fitted;
use crate::data::{Dataset, Number};
use crate::error::{Error, Result};
use crate::op::Shape;

/// Learning labels of type `L`: integers, texts, anything with an order.
#[derive(Debug, Clone)]
pub struct Classification<L> {
    /// Sorted, each once; the place is the network's output.
    classes: Vec<L>,
}

/// A network fitted to labels: scikit-learn's `MLPClassifier`.
///
/// ```
/// use ndarray::array;
/// use wgrad::{Device, estimator::MlpClassifier};
///
/// let x = array![[0.0, 0.1], [0.2, 0.0], [0.9, 1.0], [1.0, 0.8]];
/// let y = ["low", "low", "high", "high"];
/// let model = MlpClassifier::builder()
///     .hidden_layer_sizes([8])
///     .learning_rate_init(0.05)
///     .device(&Device::cpu())
///     .fit(&x, &y)?;
/// assert_eq!(model.classes(), ["high", "low"]);
/// assert_eq!(model.predict(&array![[0.1, 0.1], [0.9, 0.9]])?, ["low", "high"]);
/// # Ok::<(), wgrad::Error>(())
/// ```
pub type MlpClassifier<L = usize> = Fitted<Classification<L>>;

impl MlpClassifier<usize> {
    /// An estimator with scikit-learn's defaults, to be changed and then fitted.
    #[must_use]
    pub fn builder() -> EstimatorBuilder<Classification<usize>> {
        EstimatorBuilder::default()
    }
}

impl EstimatorBuilder<Classification<usize>> {
    /// Trains a network on `x`, (rows, features), to give the labels `y`, one a row: a slice, a
    /// vector or an array of integers, texts, anything with an order.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Shape`] and [`Error::NonFinite`] for data without rows or
    /// columns, with another number of labels than rows, or with a NaN or an infinity;
    /// [`Error::Argument`] for labels that are all the same, or a setting outside its domain;
    /// [`Error::Diverged`]; and the device's.
    pub fn fit<'a, S: Data<Elem: Number>, L: Ord + Clone + 'a>(
        &self,
        x: &ArrayBase<S, Ix2>,
        y: impl IntoIterator<Item = &'a L>,
    ) -> Result<MlpClassifier<L>> {
        let labels: Vec<&L> = y.into_iter().collect();
        let mut classes: Vec<L> = labels.iter().copied().cloned().collect();
        classes.sort_unstable();
        classes.dedup();
        // Every label is one of the classes: they were made of the labels.
        let places = labels.iter().map(|&label| classes.partition_point(|class| class < label));
        let data = Dataset::classification(x, places)?;
        if classes.len() < 2 {
            let expected = "there must be at least 2 different labels";
            return Err(Error::argument("the number of classes", classes.len(), expected));
        }
        let (mlp, curves) = self.settings.train(&data)?;
        Ok(Fitted { mlp, curves, kind: Classification { classes } })
    }
}

impl<L: Ord + Clone> MlpClassifier<L> {
    /// The labels, in order; [`predict_proba`](Self::predict_proba) has a column for each.
    #[must_use]
    pub fn classes(&self) -> &[L] {
        &self.kind.classes
    }

    /// The most probable label of each row of `x`, (rows, features).
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` has another number of columns than the data of the fit,
    /// [`Error::Empty`], [`Error::NonFinite`], and the device's.
    pub fn predict<S: Data<Elem: Number>>(&self, x: &ArrayBase<S, Ix2>) -> Result<Vec<L>> {
        let places = self.mlp.predict_classes(&super::features(x)?)?;
        Ok(places.iter().map(|&place| self.kind.classes[place].clone()).collect())
    }

    /// The probability of each class for each row of `x`: (rows, classes).
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict).
    pub fn predict_proba<S: Data<Elem: Number>>(
        &self,
        x: &ArrayBase<S, Ix2>,
    ) -> Result<Array2<f32>> {
        self.mlp.predict_proba(&super::features(x)?)
    }

    /// The accuracy: the share of rows whose predicted label is that of `y`.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict); [`Error::Shape`] if there is not one label a row.
    pub fn score<'a, S: Data<Elem: Number>>(
        &self,
        x: &ArrayBase<S, Ix2>,
        y: impl IntoIterator<Item = &'a L>,
    ) -> Result<f64>
    where
        L: 'a,
    {
        let predicted = self.predict(x)?;
        let labels: Vec<&L> = y.into_iter().collect();
        if labels.len() != predicted.len() {
            return Err(Error::Shape {
                op: "MlpClassifier::score",
                left: Shape::new(predicted.len(), x.ncols()),
                right: Shape::new(labels.len(), 1),
                hint: "each row of features needs one label",
            });
        }
        let right = predicted.iter().zip(&labels).filter(|(a, b)| a == *b).count();
        Ok(right as f64 / labels.len() as f64)
    }
}
