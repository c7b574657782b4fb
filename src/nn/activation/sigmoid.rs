//! Smooth steps: tanh, the logistic function, softsign.

use super::Cache;
use super::formula::Formula;
use crate::nn::Real;

#[derive(Clone, Copy)]
pub(super) struct Tanh;

impl Formula for Tanh {
    const CACHE: Cache = Cache::Output;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        z.tanh()
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        T::of(1.0) - y * y
    }
}

#[derive(Clone, Copy)]
pub(super) struct Sigmoid;

impl Formula for Sigmoid {
    const CACHE: Cache = Cache::Output;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let (zero, one) = (T::of(0.0), T::of(1.0));
        // exp of a negative argument only: no overflow at either end.
        let e = (-z.abs()).exp();
        let small = e / (one + e);
        if z < zero { small } else { one / (one + e) }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        y * (T::of(1.0) - y)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Softsign;

impl Formula for Softsign {
    // 1 - |y| would cancel.
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        z / (T::of(1.0) + z.abs())
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        // Squared last: the square of the denominator may overflow.
        let inverse = T::of(1.0) / (T::of(1.0) + z.abs());
        inverse * inverse
    }
}
