//! Numbers in f64 that know how far f32's roundings may have led from them.

use std::ops::{Add, Div, Mul, Sub};

use crate::common::compare::{EPS, Expected, TINY};

/// A number, and a bound of its error in f32.
#[derive(Debug, Clone, Copy)]
pub struct Near {
    pub value: f64,
    pub within: f64,
}

impl Near {
    /// A number that f32 holds.
    pub fn exact(value: f32) -> Self {
        Self { value: value.into(), within: 0.0 }
    }

    /// A number that is rounded to f32, twice where it is made by a step before.
    pub fn constant(value: f64) -> Self {
        Self { value, within: EPS * value.abs() }
    }

    /// A result with the error that it inherits, rounded: a GPU's quotients and roots may be off by
    /// three units in the last place.
    fn rounded(value: f64, inherited: f64) -> Self {
        Self { value, within: inherited + 3.0 * EPS * value.abs() + TINY }
    }

    pub fn sqrt(self) -> Self {
        let [low, high] = [self.value - self.within, self.value + self.within];
        let root = self.value.max(0.0).sqrt();
        let inherited = (high.max(0.0).sqrt() - root).max(root - low.max(0.0).sqrt());
        Self::rounded(root, inherited)
    }

    pub fn abs(self) -> Self {
        Self { value: self.value.abs(), ..self }
    }

    pub fn max(self, other: Self) -> Self {
        Self { value: self.value.max(other.value), within: self.within.max(other.within) }
    }

    /// -1, 0 or 1; where the error allows several, all of them.
    pub fn sign(self) -> Self {
        let sign = if self.value == 0.0 { 0.0 } else { self.value.signum() };
        Self { value: sign, within: if self.value.abs() <= self.within { 2.0 } else { 0.0 } }
    }

    /// self + share (value - self), the step of a running mean.
    pub fn towards(self, value: Self, share: f64) -> Self {
        self + Self::constant(share) * (value - self)
    }
}

impl From<Near> for Expected {
    fn from(near: Near) -> Self {
        Self { value: near.value, within: near.within }
    }
}

impl Add for Near {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::rounded(self.value + other.value, self.within + other.within)
    }
}

impl Sub for Near {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::rounded(self.value - other.value, self.within + other.within)
    }
}

impl Mul for Near {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let (a, b) = (self.value.abs(), other.value.abs());
        let inherited = a * other.within + b * self.within + self.within * other.within;
        Self::rounded(self.value * other.value, inherited)
    }
}

impl Div for Near {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        let least = other.value.abs() - other.within;
        assert!(least > 0.0, "a quotient that f32 knows nothing of");
        Self::rounded(quotient, (self.within + quotient.abs() * other.within) / least)
    }
}

#[test]
fn errors_are_bounded_and_not_by_much() {
    let (a, b) = (Near::constant(1.0 / 3.0), Near::constant(1.0 / 7.0));
    let [x, y] = [a.value as f32, b.value as f32];
    for (near, got) in [(a + b, x + y), (a - b, x - y), (a * b, x * y), (a / b, x / y)] {
        assert!((near.value - f64::from(got)).abs() <= near.within);
        assert!(near.within < 20.0 * EPS);
    }
    assert!((a.sqrt().value - f64::from(x.sqrt())).abs() <= a.sqrt().within);
    assert!((a - a).sign().within > 0.0 && a.sign().within == 0.0);
}
