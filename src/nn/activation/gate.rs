//! Activations that let z through a smooth gate: y = z gate(z).
//!
//! Each has the exponential e of a negative argument, and the gate as a quotient in e. In the left
//! tail e leaves f32's range before y does, so there e comes last, as a factor on the rest.

use super::Cache;
use super::formula::{Formula, at_least, within};
use super::wave::{BELL_END, bell};
use crate::nn::Real;

/// 1 / sqrt(2 pi)
const DENSITY: f64 = 0.398_942_280_401_432_7;

/// sqrt(8 / pi), and that times 0.044715: twice the argument of gelu's tanh is A z + B z^3.
const TANH_A: f64 = 1.595_769_121_605_730_8;
const TANH_B: f64 = 0.071_354_816_272_600_25;

/// Where e^-|z| has long been 0 in f32 and in f64, and products with z are still finite.
const TAIL_END: f64 = 1_000.0;

#[derive(Clone, Copy)]
pub(super) struct Gelu;

impl Formula for Gelu {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        // Phi(-|z|) = density(z) mills(|z|)
        let near = within(z, BELL_END);
        let mills = T::of(DENSITY) * near.abs().mills();
        let left = z < T::of(0.0);
        let tail = bell(near, -0.5, if left { near * mills } else { mills });
        if left { tail } else { z * (T::of(1.0) - tail) }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let near = within(z, BELL_END);
        let size = near.abs();
        let tail = bell(near, -0.5, T::of(DENSITY) * (size.mills() - size));
        if z < T::of(0.0) { tail } else { T::of(1.0) - tail }
    }
}

#[derive(Clone, Copy)]
pub(super) struct GeluTanh;

impl GeluTanh {
    /// (1 + tanh u) / 2 has reached 0 and 1 in f32 here, and in f64.
    const END: f64 = 40.0;

    /// A z + B z^3 for z >= 0 in two parts, the first of which is exact: products of 12 bits are.
    /// Rounded it would be wrong by as much as its exponential changes.
    #[inline(always)]
    fn argument<T: Real>(z: T) -> (T, T) {
        let constant = |x: f64| {
            let (high, low) = T::of(x).split();
            (high, low + T::lost(x))
        };
        let ((a, a_rest), (b, b_rest)) = (constant(TANH_A), constant(TANH_B));
        let (z_high, z_low) = z.split();
        let square = (z * z).split().0;
        let square_low = (z_high * z_high - square) + z_low * (z + z_high);
        let cubic = (b * square).split().0;
        let cubic_low = (b * square - cubic) + (b * square_low + b_rest * (z * z));
        let sum = (a + cubic).split().0;
        let sum_low = (a + cubic - sum) + (a_rest + cubic_low);
        (sum * z_high, sum * z_low + sum_low * z)
    }
}

impl Formula for GeluTanh {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let one = T::of(1.0);
        let near = within(z, Self::END);
        let (high, low) = Self::argument(near.abs());
        let e = (-high).exp_sum_times(-low, one);
        let tail = (-high).exp_sum_times(-low, near);
        (if z < T::of(0.0) { tail } else { z }) / (one + e)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let one = T::of(1.0);
        let near = within(z, Self::END);
        let (high, low) = Self::argument(near.abs());
        let e = (-high).exp_sum_times(-low, one);
        let slope = near * (T::of(TANH_A) + T::of(3.0 * TANH_B) * near * near);
        let left = z < T::of(0.0);
        let factor = one + slope * (if left { one } else { e }) / (one + e);
        let tail = (-high).exp_sum_times(-low, factor);
        (if left { tail } else { factor }) / (one + e)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Silu;

impl Formula for Silu {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let z = at_least(z, -TAIL_END);
        let x = -z.abs();
        let top = if z < T::of(0.0) { x.exp_times(z) } else { z };
        top / (T::of(1.0) + x.exp())
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let one = T::of(1.0);
        let z = within(z, TAIL_END);
        let x = -z.abs();
        let e = x.exp();
        let left = z < T::of(0.0);
        let factor = one + z * (if left { one } else { e }) / (one + e);
        (if left { x.exp_times(factor) } else { factor }) / (one + e)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Mish;

impl Mish {
    /// tanh(ln(1 + e^z)) as a quotient in e = e^-|z|: both parts without the factor e on the left.
    #[inline(always)]
    fn gate<T: Real>(e: T, left: bool) -> (T, T) {
        let (one, two) = (T::of(1.0), T::of(2.0));
        if left {
            (e + two, e * (e + two) + two)
        } else {
            (one + two * e, one + two * e * (one + e))
        }
    }
}

impl Formula for Mish {
    const CACHE: Cache = Cache::Input;

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let z = at_least(z, -TAIL_END);
        let x = -z.abs();
        let left = z < T::of(0.0);
        let (top, bottom) = Self::gate(x.exp(), left);
        if left { x.exp_times(z * top) / bottom } else { z * (top / bottom) }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let (one, four) = (T::of(1.0), T::of(4.0));
        let z = within(z, TAIL_END);
        let x = -z.abs();
        let e = x.exp();
        let left = z < T::of(0.0);
        let (top, bottom) = Self::gate(e, left);
        let rise = four * z * (one + e) * (if left { one } else { e * e });
        let factor = (top + rise / bottom) / bottom;
        if left { x.exp_times(factor) } else { factor }
    }
}
