//! What an activation's formulas are, and the choice between them.

use super::Cache;
use crate::nn::Real;

/// The formulas of one activation, written once for every kind of number.
pub(super) trait Formula: Copy {
    /// What [`derivative`](Self::derivative) is computed from.
    const CACHE: Cache;

    /// phi(z)
    fn value<T: Real>(self, z: T) -> T;

    /// phi'(z), from what [`CACHE`](Self::CACHE) names.
    fn derivative<T: Real>(self, cached: T) -> T;

    /// phi'(z) from z, whatever the cache.
    #[inline(always)]
    fn derivative_at<T: Real>(self, z: T) -> T {
        match Self::CACHE {
            Cache::Output => self.derivative(self.value(z)),
            Cache::Nothing | Cache::Input => self.derivative(z),
        }
    }
}

/// Runs a body with the formulas of an activation, so that the choice is made outside of its loop.
macro_rules! with_formula {
    ($activation:expr, $phi:ident => $body:expr) => {
        with_formula!($activation, $phi => $body,
            // The maps of layers are instructions of their own, after the identity.
            Identity | Prelu | Softmax | LogSoftmax => piecewise::Identity,
            Relu => piecewise::Relu,
            Tanh => sigmoid::Tanh,
            Sigmoid => sigmoid::Sigmoid,
            Relu6 => piecewise::Relu6,
            Selu => exponential::Selu,
            Gelu => gate::Gelu,
            GeluTanh => gate::GeluTanh,
            Silu => gate::Silu,
            Mish => gate::Mish,
            Softsign => sigmoid::Softsign,
            LogSigmoid => exponential::LogSigmoid,
            HardSigmoid => piecewise::HardSigmoid,
            HardSwish => piecewise::HardSwish,
            HardTanh => piecewise::HardTanh,
            Gaussian => wave::Gaussian,
            Exponential => exponential::Exponential;
            LeakyRelu => piecewise::LeakyRelu,
            Elu => exponential::Elu,
            Celu => exponential::Celu,
            Softplus => exponential::Softplus,
            Sine => wave::Sine,
        )
    };
    ($activation:expr, $phi:ident => $body:expr,
        $($($plain:ident)|+ => $formula:path),*;
        $($tuned:ident => $constructor:path),* $(,)?
    ) => {
        match $activation {
            $($(Activation::$plain)|+ => { let $phi = $formula; $body })*
            $(Activation::$tuned(parameter) => { let $phi = $constructor(parameter); $body })*
        }
    };
}
pub(super) use with_formula;

/// z, or the bound if it is below; a NaN stays.
#[inline(always)]
pub(super) fn at_least<T: Real>(z: T, bound: f64) -> T {
    if z < T::of(bound) { T::of(bound) } else { z }
}

/// z, or the bound if it is above; a NaN stays.
#[inline(always)]
pub(super) fn at_most<T: Real>(z: T, bound: f64) -> T {
    if z > T::of(bound) { T::of(bound) } else { z }
}

/// z within the bound of 0; a NaN stays.
#[inline(always)]
pub(super) fn within<T: Real>(z: T, bound: f64) -> T {
    at_most(at_least(z, -bound), bound)
}
