//! Random numbers beyond the uniform ones.

use rand::{Rng, RngExt};

/// A standard normal number, by the transform of Box and Muller (1958).
pub fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}
