//! Networks with scikit-learn's names, defaults and stopping rules: [`MlpRegressor`] and
//! [`MlpClassifier`].
//!
//! ```
//! use ndarray::{Array1, Array2};
//! use wgrad::{Device, estimator::MlpRegressor};
//!
//! let x = Array2::from_shape_fn((200, 2), |(i, k)| ((i * (k + 3)) % 17) as f32 / 17.0);
//! let y: Array1<f32> = x.rows().into_iter().map(|x| x[0] - 2.0 * x[1]).collect();
//! let model = MlpRegressor::builder()
//!     .hidden_layer_sizes([16])
//!     .learning_rate_init(0.01)
//!     .device(&Device::cpu())
//!     .fit(&x, &y)?;
//! assert!(model.score(&x, &y)? > 0.99);
//! # Ok::<(), wgrad::Error>(())
//! ```
//!
//! Losses, gradients and steps are those of scikit-learn 1.9: with equal initial weights and
//! without shuffling the loss curves of SGD agree to rounding, those of Adam to a hundredth or
//! better. What is different:
//!
//! - Everything is f32, random numbers come from another generator, and `random_state` is 0 unless
//!   set: no run is unrepeatable.
//! - The short last minibatch of an epoch has the penalty of a whole one, and losses are reported
//!   without it: see [`EstimatorBuilder::alpha`].
//! - Two classes are two outputs with a softmax, as more classes are, and not one output with a
//!   sigmoid. Several labels for one row are not supported.
//! - Adam adds epsilon after the bias correction, as in its paper's algorithm and in PyTorch, and
//!   not before.
//! - `early_stopping` sets aside rows of every class in equal proportion for two classes and more.
//! - The solver `lbfgs`, sample weights and learning rates that change are not there.

mod builder;
mod classifier;
mod fitted;
mod regressor;
mod settings;
mod stop;

pub use builder::EstimatorBuilder;
pub use classifier::{Classification, MlpClassifier};
pub use fitted::Fitted;
pub use regressor::{MlpRegressor, Regression};
pub use settings::Solver;

use ndarray::{Array2, ArrayBase, Data, Ix2};

use crate::data::Number;
use crate::error::{Error, Result};

/// Rows of features as f32.
///
/// # Errors
/// [`Error::NonFinite`] for a NaN, an infinity, or a number beyond the range of f32.
fn features<S: Data<Elem: Number>>(x: &ArrayBase<S, Ix2>) -> Result<Array2<f32>> {
    let x = x.map(|x| x.to_f32());
    match x.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((row, column), &value)) => {
            Err(Error::NonFinite { what: "features", row, column, value })
        }
        None => Ok(x),
    }
}
