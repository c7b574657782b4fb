//! Training, on every device: against PyTorch in float64, against finite differences, against
//! closed forms, and against itself.
//!
//! Each test loops over `common::devices()`, so that the CPU and the GPU pass through one body.

#[path = "../common/mod.rs"]
mod common;

mod calibration;
mod curves;
mod descent;
mod flights;
mod golden;
mod gradient_check;
mod gradients;
mod input_gradients;
mod iris;
mod large;
mod lbfgs;
mod losses;
mod many;
mod metrics;
mod optimizers;
mod parts;
mod precision;
mod predict;
mod range_test;
mod recording;
mod reference;
mod regularization;
mod reproducible;
mod schedules;
mod stepper;
mod stopping;
mod strategies;
mod support;
mod trace;
mod weights;
