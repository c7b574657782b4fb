//! Initial parameters. Drawn on the host from the network's seed, so equal on every device.

mod matrix;

use ndarray::Array2;
use rand::rngs::ChaCha8Rng;

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
    /// Uniform in [low, high); PyTorch's `uniform_`.
    UniformBetween {
        /// The lower end.
        low: f32,
        /// The upper end.
        high: f32,
    },
    /// Normal around a mean; PyTorch's `normal_`.
    NormalAround {
        /// The mean.
        mean: f32,
        /// The standard deviation.
        deviation: f32,
    },
    /// Normal around a mean, but only from `low` to `high`; PyTorch's `trunc_normal_`.
    TruncatedNormal {
        /// The mean before truncation.
        mean: f32,
        /// The standard deviation before truncation.
        deviation: f32,
        /// The least value.
        low: f32,
        /// The largest value.
        high: f32,
    },
    /// Uniform within gain sqrt(3 / fan) (He et al., 2015); PyTorch's `kaiming_uniform_`.
    KaimingUniform {
        /// What keeps its variance: the signal forward, or the gradient backward.
        fan: Fan,
        /// See [`Activation::gain`](super::Activation::gain).
        gain: f32,
    },
    /// Normal with deviation gain / sqrt(fan) (He et al., 2015); PyTorch's `kaiming_normal_`.
    KaimingNormal {
        /// What keeps its variance: the signal forward, or the gradient backward.
        fan: Fan,
        /// See [`Activation::gain`](super::Activation::gain).
        gain: f32,
    },
    /// [`GlorotUniform`](Self::GlorotUniform) times this gain; PyTorch's `xavier_uniform_`.
    XavierUniform(f32),
    /// [`GlorotNormal`](Self::GlorotNormal) times this gain; PyTorch's `xavier_normal_`.
    XavierNormal(f32),
    /// Uniform within sqrt(3 / `n_in`) (LeCun et al., 1998), for selu and tanh.
    LeCunUniform,
    /// Normal with variance 1 / `n_in` (LeCun et al., 1998), for selu and tanh.
    LeCunNormal,
    /// This gain times a matrix with orthonormal rows or columns, whichever are fewer (Saxe,
    /// McClelland and Ganguli, 2014); PyTorch's `orthogonal_`.
    Orthogonal(f32),
    /// Normal around 0, but each input has no connection to ceil(sparsity x outputs) of the outputs
    /// (Martens, 2010); PyTorch's `sparse_`.
    Sparse {
        /// The part of weights that are 0, from 0 to 1.
        sparsity: f32,
        /// The standard deviation of the others.
        deviation: f32,
    },
}

/// Which end of a layer a weight's variance is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fan {
    /// The inputs: the signal keeps its variance.
    #[default]
    In,
    /// The outputs: the gradient keeps its variance.
    Out,
}

impl Init {
    /// 0 everywhere.
    pub const ZEROS: Self = Self::Constant(0.0);
    /// 1 everywhere.
    pub const ONES: Self = Self::Constant(1.0);

    /// Sets the values of a parameter of the given shape, row-major.
    ///
    /// `index` is the parameter's place in the network: each has a random stream of its own.
    /// [`Init::Array`] gives its own elements; the builder has checked its shape.
    pub(crate) fn draw(
        &self,
        seed: u64,
        index: u64,
        shape: Shape,
        layer: Shape,
        values: &mut [f32],
    ) {
        let rng = &mut stream(seed, Stream::Weights, index);
        let (n_in, n_out) = (layer.rows as f64, layer.cols as f64);
        let fan_of = |fan: Fan| if fan == Fan::In { n_in } else { n_out };
        let wide = |x: f32| f64::from(x);
        match *self {
            Self::Default => within(rng, 1.0 / n_in.sqrt(), values),
            Self::GlorotUniform => within(rng, (6.0 / (n_in + n_out)).sqrt(), values),
            Self::HeUniform => within(rng, (6.0 / n_in).sqrt(), values),
            Self::Uniform(bound) => within(rng, wide(bound), values),
            Self::XavierUniform(gain) => {
                within(rng, wide(gain) * (6.0 / (n_in + n_out)).sqrt(), values);
            }
            Self::KaimingUniform { fan, gain } => {
                within(rng, wide(gain) * (3.0 / fan_of(fan)).sqrt(), values);
            }
            Self::LeCunUniform => within(rng, (3.0 / n_in).sqrt(), values),
            Self::UniformBetween { low, high } => {
                let (low, width) = (wide(low), wide(high) - wide(low));
                fill(values, || low + width * uniform(rng));
            }
            Self::GlorotNormal => normals(rng, (2.0 / (n_in + n_out)).sqrt(), values),
            Self::HeNormal => normals(rng, (2.0 / n_in).sqrt(), values),
            Self::Normal(deviation) => normals(rng, wide(deviation), values),
            Self::XavierNormal(gain) => {
                normals(rng, wide(gain) * (2.0 / (n_in + n_out)).sqrt(), values);
            }
            Self::KaimingNormal { fan, gain } => {
                normals(rng, wide(gain) / fan_of(fan).sqrt(), values);
            }
            Self::LeCunNormal => normals(rng, (1.0 / n_in).sqrt(), values),
            Self::NormalAround { mean, deviation } => {
                fill(values, || wide(mean) + wide(deviation) * normal(rng));
            }
            Self::TruncatedNormal { mean, deviation, low, high } => {
                let (mean, deviation) = (wide(mean), wide(deviation));
                let range = [low, high].map(|end| (wide(end) - mean) / deviation);
                fill(values, || mean + deviation * truncated(rng, range));
                // Rounding to f32 may have led a little beyond the ends.
                values.iter_mut().for_each(|x| *x = x.clamp(low, high));
            }
            Self::Orthogonal(gain) => matrix::orthogonal(rng, wide(gain), shape, values),
            Self::Sparse { sparsity, deviation } => {
                normals(rng, wide(deviation), values);
                matrix::sparse(rng, wide(sparsity), shape, values);
            }
            Self::Constant(value) => values.fill(value),
            Self::Array(ref array) => values.iter_mut().zip(array).for_each(|(x, y)| *x = *y),
        }
    }

    /// What is wrong with the numbers, and what they have to be.
    pub(crate) fn fault(&self) -> Option<(f32, &'static str)> {
        let finite = |x: f32| (!x.is_finite()).then_some((x, "must be finite"));
        let spread = |x: f32| {
            let fault = (x, "a standard deviation must be finite and at least 0");
            (!(x.is_finite() && x >= 0.0)).then_some(fault)
        };
        match *self {
            Self::Normal(x) | Self::Uniform(x) | Self::Constant(x) => finite(x),
            Self::XavierUniform(x) | Self::XavierNormal(x) | Self::Orthogonal(x) => finite(x),
            Self::KaimingUniform { gain, .. } | Self::KaimingNormal { gain, .. } => finite(gain),
            Self::Array(ref values) => values.iter().find_map(|&x| finite(x)),
            Self::UniformBetween { low, high } => {
                finite(low).or_else(|| finite(high)).or_else(|| {
                    (low > high).then_some((low, "the lower end must not be above the upper end"))
                })
            }
            Self::NormalAround { mean, deviation } => finite(mean).or_else(|| spread(deviation)),
            Self::TruncatedNormal { mean, deviation, low, high } => {
                let wrong = "a truncated normal needs low < high and a standard deviation above 0";
                [mean, deviation, low, high]
                    .into_iter()
                    .find_map(finite)
                    .or_else(|| (!(low < high && deviation > 0.0)).then_some((deviation, wrong)))
            }
            Self::Sparse { sparsity, deviation } => {
                let wrong = (sparsity, "the sparsity must be from 0 to 1");
                let fault = (!(0.0..=1.0).contains(&sparsity)).then_some(wrong);
                fault.or_else(|| spread(deviation))
            }
            _ => None,
        }
    }
}

fn fill(values: &mut [f32], mut draw: impl FnMut() -> f64) {
    values.iter_mut().for_each(|x| *x = draw() as f32);
}

fn within(rng: &mut ChaCha8Rng, bound: f64, values: &mut [f32]) {
    fill(values, || bound * (2.0 * uniform(rng) - 1.0));
}

fn normals(rng: &mut ChaCha8Rng, deviation: f64, values: &mut [f32]) {
    fill(values, || deviation * normal(rng));
}

/// A standard normal number from a range, by rejection: of normal numbers where the range is a wide
/// one around 0, else of uniform ones.
fn truncated(rng: &mut ChaCha8Rng, [low, high]: [f64; 2]) -> f64 {
    /// Further than this from the range's most likely end nothing is drawn: e^-50 is left.
    const FAR: f64 = 10.0;
    if low < 0.0 && high > 0.0 && high - low > 2.0 {
        loop {
            let x = normal(rng);
            if (low..=high).contains(&x) {
                return x;
            }
        }
    }
    let peak = 0f64.clamp(low, high);
    let (low, high) = (low.max(peak - FAR), high.min(peak + FAR));
    loop {
        let x = low + (high - low) * uniform(rng);
        if uniform(rng) <= ((peak - x) * (peak + x) / 2.0).exp() {
            return x;
        }
    }
}
