//! Elementary functions in f32 without branches, so that loops over them become vector code.

const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// 1.5 x 2^23: adding it rounds to an integer that stands in the low bits.
const ROUND: f32 = 12_582_912.0;

/// x = n ln 2 + r with |r| <= ln 2 / 2, where n ln 2 is subtracted in two parts (Cody and Waite,
/// 1980); n is given with [`ROUND`] added.
#[inline(always)]
fn reduce(x: f32) -> (f32, f32) {
    // Outside of this range e^x is 0 or infinite, and n would leave the exponent.
    let clamped = if x > 89.0 { 89.0 } else { x };
    let clamped = if clamped < -174.0 { -174.0 } else { clamped };
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    ((clamped - n * LN2_HIGH) - n * LN2_LOW, shifted)
}

/// e^r - 1 near 0: its Taylor polynomial of degree 7, whose remainder r^8/8! is below half a unit in
/// the last place of 1.
#[inline(always)]
fn fraction(r: f32) -> f32 {
    let tail =
        1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0))));
    r + r * r * (0.5 + r * tail)
}

/// n, from what [`reduce`] gives.
#[inline(always)]
fn exponent(shifted: f32) -> i32 {
    shifted.to_bits() as i32 - ROUND.to_bits() as i32
}

/// 2^n for an exponent of normal numbers.
#[inline(always)]
fn power(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// p 2^n, multiplied on in two halves, so that results down to the smallest denormal and up to the
/// largest number are reached.
#[inline(always)]
fn scaled(p: f32, shifted: f32) -> f32 {
    let n = exponent(shifted);
    let half = n >> 1;
    p * power(half) * power(n - half)
}

/// e^x
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let (r, n) = reduce(x);
    scaled(1.0 + fraction(r), n)
}

/// factor e^x
#[inline(always)]
pub(super) fn exp_times(x: f32, factor: f32) -> f32 {
    let (r, n) = reduce(x);
    scaled((1.0 + fraction(r)) * factor, n)
}

/// factor e^(high + low)
#[inline(always)]
pub(super) fn exp_sum_times(high: f32, low: f32, factor: f32) -> f32 {
    let (r, n) = reduce(high);
    scaled((1.0 + fraction(r + low)) * factor, n)
}

/// e^x - 1 = 2^n (e^r - 1) + (2^n - 1): near 0 there is nothing to cancel.
#[inline(always)]
pub(super) fn exp_m1(x: f32) -> f32 {
    // Beyond, -1 is lost or 1 is all.
    let large = exp(x);
    let (r, shifted) = reduce(if x < -40.0 { -40.0 } else { x });
    let n = exponent(shifted);
    let scale = power(if n > 126 { 126 } else { n });
    let small = scale * fraction(r) + (scale - 1.0);
    if x > 40.0 { large } else { small }
}

/// ln(1 + x) = 2 artanh s with s = x / (2 + x), for 0 <= x <= 1: the series of artanh to s^15, whose
/// remainder is below 2e-9 where s is at most 1/3.
#[inline(always)]
pub(super) fn ln_1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let q = s * s;
    let tail = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)));
    let series = q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * tail)));
    2.0 * (s + s * series)
}

/// (high, low) with x = high + low, where both have 12 bits, so that products of them are exact.
#[inline(always)]
pub(super) fn split(x: f32) -> (f32, f32) {
    let high = f32::from_bits(x.to_bits().wrapping_add(0x800) & 0xffff_f000);
    (high, x - high)
}

/// Mills' ratio (1 - Phi(x)) / phi(x) of the normal distribution for x >= 0: a polynomial in
/// (x - 4) / (x + 4) over x + 4, fitted over 0 <= x <= 15 with a relative error of 1e-8.
#[inline(always)]
pub(super) fn mills(x: f32) -> f32 {
    const P: [f32; 10] = [
        1.893_219_1,
        -1.523_770_7,
        0.970_408_5,
        -0.467_545_84,
        0.151_407_29,
        -0.018_858_34,
        -0.008_791_18,
        0.003_931_610_4,
        0.000_427_196_15,
        -0.000_342_443_73,
    ];
    let t = 1.0 / (x + 4.0);
    let q = (x - 4.0) * t;
    let p = P[5] + q * (P[6] + q * (P[7] + q * (P[8] + q * P[9])));
    t * (P[0] + q * (P[1] + q * (P[2] + q * (P[3] + q * (P[4] + q * p)))))
}

/// tanh in f32 without a branch: (1 - t) / (1 + t) with t = e^-2|x| = 2^n + 2^n (e^r - 1). Near 0, where 1 - t
/// cancels, 1 - 2^n is exact; far from there it is rounded, and 1 - t better at once.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    // Beyond, tanh is 1.
    let magnitude = if magnitude > 20.0 { 20.0 } else { magnitude };
    let (r, shifted) = reduce(-2.0 * magnitude);
    let scale = power(exponent(shifted));
    let rest = scale * fraction(r);
    let far = 1.0 - (scale + rest);
    let difference = if scale > 1e-3 { (1.0 - scale) - rest } else { far };
    (difference / ((1.0 + scale) + rest)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::{exp, exp_m1, exp_sum_times, ln_1p, mills, tanh};

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

    /// The largest error of a function over numbers of every magnitude between two bounds.
    fn worst(
        [from, to]: [f64; 2],
        function: impl Fn(f32) -> f32,
        truth: impl Fn(f64) -> f64,
    ) -> f64 {
        let point = |i: i32| (from * (to / from).powf(f64::from(i) / 200_000.0)) as f32;
        let error = |i| ulps(function(point(i)), truth(f64::from(point(i))));
        (0..=200_000).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn exp_m1_is_accurate_on_both_sides() {
        let negative = worst([1e-30, 100.0], |x| exp_m1(-x), |x| (-x).exp_m1());
        let positive = worst([1e-30, 88.7], exp_m1, f64::exp_m1);
        assert!(negative <= 2.0 && positive <= 2.0, "{negative} and {positive} ulp");
        assert_eq!(exp_m1(f32::NEG_INFINITY), -1.0);
        assert_eq!(exp_m1(f32::INFINITY), f32::INFINITY);
        assert!(exp_m1(f32::NAN).is_nan());
    }

    #[test]
    fn ln_1p_is_accurate_from_0_to_1() {
        let error = worst([1e-37, 1.0], ln_1p, f64::ln_1p);
        assert!(error <= 2.0, "{error} ulp");
        assert_eq!(ln_1p(0.0), 0.0);
    }

    #[test]
    fn mills_is_accurate() {
        let error = worst([1e-30, 15.0], mills, super::super::double::mills);
        assert!(error <= 5.0, "{error} ulp");
    }

    #[test]
    fn a_sum_in_the_exponent_keeps_what_a_rounded_sum_loses() {
        let truth = (-80.0 + 1e-6f64).exp() * 3.0;
        assert!(ulps(exp_sum_times(-80.0, 1e-6, 3.0), truth) <= 2.0);
        // e^-100 alone is not a normal number.
        assert!(ulps(exp_sum_times(-100.0, 0.0, 1e10), (-100f64).exp() * 1e10) <= 2.0);
    }
}
