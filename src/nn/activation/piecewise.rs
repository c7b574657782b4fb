//! Activations made of straight lines and parabolas: exact but for one rounding.
//!
//! Comparisons are such that a NaN passes through, so that divergence is seen.

use super::Cache;
use super::formula::{Formula, at_least, at_most, within};
use crate::nn::Real;

/// 1 or 0
#[inline(always)]
fn indicator<T: Real>(holds: bool) -> T {
    if holds { T::of(1.0) } else { T::of(0.0) }
}

#[derive(Clone, Copy)]
pub(super) struct Identity;

impl Formula for Identity {
    const CACHE: Cache = Cache::Nothing;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        z
    }

    #[inline(always)]
    fn derivative<T: Real>(self, _: T) -> T {
        T::of(1.0)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Relu;

impl Formula for Relu {
    const CACHE: Cache = Cache::Output;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        at_least(z, 0.0)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        indicator(y > T::of(0.0))
    }
}

#[derive(Clone, Copy)]
pub(super) struct LeakyRelu(pub(super) f32);

impl Formula for LeakyRelu {
    // The slope is not negative, so that y has the sign of z.
    const CACHE: Cache = Cache::Output;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        if z < T::of(0.0) { T::of(self.0.into()) * z } else { z }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        if y > T::of(0.0) { T::of(1.0) } else { T::of(self.0.into()) }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Relu6;

impl Formula for Relu6 {
    const CACHE: Cache = Cache::Output;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        at_most(at_least(z, 0.0), 6.0)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        indicator(y > T::of(0.0) && y < T::of(6.0))
    }
}

#[derive(Clone, Copy)]
pub(super) struct HardTanh;

impl Formula for HardTanh {
    const CACHE: Cache = Cache::Output;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        within(z, 1.0)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        indicator(y.abs() < T::of(1.0))
    }
}

#[derive(Clone, Copy)]
pub(super) struct HardSigmoid;

impl Formula for HardSigmoid {
    // y may round to 1 where z < 3.
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        (within(z, 3.0) + T::of(3.0)) / T::of(6.0)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        if z.abs() < T::of(3.0) { T::of(1.0 / 6.0) } else { T::of(0.0) }
    }
}

#[derive(Clone, Copy)]
pub(super) struct HardSwish;

impl Formula for HardSwish {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let gate = HardSigmoid.value(z);
        if z > T::of(-3.0) { z * gate } else { T::of(0.0) * gate }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        // z + 3/2 is exact near its root.
        let slope = (z + T::of(1.5)) / T::of(3.0);
        let right = if z < T::of(3.0) { slope } else { T::of(1.0) };
        if z > T::of(-3.0) { right } else { T::of(0.0) }
    }
}
