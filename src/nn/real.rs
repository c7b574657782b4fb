//! The arithmetic that formulas are written in: f32 as devices compute, f64 as proofs need.

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
    /// e^x
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
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

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }
    fn exp(self) -> Self {
        self.exp()
    }
    fn ln(self) -> Self {
        self.ln()
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
    fn exp(self) -> Self {
        exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.ln()
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        tanh(self)
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

/// e^x in f32 without a branch, so that loops over it become vector code.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, where n ln 2 is subtracted in two parts (Cody and Waite,
/// 1980); e^r is its Taylor polynomial of degree 7, whose remainder r^8/8! is below half a unit in
/// the last place. 2^n is multiplied on in two halves, so that results down to the smallest
/// denormal and up to the largest number are reached.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    /// 1.5 x 2^23: adding it rounds to an integer that stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // Outside this range the result is 0 or infinite anyway, and n would leave the exponent.
    let clamped = if x > 89.0 { 89.0 } else { x };
    let clamped = if clamped < -104.0 { -104.0 } else { clamped };
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r / 5040.0)));
    let p = 1.0 + (r + r * r * (0.5 + r * tail));
    let n = shifted.to_bits() as i32 - ROUND.to_bits() as i32;
    let half = n >> 1;
    let scale = |n: i32| f32::from_bits(((n + 127) << 23) as u32);
    p * scale(half) * scale(n - half)
}

/// tanh in f32 without a branch: (1 - e^-2|x|) / (1 + e^-2|x|) away from zero, and near zero, where
/// that cancels, an odd Taylor polynomial.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let e = exp(-2.0 * magnitude);
    let far = (1.0 - e) / (1.0 + e);
    let s = x * x;
    let near = magnitude
        * (1.0
            + s * (-1.0 / 3.0
                + s * (2.0 / 15.0
                    + s * (-17.0 / 315.0
                        + s * (62.0 / 2835.0
                            + s * (-1382.0 / 155_925.0 + s * (21844.0 / 6_081_075.0)))))));
    // At 0.3 the polynomial's remainder and the quotient's cancellation are both below two units.
    let value = if magnitude < 0.3 { near } else { far };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::{exp, tanh};

    /// The distance in units in the last place of the f32 next to the true value.
    fn ulps(got: f32, truth: f64) -> f64 {
        let nearest = truth as f32;
        let unit =
            f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
        (f64::from(got) - truth).abs() / unit
    }

    #[test]
    fn exp_is_accurate_from_underflow_to_overflow() {
        let mut worst = 0.0f64;
        for i in 0..400_000 {
            let x = -103.5 + i as f32 * (192.0 / 400_000.0);
            let truth = f64::from(x).exp();
            if truth < f64::from(f32::MAX) {
                worst = worst.max(ulps(exp(x), truth));
            }
        }
        assert!(worst <= 1.5, "worst error {worst} ulp");
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(200.0), f32::INFINITY);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn tanh_is_accurate_over_every_exponent() {
        let mut worst = 0.0f64;
        for exponent in -140..6 {
            for mantissa in 0..2_000 {
                let x = (1.0 + f64::from(mantissa) / 2_000.0) * 2f64.powi(exponent);
                let x = x as f32;
                worst = worst.max(ulps(tanh(x), f64::from(x).tanh()));
                assert_eq!(tanh(-x), -tanh(x));
            }
        }
        assert!(worst <= 3.0, "worst error {worst} ulp");
        assert_eq!(tanh(f32::INFINITY), 1.0);
        assert!(tanh(f32::NAN).is_nan());
    }
}
