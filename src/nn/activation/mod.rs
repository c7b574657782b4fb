//! Activation functions phi, elementwise between a layer's sum z and its output y = phi(z).
//!
//! A new one is a variant here with its formulas (a [`Formula`](formula::Formula) in one of the
//! files beside this one), and its case in `shaders/activation_cases.wgsl`; every test finds it through
//! [`Activation::ALL`]. How exact they are is in `docs/activations.md`.

mod exponential;
mod formula;
mod gate;
mod map;
mod piecewise;
mod sigmoid;
mod text;
mod wave;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// An activation function.
///
/// Parameters are those of PyTorch, and so are derivatives at kinks.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// y = z; y' = 1. The default of an output layer.
    #[default]
    Identity,
    /// y = max(z, 0); y' = 1 for z > 0, else 0. The first choice for hidden layers; a unit whose z
    /// is negative for every sample learns no more (Nair and Hinton, 2010).
    Relu,
    /// y = tanh z; y' = 1 - y^2. Bounded and smooth: small networks that fit smooth functions.
    Tanh,
    /// y = 1 / (1 + e^-z); y' = y (1 - y). For probabilities as outputs; in hidden layers tanh
    /// learns faster, as its mean is 0.
    Sigmoid,
    /// y = z for z > 0, else a z; y' = 1 or a. Relu whose units cannot die; the slope a defaults to
    /// 0.01 and is not negative (Maas, Hannun and Ng, 2013).
    LeakyRelu(f32),
    /// y = min(max(z, 0), 6); y' = 1 for 0 < z < 6, else 0. Relu for low-precision inference
    /// (Krizhevsky, 2010).
    Relu6,
    /// y = z for z > 0, else alpha (e^z - 1); y' = 1 or alpha e^z. Means nearer to 0 than relu's;
    /// alpha > 0 defaults to 1 (Clevert, Unterthiner and Hochreiter, 2016).
    Elu(f32),
    /// y = s z for z > 0, else s alpha (e^z - 1), with s = 1.0507 and alpha = 1.6733; y' = s or
    /// s alpha e^z. Keeps mean 0 and variance 1 through deep networks whose weights start from
    /// [`Init::LeCunNormal`](super::Init::LeCunNormal) (Klambauer et al., 2017).
    Selu,
    /// y = z for z > 0, else alpha (e^(z/alpha) - 1); y' = 1 or e^(z/alpha). Elu without a kink for
    /// any alpha > 0, which defaults to 1 (Barron, 2017).
    Celu(f32),
    /// y = z Phi(z) with the normal distribution Phi; y' = Phi(z) + z phi(z). Smooth, and the usual
    /// choice next to normalised inputs (Hendrycks and Gimpel, 2016).
    Gelu,
    /// y = z (1 + tanh u) / 2 with u = sqrt(2/pi) (z + 0.044715 z^3); y' = (1 + tanh u) / 2 +
    /// z (1 - tanh^2 u) u' / 2. Gelu within 5e-4, for networks that were trained with it.
    GeluTanh,
    /// y = z sigmoid(z); y' = s (1 + z (1 - s)) with s = sigmoid(z). Also called swish: as gelu,
    /// cheaper (Elfwing, Uchibe and Doya, 2018; Ramachandran, Zoph and Le, 2017).
    Silu,
    /// y = z tanh(ln(1 + e^z)); y' = t + z sigmoid(z) (1 - t^2) with t = y / z. A little smoother
    /// than silu (Misra, 2019).
    Mish,
    /// y = ln(1 + e^(beta z)) / beta; y' = sigmoid(beta z). A smooth relu, for outputs that must be
    /// positive; beta > 0 defaults to 1. PyTorch's gives z itself where beta z > 20, which differs
    /// by 2e-9 (Dugas et al., 2001).
    Softplus(f32),
    /// y = z / (1 + |z|); y' = 1 / (1 + |z|)^2. As tanh, with tails that still learn (Turian,
    /// Bergstra and Bengio, 2009).
    Softsign,
    /// y = -ln(1 + e^-z); y' = sigmoid(-z). Logarithms of probabilities as outputs.
    LogSigmoid,
    /// y = min(max(z + 3, 0), 6) / 6; y' = 1/6 for |z| < 3, else 0. The sigmoid in three lines
    /// (Howard et al., 2019).
    HardSigmoid,
    /// y = z min(max(z + 3, 0), 6) / 6; y' = 0 up to -3, 1 from 3 on, between (2 z + 3) / 6. Silu in
    /// three pieces (Howard et al., 2019).
    HardSwish,
    /// y = min(max(z, -1), 1); y' = 1 for |z| < 1, else 0. Tanh in three lines.
    HardTanh,
    /// y = sin(w0 z); y' = w0 cos(w0 z). For functions with detail at many scales, as images and
    /// waves; w0 > 0 defaults to 1, and the paper takes 30 in its first layer (Sitzmann et al.,
    /// 2020).
    Sine(f32),
    /// y = e^(-z^2); y' = -2 z y. Responds to a band around 0: local features, as in networks of
    /// radial basis functions (Broomhead and Lowe, 1988).
    Gaussian,
    /// y = e^z; y' = y. Outputs that are rates: the inverse of a logarithmic link.
    Exponential,
    /// y = z for z > 0, else a z, with a slope a that is learned: one number a layer, the parameter
    /// `layers.N.slope`, from 0.25 on (He et al., 2015). dL/da = sum of dL/dy min(z, 0).
    Prelu,
    /// y = e^z / sum e^z over the outputs of a row: probabilities that sum to 1, for a last layer
    /// whose loss takes such. Softmax cross-entropy on logits,
    /// [`Loss::CrossEntropy`](super::Loss::CrossEntropy), does the same with fewer roundings.
    Softmax,
    /// y = z - ln sum e^z over the outputs of a row: logarithms of probabilities, as
    /// [`Loss::Nll`](super::Loss::Nll) and
    /// [`Loss::KlDivergence`](super::Loss::KlDivergence) take them.
    LogSoftmax,
}

/// What the derivative of an activation is computed from, and so what forward keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cache {
    /// phi' is constant.
    Nothing,
    /// phi' is a function of z.
    Input,
    /// phi' is a function of y = phi(z).
    Output,
}

impl Activation {
    /// Every elementwise activation with its default parameter, in the order of the codes in WGSL.
    pub const ALL: [Self; 22] = [
        Self::Identity,
        Self::Relu,
        Self::Tanh,
        Self::Sigmoid,
        Self::LeakyRelu(0.01),
        Self::Relu6,
        Self::Elu(1.0),
        Self::Selu,
        Self::Celu(1.0),
        Self::Gelu,
        Self::GeluTanh,
        Self::Silu,
        Self::Mish,
        Self::Softplus(1.0),
        Self::Softsign,
        Self::LogSigmoid,
        Self::HardSigmoid,
        Self::HardSwish,
        Self::HardTanh,
        Self::Sine(1.0),
        Self::Gaussian,
        Self::Exponential,
    ];

    /// The code in `shaders/activation_cases.wgsl`.
    #[cfg(feature = "gpu")]
    pub(crate) fn code(self) -> u32 {
        let kind = std::mem::discriminant(&self);
        let at = Self::ALL.iter().position(|other| std::mem::discriminant(other) == kind);
        at.unwrap_or(0) as u32
    }

    /// The activations of a layer that are not elementwise functions of z: prelu has a parameter,
    /// the others mix the columns of a row.
    pub const MAPS: [Self; 3] = [Self::Prelu, Self::Softmax, Self::LogSoftmax];

    /// Whether y is a function of z element by element, without parameters that are learned.
    #[must_use]
    pub const fn is_elementwise(self) -> bool {
        !matches!(self, Self::Prelu | Self::Softmax | Self::LogSoftmax)
    }

    /// The function itself if it is elementwise; else the identity, which instructions for products
    /// and losses then apply, and the layer's map is lowered to instructions of its own.
    pub(crate) const fn elementwise(self) -> Self {
        if self.is_elementwise() { self } else { Self::Identity }
    }

    /// The number that the variant holds: a slope, alpha, beta or w0.
    #[must_use]
    pub const fn parameter(self) -> Option<f32> {
        match self {
            Self::LeakyRelu(x)
            | Self::Elu(x)
            | Self::Celu(x)
            | Self::Softplus(x)
            | Self::Sine(x) => Some(x),
            _ => None,
        }
    }

    /// The same function with another parameter; one that has none stays as it is.
    pub(crate) const fn with_parameter(self, x: f32) -> Self {
        match self {
            Self::LeakyRelu(_) => Self::LeakyRelu(x),
            Self::Elu(_) => Self::Elu(x),
            Self::Celu(_) => Self::Celu(x),
            Self::Softplus(_) => Self::Softplus(x),
            Self::Sine(_) => Self::Sine(x),
            other => other,
        }
    }

    /// By how much more than a linear layer's the weights before it may spread, for the signal to
    /// keep its variance: the gain of [`Init::KaimingNormal`](super::Init::KaimingNormal) and its
    /// like, by PyTorch's `calculate_gain`; 1 where that has none.
    #[must_use]
    pub fn gain(self) -> f32 {
        match self {
            Self::Tanh => 5.0 / 3.0,
            Self::Relu => std::f32::consts::SQRT_2,
            Self::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
            Self::Selu => 0.75,
            _ => 1.0,
        }
    }

    /// Checks the parameter.
    ///
    /// # Errors
    /// [`Error::Argument`] unless it is finite and above 0, or 0 for the slope of leaky relu.
    pub(crate) fn check(self) -> Result<()> {
        let Some(x) = self.parameter() else { return Ok(()) };
        let lower = matches!(self, Self::LeakyRelu(_)) && x == 0.0;
        if x.is_finite() && (x > 0.0 || lower) {
            return Ok(());
        }
        let expected = match self {
            Self::LeakyRelu(_) => "the slope must be finite and at least 0",
            _ => "the parameter must be finite and above 0",
        };
        Err(Error::argument("an activation", self, expected))
    }
}
