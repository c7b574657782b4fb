//! Making a [`Dataset`] from arrays and slices, with every check done once, here.

use std::sync::Arc;

use ndarray::{ArrayBase, Data, Dimension, Ix2};

use super::dataset::{Dataset, Targets, non_finite};
use super::number::{MAX_CLASSES, Number, TargetDimension};
use crate::error::{Error, Result};
use crate::op::Shape;

/// Makes a [`Dataset`] under terms of its own; [`Dataset::builder`] starts one.
///
/// Default: NaN and infinities are errors.
///
/// ```
/// use ndarray::array;
/// use wgrad::data::Dataset;
///
/// let x = array![[1.0], [f32::NAN]];
/// assert!(Dataset::classification(&x, [0, 1]).is_err());
/// let kept = Dataset::builder().allow_non_finite().classification(&x, [0, 1])?;
/// assert!(kept.features()[[1, 0]].is_nan());
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct DatasetBuilder {
    pub(super) allow_non_finite: bool,
}

impl DatasetBuilder {
    /// Lets NaN and infinities through, in features and in values.
    ///
    /// Training on them makes the loss NaN; this is for data that is cleaned later.
    #[must_use]
    pub fn allow_non_finite(mut self) -> Self {
        self.allow_non_finite = true;
        self
    }

    /// [`Dataset::classification`] under these terms.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::classification`], less what is allowed.
    pub fn classification<S: Data<Elem: Number>>(
        self,
        features: &ArrayBase<S, Ix2>,
        labels: impl IntoIterator<Item: Number>,
    ) -> Result<Dataset> {
        let shape = Shape::new(features.nrows(), features.ncols());
        self.labelled("Dataset::classification", shape, row_major(features), labels)
    }

    /// [`Dataset::regression`] under these terms.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::regression`], less what is allowed.
    pub fn regression<S: Data<Elem: Number>, V: Data<Elem: Number>, D: TargetDimension>(
        self,
        features: &ArrayBase<S, Ix2>,
        values: &ArrayBase<V, D>,
    ) -> Result<Dataset> {
        let rows = values.shape().first().copied().unwrap_or(0);
        self.valued(
            "Dataset::regression",
            (Shape::new(features.nrows(), features.ncols()), row_major(features)),
            (Shape::new(rows, values.raw_dim().columns()), row_major(values)),
        )
    }

    /// [`Dataset::classification_from_vec`] under these terms.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::classification_from_vec`], less what is allowed.
    pub fn classification_from_vec(
        self,
        features: impl Into<Vec<f32>>,
        inputs: usize,
        labels: impl IntoIterator<Item: Number>,
    ) -> Result<Dataset> {
        let features = features.into();
        let shape = whole_rows("features", features.len(), inputs)?;
        self.labelled("Dataset::classification_from_vec", shape, features, labels)
    }

    /// [`Dataset::regression_from_vec`] under these terms.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::regression_from_vec`], less what is allowed.
    pub fn regression_from_vec(
        self,
        features: impl Into<Vec<f32>>,
        inputs: usize,
        values: impl Into<Vec<f32>>,
        outputs: usize,
    ) -> Result<Dataset> {
        let (features, values) = (features.into(), values.into());
        let features = (whole_rows("features", features.len(), inputs)?, features);
        let values = (whole_rows("values", values.len(), outputs)?, values);
        self.valued("Dataset::regression_from_vec", features, values)
    }

    /// A data set of labels, from row-major features of `shape`.
    pub(super) fn labelled(
        self,
        op: &'static str,
        shape: Shape,
        features: Vec<f32>,
        labels: impl IntoIterator<Item: Number>,
    ) -> Result<Dataset> {
        let labels = checked_labels(labels)?;
        let hint = "each row of features needs one label";
        self.check(op, shape, &features, Shape::new(labels.len(), 1), hint)?;
        let classes = labels.iter().max().map_or(0, |&label| label as usize + 1);
        let targets = Targets::Labels { labels: Arc::new(labels), classes };
        Ok(Dataset::new(features, shape.cols, targets))
    }

    /// A data set of values, from row-major features and values with their shapes.
    pub(super) fn valued(
        self,
        op: &'static str,
        (shape, features): (Shape, Vec<f32>),
        (value_shape, values): (Shape, Vec<f32>),
    ) -> Result<Dataset> {
        let hint = "each row of features needs one row of values";
        self.check(op, shape, &features, value_shape, hint)?;
        if value_shape.cols == 0 {
            return Err(Error::Empty { what: op, shape: value_shape });
        }
        self.check_finite("values", &values, value_shape.cols)?;
        let targets = Targets::Values { values: Arc::new(values), outputs: value_shape.cols };
        Ok(Dataset::new(features, shape.cols, targets))
    }

    /// What holds for either kind of targets.
    fn check(
        self,
        op: &'static str,
        shape: Shape,
        features: &[f32],
        targets: Shape,
        hint: &'static str,
    ) -> Result<()> {
        if shape.rows == 0 || shape.cols == 0 {
            return Err(Error::Empty { what: op, shape });
        }
        if shape.rows != targets.rows {
            return Err(Error::Shape { op, left: shape, right: targets, hint });
        }
        self.check_finite("features", features, shape.cols)
    }

    fn check_finite(self, what: &'static str, values: &[f32], cols: usize) -> Result<()> {
        if self.allow_non_finite {
            return Ok(());
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(non_finite(what, values, cols, at)),
            None => Ok(()),
        }
    }
}

impl Dataset {
    /// Starts a data set under terms of its own, such as NaN allowed.
    #[must_use]
    pub fn builder() -> DatasetBuilder {
        DatasetBuilder::default()
    }

    /// A data set for classification.
    ///
    /// `features` is an array or view of any memory order and number type, (rows, inputs).
    /// `labels` is anything that gives a number a row: a slice, a `Vec`, an `Array1`, an iterator.
    /// There are as many classes as the largest label plus 1; see [`Dataset::with_classes`].
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] without rows or columns, [`Error::Shape`] if there is not one label a
    /// row, [`Error::Argument`] for a label that is negative, fractional or 2^24 or more,
    /// [`Error::NonFinite`] for a NaN or an infinity.
    pub fn classification<S: Data<Elem: Number>>(
        features: &ArrayBase<S, Ix2>,
        labels: impl IntoIterator<Item: Number>,
    ) -> Result<Self> {
        Self::builder().classification(features, labels)
    }

    /// A data set for regression.
    ///
    /// `features` is (rows, inputs); `values` is (rows, outputs), or 1-D for a single output.
    /// Both are arrays or views of any memory order and number type.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] without rows or columns, [`Error::Shape`] if the rows are not as many,
    /// [`Error::NonFinite`] for a NaN or an infinity.
    pub fn regression<S: Data<Elem: Number>, V: Data<Elem: Number>, D: TargetDimension>(
        features: &ArrayBase<S, Ix2>,
        values: &ArrayBase<V, D>,
    ) -> Result<Self> {
        Self::builder().regression(features, values)
    }

    /// A data set for classification from row-major features, `inputs` numbers a row.
    ///
    /// A `Vec<f32>` is moved in, not copied; slices and arrays are accepted too.
    ///
    /// ```
    /// use wgrad::data::Dataset;
    ///
    /// let data = Dataset::classification_from_vec([0.0, 0.1, 1.0, 1.1], 2, [0u8, 1])?;
    /// assert_eq!(data.len(), 2);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::classification`], and [`Error::Argument`] if `inputs` is 0 or the
    /// features are not whole rows.
    pub fn classification_from_vec(
        features: impl Into<Vec<f32>>,
        inputs: usize,
        labels: impl IntoIterator<Item: Number>,
    ) -> Result<Self> {
        Self::builder().classification_from_vec(features, inputs, labels)
    }

    /// A data set for regression from row-major features and values, `inputs` and `outputs`
    /// numbers a row.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::regression`], and [`Error::Argument`] if `inputs` or `outputs` is 0 or
    /// there are not whole rows.
    pub fn regression_from_vec(
        features: impl Into<Vec<f32>>,
        inputs: usize,
        values: impl Into<Vec<f32>>,
        outputs: usize,
    ) -> Result<Self> {
        Self::builder().regression_from_vec(features, inputs, values, outputs)
    }
}

/// The elements of an array in row-major order, whatever its memory order.
fn row_major<S: Data<Elem: Number>, D: Dimension>(array: &ArrayBase<S, D>) -> Vec<f32> {
    match array.as_slice() {
        Some(slice) => slice.iter().map(|x| x.to_f32()).collect(),
        None => array.iter().map(|x| x.to_f32()).collect(),
    }
}

/// The shape of `len` numbers in rows of `cols`.
fn whole_rows(what: &'static str, len: usize, cols: usize) -> Result<Shape> {
    if cols == 0 || !len.is_multiple_of(cols) {
        let expected = format!("there have to be whole rows of {cols} (at least 1) numbers");
        return Err(Error::argument(what, format!("{len} numbers"), expected));
    }
    Ok(Shape::new(len / cols, cols))
}

fn checked_labels(labels: impl IntoIterator<Item: Number>) -> Result<Vec<u32>> {
    let checked = labels.into_iter().enumerate().map(|(row, label)| {
        label.to_label().ok_or_else(|| {
            let expected = format!("labels are whole numbers from 0 to {}", MAX_CLASSES - 1);
            Error::argument("class label", format!("{label} in row {row}"), expected)
        })
    });
    checked.collect()
}
