//! Initial parameters. Drawn on the host from the network's seed, so equal on every device.

use ndarray::Array2;

use crate::op::Shape;
use crate::random::{Stream, normal, stream, uniform};

/// A rule for the initial values of a weight matrix or a bias.
///
/// `n_in` and `n_out` are the inputs and outputs of the layer, for its bias too.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// Uniform within 1/sqrt(`n_in`): the default of PyTorch's `Linear`, for weights and biases.
    Default,
    /// Uniform within sqrt(6 / (`n_in` + `n_out`)) (Glorot and Bengio, 2010).
    GlorotUniform,
    /// Normal with variance 2 / (`n_in` + `n_out`) (Glorot and Bengio, 2010).
    GlorotNormal,
    /// Uniform within sqrt(6 / `n_in`) (He et al., 2015), for relu.
    HeUniform,
    /// Normal with variance 2 / `n_in` (He et al., 2015), for relu.
    HeNormal,
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
    /// Uniform within this bound.
    Uniform(f32),
    /// This value everywhere.
    Constant(f32),
    /// These values; their shape must be the parameter's.
    Array(Array2<f32>),
}

impl Init {
    /// The values of a parameter of the given shape, row-major.
    ///
    /// `index` is the parameter's place in the network: each has a random stream of its own.
    /// [`Init::Array`] gives its own elements; the builder has checked its shape.
    pub(crate) fn draw(&self, seed: u64, index: u64, shape: Shape, layer: Shape) -> Vec<f32> {
        let rng = &mut stream(seed, Stream::Weights, index);
        let (n_in, n_out) = (layer.rows as f64, layer.cols as f64);
        let mut within = |bound: f64| -> Vec<f32> {
            (0..shape.len()).map(|_| (bound * (2.0 * uniform(rng) - 1.0)) as f32).collect()
        };
        match self {
            Self::Default => within(1.0 / n_in.sqrt()),
            Self::GlorotUniform => within((6.0 / (n_in + n_out)).sqrt()),
            Self::HeUniform => within((6.0 / n_in).sqrt()),
            Self::Uniform(bound) => within(f64::from(*bound)),
            Self::GlorotNormal => normals(rng, (2.0 / (n_in + n_out)).sqrt(), shape.len()),
            Self::HeNormal => normals(rng, (2.0 / n_in).sqrt(), shape.len()),
            Self::Normal(deviation) => normals(rng, f64::from(*deviation), shape.len()),
            Self::Constant(value) => vec![*value; shape.len()],
            Self::Array(values) => values.iter().copied().collect(),
        }
    }
}

fn normals(rng: &mut rand::rngs::ChaCha8Rng, deviation: f64, len: usize) -> Vec<f32> {
    (0..len).map(|_| (deviation * normal(rng)) as f32).collect()
}
