//! wgrad trains multilayer perceptrons on any GPU through wgpu, or on the CPU.

pub mod data;
pub mod device;
mod error;
mod mlp;
pub mod nn;
pub mod op;
pub mod optim;
pub mod program;
mod random;
pub mod train;

pub use device::{Buffer, Device};
pub use error::{Error, Result};
pub use mlp::{Dense, Mlp, MlpBuilder, Named};
pub use train::Trainer;
