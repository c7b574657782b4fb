//! The arithmetic that formulas are written in: f32 as devices compute, f64 as proofs need.

mod double;
mod single;

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A floating-point number: f32, or f64 for references.
pub trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The nearest number to `x`.
    fn of(x: f64) -> Self;
    /// What is lost of `x` by [`of`](Self::of).
    fn lost(x: f64) -> Self;
    /// e^x
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// factor e^x, where e^x alone may leave the range of numbers; for x <= 0.
    fn exp_times(self, factor: Self) -> Self;
    /// factor e^(x + low) for x <= 0 and a `low` that x is too coarse to hold; see
    /// [`split`](Self::split).
    fn exp_sum_times(self, low: Self, factor: Self) -> Self;
    /// e^x - 1
    fn exp_m1(self) -> Self;
    /// ln(1 + x), for 0 <= x <= 1.
    fn ln_1p(self) -> Self;
    /// (high, low) with x = high + low, such that products of parts have no rounding that matters:
    /// in f32 parts of 12 bits, in f64 (x, 0).
    fn split(self) -> (Self, Self);
    /// Mills' ratio (1 - Phi(x)) / phi(x) of the normal distribution, for x >= 0.
    fn mills(self) -> Self;
    /// sin(w x), of the product before rounding.
    fn sin_times(self, w: Self) -> Self;
    /// cos(w x), of the product before rounding.
    fn cos_times(self, w: Self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// The larger of two numbers.
    fn max(self, other: Self) -> Self;
    /// The smaller of two numbers.
    fn min(self, other: Self) -> Self;
}

/// -1, 0 or 1; `signum` gives 1 for 0. No number has the sign 0.
#[inline(always)]
pub(crate) fn sign(x: f32) -> f32 {
    f32::from(u8::from(x > 0.0)) - f32::from(u8::from(x < 0.0))
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }
    fn lost(_: f64) -> Self {
        0.0
    }
    fn exp(self) -> Self {
        self.exp()
    }
    fn ln(self) -> Self {
        self.ln()
    }
    fn exp_times(self, factor: Self) -> Self {
        factor * self.exp()
    }
    fn exp_sum_times(self, low: Self, factor: Self) -> Self {
        factor * (self + low).exp()
    }
    fn exp_m1(self) -> Self {
        self.exp_m1()
    }
    fn ln_1p(self) -> Self {
        self.ln_1p()
    }
    fn split(self) -> (Self, Self) {
        (self, 0.0)
    }
    fn mills(self) -> Self {
        double::mills(self)
    }
    fn sin_times(self, w: Self) -> Self {
        (w * self).sin()
    }
    fn cos_times(self, w: Self) -> Self {
        (w * self).cos()
    }
    fn tanh(self) -> Self {
        self.tanh()
    }
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    fn abs(self) -> Self {
        self.abs()
    }
    fn max(self, other: Self) -> Self {
        self.max(other)
    }
    fn min(self, other: Self) -> Self {
        self.min(other)
    }
}

impl Real for f32 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn lost(x: f64) -> Self {
        (x - f64::from(x as f32)) as f32
    }
    #[inline(always)]
    fn exp(self) -> Self {
        single::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.ln()
    }
    #[inline(always)]
    fn exp_times(self, factor: Self) -> Self {
        single::exp_times(self, factor)
    }
    #[inline(always)]
    fn exp_sum_times(self, low: Self, factor: Self) -> Self {
        single::exp_sum_times(self, low, factor)
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        single::exp_m1(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        single::ln_1p(self)
    }
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        single::split(self)
    }
    #[inline(always)]
    fn mills(self) -> Self {
        single::mills(self)
    }
    // In f64 the product of two f32 is exact, and the reduction to a period is for any argument.
    fn sin_times(self, w: Self) -> Self {
        (f64::from(w) * f64::from(self)).sin() as Self
    }
    fn cos_times(self, w: Self) -> Self {
        (f64::from(w) * f64::from(self)).cos() as Self
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        single::tanh(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
}
