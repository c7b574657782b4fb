//! [`Dataset`]: features and targets on the host.
//!
//! Features are f32, (rows, inputs), row-major. Targets are class labels, one u32 a row, or
//! values, f32, (rows, outputs). Both lie behind an `Arc`: a clone is free, and the CPU backend
//! trains on the same allocation.
//!
//! A data set always has at least one row and one column. How one is made is in `build`, files
//! are in `load`, splitting is in `split`, what rows count in `weights`.

use std::fmt;
use std::sync::Arc;

use ndarray::ArrayView2;

use super::number::MAX_CLASSES;
use crate::error::{Error, Result};
use crate::nn::TargetKind;

/// Features and targets for training or evaluation, on the host.
///
/// ```
/// use ndarray::array;
/// use wgrad::data::Dataset;
///
/// let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let xor = Dataset::classification(&x, [0, 1, 1, 0])?;
/// assert_eq!((xor.len(), xor.inputs(), xor.outputs()), (4, 2, 2));
///
/// let sum = Dataset::regression(&x, &array![0.0, 1.0, 1.0, 2.0])?;
/// assert_eq!(sum.values().unwrap()[[3, 0]], 2.0);
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Dataset {
    pub(super) features: Arc<Vec<f32>>,
    pub(super) inputs: usize,
    pub(super) targets: Targets,
    pub(super) class_names: Option<Arc<Vec<String>>>,
    pub(super) sample_weights: Option<Arc<Vec<f32>>>,
    pub(super) sigmas: Option<Arc<Vec<f32>>>,
}

/// What a network is to learn: a class for each row, or values for each row.
#[derive(Clone, PartialEq)]
pub enum Targets {
    /// Class labels, for classification.
    Labels {
        /// One label a row, from 0 to `classes` - 1.
        labels: Arc<Vec<u32>>,
        /// The number of classes, and so of the network's outputs.
        classes: usize,
    },
    /// Values, for regression.
    Values {
        /// The values, (rows, outputs), row-major.
        values: Arc<Vec<f32>>,
        /// The number of columns, and so of the network's outputs.
        outputs: usize,
    },
}

impl Targets {
    /// Their kind.
    #[must_use]
    pub const fn kind(&self) -> TargetKind {
        match self {
            Self::Labels { .. } => TargetKind::Labels,
            Self::Values { .. } => TargetKind::Values,
        }
    }
}

impl Dataset {
    /// Features and targets that fit each other.
    pub(super) fn new(features: Vec<f32>, inputs: usize, targets: Targets) -> Self {
        let features = Arc::new(features);
        Self { features, inputs, targets, class_names: None, sample_weights: None, sigmas: None }
    }

    /// The number of rows, at least 1.
    #[must_use]
    pub fn len(&self) -> usize {
        self.features.len() / self.inputs
    }

    /// Whether there are no rows; never so, as no data set can be made without.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The number of feature columns, and so of the network's inputs, at least 1.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of a network's outputs that fit: the classes, or the columns of values.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self.targets {
            Targets::Labels { classes, .. } => classes,
            Targets::Values { outputs, .. } => outputs,
        }
    }

    /// The features, (rows, inputs).
    #[must_use]
    pub fn features(&self) -> ArrayView2<'_, f32> {
        matrix(&self.features, self.inputs)
    }

    /// The targets, of either kind.
    #[must_use]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The class labels, one a row; none for a data set of values.
    #[must_use]
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Labels { labels, .. } => Some(labels),
            Targets::Values { .. } => None,
        }
    }

    /// The values to learn, (rows, outputs); none for a data set of labels.
    #[must_use]
    pub fn values(&self) -> Option<ArrayView2<'_, f32>> {
        match &self.targets {
            Targets::Labels { .. } => None,
            Targets::Values { values, outputs } => Some(matrix(values, *outputs)),
        }
    }

    /// The names of the classes in the order of their labels, where they came as text.
    #[must_use]
    pub fn class_names(&self) -> Option<&[String]> {
        self.class_names.as_deref().map(Vec::as_slice)
    }

    /// How many rows each class has, by label; none for a data set of values.
    #[must_use]
    pub fn class_counts(&self) -> Option<Vec<usize>> {
        let labels = self.labels()?;
        let mut counts = vec![0; self.outputs()];
        for &label in labels {
            counts[label as usize] += 1;
        }
        Some(counts)
    }

    /// The same data with `classes` classes, for labels whose last class has no row here.
    ///
    /// # Errors
    ///
    /// [`Error::Targets`] if the targets are values, [`Error::Argument`] if a label needs more
    /// classes or there are more than 2^24.
    pub fn with_classes(mut self, classes: usize) -> Result<Self> {
        let Targets::Labels { labels, classes: known } = &mut self.targets else {
            return Err(needs_labels("Dataset::with_classes"));
        };
        let at_least = labels.iter().max().map_or(1, |&label| label as usize + 1);
        if !(at_least..=MAX_CLASSES).contains(&classes) {
            let expected = format!(
                "the largest label is {}, so there are at least {at_least} classes, and at most \
                 {MAX_CLASSES}",
                at_least - 1
            );
            return Err(Error::argument("classes", classes, expected));
        }
        // Names that no longer match the labels would be worse than none.
        if *known != classes {
            self.class_names = None;
        }
        *known = classes;
        Ok(self)
    }

    /// The same data with every feature multiplied by `factor`, such as 1/255 for byte images.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the factor is 0 or not finite, [`Error::NonFinite`] if a finite
    /// feature leaves the range of f32.
    pub fn scaled(&self, factor: f32) -> Result<Self> {
        if !factor.is_finite() || factor == 0.0 {
            return Err(Error::argument("factor", factor, "it has to be finite and not 0"));
        }
        let scaled: Vec<f32> = self.features.iter().map(|x| x * factor).collect();
        let left_range = |(x, y): (&f32, &f32)| x.is_finite() && !y.is_finite();
        match self.features.iter().zip(&scaled).position(left_range) {
            Some(at) => Err(non_finite("scaled features", &scaled, self.inputs, at)),
            None => Ok(self.with_features(scaled)),
        }
    }

    /// The features' own allocation.
    pub(crate) fn shared_features(&self) -> &Arc<Vec<f32>> {
        &self.features
    }

    /// The same targets with other features of the same shape.
    pub(super) fn with_features(&self, features: Vec<f32>) -> Self {
        debug_assert_eq!(features.len(), self.features.len());
        Self { features: Arc::new(features), ..self.clone() }
    }
}

/// A row-major slice as (rows, cols); `cols` divides its length.
fn matrix(values: &[f32], cols: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / cols, cols), values)
        .expect("a data set's length is rows x columns from its construction on")
}

/// The error of an operation on labels where there are values.
pub(super) fn needs_labels(op: &'static str) -> Error {
    Error::Targets {
        op,
        found: "values",
        needs: "class labels are needed: make the data set with `Dataset::classification`",
    }
}

/// The error of a value that is not finite, at place `at` of a row-major matrix.
pub(super) fn non_finite(what: &'static str, values: &[f32], cols: usize, at: usize) -> Error {
    Error::NonFinite { what, row: at / cols, column: at % cols, value: values[at] }
}

impl fmt::Debug for Dataset {
    /// The dimensions, not the numbers: a data set can hold millions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("rows", &self.len())
            .field("inputs", &self.inputs)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Labels { labels, classes } => {
                write!(f, "Labels({} rows, {classes} classes)", labels.len())
            }
            Self::Values { values, outputs } => {
                write!(f, "Values({} rows, {outputs} outputs)", values.len() / (*outputs).max(1))
            }
        }
    }
}
