//! Optimizers, with PyTorch's formulas, names and defaults.
//!
//! An optimizer is data. What its formula needs anew each step (the learning rate, the momentum,
//! bias corrections) is computed on the host in f64 and handed to the devices as up to eight
//! coefficients; what a parameter needs is done by `Optimizer::update`, whose twin on the GPU is
//! `shaders/update_rules.wgsl`. A new optimizer is a file and a line of `optimizer.rs` here, and its case
//! there.
//!
//! In the formulas p is a parameter, g its gradient, t the step, counted from 1; m, v and u are
//! moments, which begin at 0. [`Groups`] says which layers learn how fast, and [`schedule`] how the
//! learning rate goes over a training.

#[macro_use]
mod rule;

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod groups;
mod lamb;
pub(crate) mod lbfgs;
mod lion;
mod nadam;
mod optimizer;
mod pace;
mod radam;
mod regularization;
mod rmsprop;
pub mod schedule;
mod sgd;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use groups::Groups;
pub use lamb::Lamb;
pub use lbfgs::Lbfgs;
pub use lion::Lion;
pub use nadam::NAdam;
pub use optimizer::Optimizer;
pub use radam::RAdam;
pub use regularization::{Clip, Regularization};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

pub(crate) use pace::Pace;
pub(crate) use rule::Domain;
