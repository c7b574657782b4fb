//! Seeded random streams: one seed for everything, the same numbers on every device.
//!
//! Weights, shuffles and splits are drawn on the host, each from a stream of its own, so that
//! drawing more of one never moves another. An epoch's shuffle depends on the seed and the epoch
//! alone: a resumed run needs no generator's state.

mod threefry;

pub(crate) use threefry::threefry;

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    /// Initial parameters; the index is the parameter's place in the network.
    Weights = 1,
    /// The order of a training epoch; the index is the epoch.
    Shuffle = 2,
    /// Shuffling and splitting a data set.
    Split = 3,
    /// The keys of what is drawn on the device; the index is that of a [`Draw`].
    Device = 4,
}

/// The generator of `stream`, number `index`, of a seed.
pub(crate) fn stream(seed: u64, stream: Stream, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((stream as u64) << 56 | index);
    rng
}

/// What a device draws random numbers for, each by a key of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Draw {
    /// Noise on the network's inputs.
    InputNoise,
    /// Dropout of the network's inputs.
    InputDropout,
    /// Dropout of the outputs of a layer.
    Dropout(usize),
}

/// The key of the random numbers that a device draws for a purpose.
pub(crate) fn device_key(seed: u64, draw: Draw) -> [u32; 2] {
    let index = match draw {
        Draw::InputNoise => 0,
        Draw::InputDropout => 1,
        Draw::Dropout(layer) => 2 + layer as u64,
    };
    let rng = &mut stream(seed, Stream::Device, index);
    [rng.next_u32(), rng.next_u32()]
}

/// A random order of the numbers 0..n.
pub(crate) fn permutation(rng: &mut ChaCha8Rng, n: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.shuffle(rng);
    order
}

/// A number uniform in [0, 1) with 53 random bits.
pub(crate) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A standard normal number, by the transform of Box and Muller (1958).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(rng)).cos()
}
