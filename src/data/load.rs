//! A [`Dataset`] from a .npz or .csv file.
//!
//! Whatever is wrong comes as [`Error::File`], so that the message begins with the path.

use std::path::Path;

use super::build::DatasetBuilder;
use super::csv::{self, CsvOptions};
use super::dataset::Dataset;
use super::npy::{NpyArray, NpyValues};
use super::npz::NpzFile;
use crate::error::{Error, Result};
use crate::op::Shape;

/// The names that features and targets usually have, in the order they are looked for.
const FEATURES: [&str; 5] = ["x", "X", "images", "features", "data"];
const TARGETS: [&str; 4] = ["y", "labels", "targets", "target"];

impl Dataset {
    /// A data set from a NumPy archive.
    ///
    /// Features are the first array there is of `x`, `X`, `images`, `features`, `data`, targets
    /// the first of `y`, `labels`, `targets`, `target`; other arrays are not read. Features of
    /// more than two dimensions are flattened, (rows, height, width) to (rows, height x width),
    /// and numbers are kept as they are: see [`Dataset::scaled`]. Integer targets of one column
    /// are class labels, all others are values.
    ///
    /// ```
    /// use wgrad::data::Dataset;
    ///
    /// let digits = Dataset::from_npz("examples/data/digits.npz")?.scaled(1.0 / 16.0)?;
    /// assert_eq!((digits.len(), digits.inputs(), digits.outputs()), (1797, 64, 10));
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::File`], with what is wrong and where, if the file is no .npz file, has no such
    /// arrays, or if these do not make a data set.
    pub fn from_npz(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().load_npz(path)
    }

    /// A data set from two arrays of a NumPy archive, by their names.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::from_npz`].
    pub fn from_npz_arrays(path: impl AsRef<Path>, features: &str, targets: &str) -> Result<Self> {
        Self::builder().load_npz_arrays(path, features, targets)
    }

    /// A data set from columns of a CSV file with a header, by their names.
    ///
    /// A target column whose first cell is a number holds values, any other one class names;
    /// labels follow the sorted names, which are kept as [`Dataset::class_names`]. For other
    /// terms see [`CsvOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`read_csv`](super::read_csv).
    pub fn from_csv(path: impl AsRef<Path>, features: &[&str], targets: &[&str]) -> Result<Self> {
        csv::read_csv(path, &CsvOptions::new().features(features).targets(targets))
    }
}

impl DatasetBuilder {
    /// [`Dataset::from_npz`] under these terms.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::from_npz`], less what is allowed.
    pub fn load_npz(self, path: impl AsRef<Path>) -> Result<Dataset> {
        let path = path.as_ref();
        let file = NpzFile::open(path)?;
        let find = |names: &[&'static str]| -> Result<&'static str> {
            let found = names.iter().find(|name| file.names().any(|there| there == **name));
            found.copied().ok_or_else(|| {
                let reason = format!("named {}", names.join(", "));
                file.missing(&format!("{reason} (`Dataset::from_npz_arrays` takes other names)"))
            })
        };
        let (features, targets) = (find(&FEATURES)?, find(&TARGETS)?);
        self.assemble(path, file, features, targets)
    }

    /// [`Dataset::from_npz_arrays`] under these terms.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::from_npz`], less what is allowed.
    pub fn load_npz_arrays(
        self,
        path: impl AsRef<Path>,
        features: &str,
        targets: &str,
    ) -> Result<Dataset> {
        let file = NpzFile::open(path.as_ref())?;
        self.assemble(path.as_ref(), file, features, targets)
    }

    /// [`read_csv`](super::read_csv) under these terms.
    ///
    /// # Errors
    ///
    /// Those of [`read_csv`](super::read_csv), less what is allowed.
    pub fn load_csv(self, path: impl AsRef<Path>, options: &CsvOptions) -> Result<Dataset> {
        csv::load(self, path.as_ref(), options)
    }

    /// Reads two arrays and makes the data set of them.
    fn assemble(
        self,
        path: &Path,
        mut file: NpzFile,
        features_name: &str,
        targets_name: &str,
    ) -> Result<Dataset> {
        let features = file.read(features_name)?;
        let targets = file.read(targets_name)?;
        let in_file = |e: Error| {
            Error::file(path, format!("arrays `{features_name}`, `{targets_name}`: {e}"))
        };
        let shape = flattened(&features);
        let target_shape = flattened(&targets);
        let (Some(shape), Some(target_shape)) = (shape, target_shape) else {
            let reason = "they need a first dimension, of rows";
            return Err(Error::file(
                path,
                format!("`{features_name}`, `{targets_name}`: {reason}"),
            ));
        };
        let features = features.into_f32();
        let op = "Dataset::from_npz";
        let made = match targets.values() {
            NpyValues::U8(labels) if target_shape.cols == 1 => {
                self.labelled(op, shape, features, labels)
            }
            NpyValues::I64(labels) if target_shape.cols == 1 => {
                self.labelled(op, shape, features, labels)
            }
            _ => self.valued(op, (shape, features), (target_shape, targets.into_f32())),
        };
        made.map_err(in_file)
    }
}

/// The shape with all dimensions after the first as one; none for a single number.
fn flattened(array: &NpyArray) -> Option<Shape> {
    let (&rows, others) = array.shape().split_first()?;
    Some(Shape::new(rows, others.iter().product()))
}
