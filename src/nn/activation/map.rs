//! Activations applied to numbers and to slices of them.

use super::formula::{Formula, with_formula};
use super::{Activation, Cache, exponential, gate, piecewise, sigmoid, wave};
use crate::nn::Real;

impl Activation {
    /// What the derivative needs.
    #[must_use]
    pub fn cache(self) -> Cache {
        fn of<F: Formula>(_: F) -> Cache {
            F::CACHE
        }
        with_formula!(self, phi => of(phi))
    }

    /// phi(z)
    pub fn value<T: Real>(self, z: T) -> T {
        with_formula!(self, phi => phi.value(z))
    }

    /// phi'(z), from what [`cache`](Self::cache) names: z itself, or y = phi(z).
    pub fn derivative<T: Real>(self, cached: T) -> T {
        with_formula!(self, phi => phi.derivative(cached))
    }

    /// phi'(z) from z, whatever the cache.
    pub fn derivative_at<T: Real>(self, z: T) -> T {
        with_formula!(self, phi => phi.derivative_at(z))
    }

    /// xs = phi(xs)
    // Loops, here and below, and no closures: long ones are not compiled into the function that is
    // for wide vectors.
    #[inline(always)]
    pub(crate) fn apply(self, xs: &mut [f32]) {
        with_formula!(self, phi => {
            for x in xs {
                *x = phi.value(*x);
            }
        });
    }

    /// out = phi(xs)
    #[inline(always)]
    pub(crate) fn apply_to(self, xs: &[f32], out: &mut [f32]) {
        with_formula!(self, phi => {
            for (y, &x) in out.iter_mut().zip(xs) {
                *y = phi.value(x);
            }
        });
    }

    /// out = phi'(xs)
    #[inline(always)]
    pub(crate) fn differentiate_to(self, xs: &[f32], out: &mut [f32]) {
        with_formula!(self, phi => {
            for (y, &x) in out.iter_mut().zip(xs) {
                *y = phi.derivative_at(x);
            }
        });
    }

    /// deltas *= phi', from what forward kept
    #[inline(always)]
    pub(crate) fn chain(self, cached: &[f32], deltas: &mut [f32]) {
        with_formula!(self, phi => {
            for (d, &c) in deltas.iter_mut().zip(cached) {
                *d *= phi.derivative(c);
            }
        });
    }
}
