//! wgrad trains multilayer perceptrons on any GPU (Vulkan, Metal, DX12, WebGPU) through wgpu and
//! WGSL compute shaders, or on the CPU: one program, one choice at run time, no CUDA and no Python.
//!
//! ```
//! use wgrad::{Device, Mlp, Trainer, data::Dataset, nn::{Activation, Loss}, optim::Adam, train::Metric};
//!
//! let device: Device = "cpu".parse()?; // or "auto", "gpu", "gpu:1", "nvidia"
//! let digits = Dataset::from_npz("examples/data/digits.npz")?.scaled(1.0 / 16.0)?;
//! let (train, test) = digits.shuffled(0).split(0.2)?;
//!
//! let mut mlp =
//!     Mlp::builder(64).hidden(32, Activation::Relu).output(10).seed(0).build(&device)?;
//! let history = Trainer::new(Loss::CrossEntropy, Adam::default())
//!     .batch_size(32)
//!     .epochs(10)
//!     .fit(&mut mlp, &train)?;
//!
//! assert!(history.final_loss() < 0.5);
//! assert!(mlp.evaluate(&test, Metric::Accuracy)? > 0.85);
//! # Ok::<(), wgrad::Error>(())
//! ```
//!
//! # Where things are
//!
//! - [`Device`]: the CPU or a GPU; [`Device::list`] says what there is.
//! - [`Mlp`] and its builder: a network of dense layers whose parameters live on a device.
//! - [`Trainer`]: a loss, an optimizer, epochs, minibatches, validation, callbacks; [`train`] holds
//!   what it reports, and the check of its gradients.
//! - [`train_many`]: many networks at once, for seeds, folds and grids of hyper-parameters.
//! - [`data`]: data sets, splitting, scaling, and readers for npy, npz, IDX and CSV files.
//! - [`nn`] and [`optim`]: activations, losses, initial weights; optimizers and schedules.
//! - [`estimator`]: `MlpRegressor` and `MlpClassifier`, with scikit-learn's names and defaults.
//! - [`persist`]: networks and checkpoints in files or in memory.
//! - [`Tensor`]: matrices on a device, one operation at a time.
//! - [`op`] and [`program`]: what a device executes, as data, for those who look inside.
//!
//! # What to rely on
//!
//! - Same seed, same device, same build: bitwise the same run. Initial weights and shuffles are
//!   equal on every device.
//! - A training step allocates nothing, reads nothing back and waits for nothing.
//! - No public function panics on bad input: every fallible one returns [`Result`], and an [`Error`]
//!   names the operation, the shapes or the value, the file and place, and what to do.
//!
//! # Features
//!
//! `gpu` (default) holds everything that needs wgpu; without it the crate trains on the CPU.
//! `progress` (default) draws a progress bar while training.

pub mod data;
pub mod device;
mod error;
pub mod estimator;
mod mlp;
pub mod nn;
pub mod op;
pub mod optim;
pub mod persist;
pub mod program;
mod random;
mod stopwatch;
mod tensor;
pub mod train;

pub use data::Dataset;
pub use device::{Buffer, Device};
pub use error::{Error, Result};
pub use mlp::{Dense, Mlp, MlpBuilder, Named};
pub use nn::{Activation, Init, Loss, LossReduction};
pub use optim::{Adam, AdamW, Optimizer, Sgd};
pub use tensor::Tensor;
pub use train::{History, Metric, Trainer, train_many};
