//! Activations with an exponential tail on one side: the family of elu, the family of softplus, and
//! the exponential itself.
//!
//! Their derivatives come from z: from y they would cancel in the tail, as alpha e^z = y + alpha.

use super::Cache;
use super::formula::{Formula, at_least, at_most};
use crate::nn::Real;

/// The constants of selu, for which mean 0 and variance 1 are a fixed point.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

#[derive(Clone, Copy)]
pub(super) struct Elu(pub(super) f32);

impl Formula for Elu {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        if z > T::of(0.0) { z } else { T::of(self.0.into()) * z.exp_m1() }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let left = at_most(z, 0.0).exp_times(T::of(self.0.into()));
        if z > T::of(0.0) { T::of(1.0) } else { left }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Selu;

impl Formula for Selu {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let left = T::of(SELU_SCALE * SELU_ALPHA) * z.exp_m1();
        if z > T::of(0.0) { T::of(SELU_SCALE) * z } else { left }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let left = at_most(z, 0.0).exp_times(T::of(SELU_SCALE * SELU_ALPHA));
        if z > T::of(0.0) { T::of(SELU_SCALE) } else { left }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Celu(pub(super) f32);

impl Formula for Celu {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let alpha = T::of(self.0.into());
        if z > T::of(0.0) { z } else { alpha * (z / alpha).exp_m1() }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        (at_most(z, 0.0) / T::of(self.0.into())).exp()
    }
}

#[derive(Clone, Copy)]
pub(super) struct Softplus(pub(super) f32);

impl Formula for Softplus {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let beta = T::of(self.0.into());
        at_least(z, 0.0) + (-(beta * z).abs()).exp().ln_1p() / beta
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        super::sigmoid::Sigmoid.value(T::of(self.0.into()) * z)
    }
}

#[derive(Clone, Copy)]
pub(super) struct LogSigmoid;

impl Formula for LogSigmoid {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        at_most(z, 0.0) - (-z.abs()).exp().ln_1p()
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        super::sigmoid::Sigmoid.value(-z)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Exponential;

impl Formula for Exponential {
    const CACHE: Cache = Cache::Output;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        z.exp()
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        y
    }
}
