//! The sine and the bell curve.

use super::Cache;
use super::formula::{Formula, within};
use crate::nn::Real;

#[derive(Clone, Copy)]
pub(super) struct Sine(pub(super) f32);

impl Formula for Sine {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        z.sin_times(T::of(self.0.into()))
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let w0 = T::of(self.0.into());
        w0 * z.cos_times(w0)
    }
}

/// factor e^(scale z^2), where `scale` is a negative power of two; z is beyond no bound.
///
/// z^2 rounded would be wrong by as much as the result changes, so it is kept in two parts.
#[inline(always)]
pub(super) fn bell<T: Real>(z: T, scale: f64, factor: T) -> T {
    let (high, low) = z.split();
    let scale = T::of(scale);
    (scale * high * high).exp_sum_times(scale * low * (z + high), factor)
}

/// Where e^(-z^2 / 2) has long been 0, and z^2 is no large number yet.
pub(super) const BELL_END: f64 = 40.0;

#[derive(Clone, Copy)]
pub(super) struct Gaussian;

impl Formula for Gaussian {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        bell(within(z, BELL_END), -1.0, T::of(1.0))
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let z = within(z, BELL_END);
        bell(z, -1.0, T::of(-2.0) * z)
    }
}
