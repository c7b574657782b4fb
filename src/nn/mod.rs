//! The mathematics of networks, without a device: activations, losses, initial weights, and the
//! description of a network as layers with named parameters.
//!
//! Formulas are written once over [`Real`], so that the CPU backend (f32) and the references that
//! prove it (f64) cannot drift apart. Their twins for the GPU are in `shaders/`.

mod activation;
mod init;
mod loss;
mod network;
mod real;

pub use activation::{Activation, Cache};
pub use init::{Fan, Init};
pub use loss::{Loss, Target};
pub use network::{Layer, Network, Parameter};
pub use real::Real;
