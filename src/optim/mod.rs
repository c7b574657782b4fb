//! Optimizers, with PyTorch's formulas, names and defaults.
//!
//! An optimizer is data. What its formula needs anew each step (the learning rate, bias
//! corrections) is computed on the host in f64 and handed to the devices as up to eight
//! coefficients; what a parameter needs is done by `Optimizer::update`, whose twin on the GPU is
//! `shaders/update.wgsl`. A new optimizer is a variant here and its case there.

mod optimizer;
mod regularization;

pub use optimizer::{Adam, Optimizer, Sgd};
pub use regularization::{Clip, Regularization};
