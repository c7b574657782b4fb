//! The mathematics of networks, without a device: activations, losses, initial weights, and the
//! description of a network as layers with named parameters.
//!
//! Formulas are written once over [`Real`], so that the CPU backend (f32) and the references that
//! prove it (f64) cannot drift apart. Their twins for the GPU are in `shaders/`.

mod activation;
mod forward;
mod init;
mod loss;
mod network;
mod range;
mod real;

pub use activation::{Activation, Cache};
pub(crate) use forward::forward;
pub use init::{Fan, Init};
pub(crate) use loss::cross_entropies;
pub use loss::{Domain, Loss, LossReduction, Target, TargetKind};
pub(crate) use network::InputNoise;
pub use network::{Layer, Network, Parameter, ParameterKind};
pub use real::Real;
pub(crate) use real::sign;
