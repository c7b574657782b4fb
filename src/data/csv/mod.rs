//! CSV files: columns chosen by name, numbers as features, numbers or class names as targets.

mod table;

use std::io::Read;
use std::path::Path;

use super::build::DatasetBuilder;
use super::dataset::Dataset;
use super::file;
use crate::error::{Error, Result};

/// How [`read_csv`] reads a file.
///
/// Defaults: a header in the first line, fields separated by commas, the last column as the
/// target and every other one as a feature, the kind of target found from its first cell.
///
/// ```
/// use wgrad::data::{CsvOptions, read_csv};
///
/// let iris = read_csv("examples/data/iris.csv", &CsvOptions::new())?;
/// assert_eq!(iris.class_names().unwrap(), ["setosa", "versicolor", "virginica"]);
///
/// // Petal width from the other three measures.
/// let options = CsvOptions::new()
///     .features(["sepal_length", "sepal_width", "petal_length"])
///     .targets(["petal_width"]);
/// assert_eq!(read_csv("examples/data/iris.csv", &options)?.values().unwrap().dim(), (150, 1));
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CsvOptions {
    delimiter: u8,
    header: bool,
    features: Vec<String>,
    targets: Vec<String>,
    kind: Kind,
}

/// What target columns hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Values if the first cell is a number, class names otherwise.
    ByFirstCell,
    Labels,
    Values,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            header: true,
            features: Vec::new(),
            targets: Vec::new(),
            kind: Kind::ByFirstCell,
        }
    }
}

impl CsvOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The byte between fields. Default: a comma.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Whether the first line names the columns; otherwise they are named "0", "1" and so on.
    /// Default: true.
    #[must_use]
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The names of the feature columns, in the order of the inputs. Default: every column that
    /// is no target.
    #[must_use]
    pub fn features<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.features = names.into_iter().map(|name| name.as_ref().to_string()).collect();
        self
    }

    /// The names of the target columns: one for labels, one or more for values. Default: the
    /// last column.
    #[must_use]
    pub fn targets<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.targets = names.into_iter().map(|name| name.as_ref().to_string()).collect();
        self
    }

    /// Takes the target column for class names even if they are numbers.
    #[must_use]
    pub fn labels(mut self) -> Self {
        self.kind = Kind::Labels;
        self
    }

    /// Takes the target columns for numbers: any other text is an error.
    #[must_use]
    pub fn values(mut self) -> Self {
        self.kind = Kind::Values;
        self
    }
}

/// Reads a data set from a CSV file.
///
/// The file has to be UTF-8. Spaces around fields do not count, empty lines neither. Class labels follow the sorted names,
/// by number where all names are numbers; the names are kept as [`Dataset::class_names`].
///
/// # Errors
///
/// [`Error::File`] if the file cannot be read, has no such column or no row, or, with line,
/// column and text, if a line has too few or too many fields or a number cannot be read or is
/// not finite.
pub fn read_csv(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Dataset> {
    load(Dataset::builder(), path.as_ref(), options)
}

/// [`read_csv`] under the terms of `builder`.
pub(super) fn load(builder: DatasetBuilder, path: &Path, options: &CsvOptions) -> Result<Dataset> {
    let mut text = Vec::new();
    file::open(path)?.read_to_end(&mut text).map_err(|e| Error::file(path, e))?;
    let table = table::read_table(&text, options, builder.allow_non_finite);
    let dataset = table.and_then(|table| table.into_dataset(builder));
    dataset.map_err(|reason| Error::file(path, reason))
}
