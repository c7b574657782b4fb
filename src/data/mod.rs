//! Data on the host: data sets, splitting, scaling, and readers for npy, npz, IDX and CSV files.
//!
//! - [`Dataset`]: features (rows, inputs) with class labels or values to learn, checked once when
//!   it is made; [`DatasetBuilder`] loosens the check. Shuffling and splitting are its methods.
//! - [`StandardScaler`] and [`MinMaxScaler`]: fitted on the training part, applied to both.
//! - [`read_npy`], [`read_npz`], [`write_npy`]: NumPy's files. [`read_idx`]: the files of MNIST.
//!   [`read_csv`]: tables. `Dataset::from_npz`, `from_csv` and `mnist_idx` make data sets of them.
//!
//! Nothing here knows a device. A reader never panics and never allocates more than the file can
//! hold, whatever the file says; its errors name the path and the place.
//!
//! ```
//! use wgrad::data::{Dataset, StandardScaler};
//!
//! let iris = Dataset::from_csv(
//!     "examples/data/iris.csv",
//!     &["sepal_length", "sepal_width", "petal_length", "petal_width"],
//!     &["species"],
//! )?;
//! let (train, test) = iris.split_stratified(0.2, 0)?;
//! let scaler = StandardScaler::fit(&train)?;
//! let (train, test) = (scaler.transform(&train)?, scaler.transform(&test)?);
//! assert_eq!((train.len(), test.len(), test.outputs()), (120, 30, 3));
//! # Ok::<(), wgrad::Error>(())
//! ```

mod build;
mod csv;
mod dataset;
pub(crate) mod file;
mod idx;
mod load;
mod npy;
mod npz;
mod number;
mod scaler;
mod split;
mod weights;

pub use build::DatasetBuilder;
pub use csv::{CsvOptions, read_csv};
pub use dataset::{Dataset, Targets};
pub use idx::{IdxArray, read_idx};
pub use npy::{NpyArray, NpyValues, read_npy, write_npy};
pub use npz::read_npz;
pub use number::{Number, TargetDimension};
pub use scaler::{MinMaxScaler, StandardScaler, Table};
