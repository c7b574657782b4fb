//! The wake behind a cylinder, simulated and kept in files: velocity fields of shape
//! (time, x, y, 2), one `.npy` file of f32 a Reynolds number.

mod files;
mod gusts;
mod lattice;
mod street;
mod strouhal;

pub use files::{file, find, folder, load, simulate_missing};
pub use street::{SPEED, Street};
pub use strouhal::Spectrum;

/// The Reynolds numbers of the experiment.
pub const REYNOLDS: [u32; 4] = [300, 600, 900, 1200];
