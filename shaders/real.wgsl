// Elementary functions as in `nn/real/single.rs`: WGSL's own exp may err by more the larger its
// argument is, and its sin and cos promise nothing beyond pi.

const LN2_HIGH: f32 = 0.6933594;
const LN2_LOW: f32 = -2.1219444e-4;
const LOG2_E: f32 = 1.4426950;

// z within the bound of 0. By bits: comparisons may be compiled as if there were no NaN, and a NaN
// is to stay.
fn within(z: f32, bound: f32) -> f32 {
    let bits = bitcast<u32>(z);
    let magnitude = bits & 0x7fffffffu;
    let beyond = magnitude > bitcast<u32>(bound) && magnitude <= 0x7f800000u;
    return select(z, bitcast<f32>(bitcast<u32>(bound) | (bits & 0x80000000u)), beyond);
}

// e^r - 1 for small r.
fn exp_fraction(r: f32) -> f32 {
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    return r + r * r * (0.5 + r * (1.0 / 6.0 + r * tail));
}

// 2^n for an exponent of normal numbers.
fn power(n: i32) -> f32 {
    return bitcast<f32>((n + 127) << 23u);
}

// factor e^(high + low), where `low` is what `high` is too coarse to hold.
fn exp_sum_times(high: f32, low: f32, factor: f32) -> f32 {
    let x = clamp(high, -174.0, 89.0);
    let n = round(x * LOG2_E);
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    // In two halves: 2^n alone may be no normal number.
    let half = i32(n) >> 1u;
    return (1.0 + exp_fraction(r + low)) * factor * power(half) * power(i32(n) - half);
}

fn exp_times(x: f32, factor: f32) -> f32 {
    return exp_sum_times(x, 0.0, factor);
}

// e^x - 1 for x <= 0.
fn exp_m1(x: f32) -> f32 {
    let clamped = max(x, -40.0);
    let n = round(clamped * LOG2_E);
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let scale = power(i32(n));
    return scale * exp_fraction(r) + (scale - 1.0);
}

// ln(1 + x) for 0 <= x <= 1.
fn ln_1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let q = s * s;
    let tail = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)));
    return 2.0 * (s + s * (q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * tail)))));
}

// The first 12 bits of x; x - leading(x) are the others.
fn leading(x: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(x) + 0x800u) & 0xfffff000u);
}

// Mills' ratio (1 - Phi(x)) / phi(x) of the normal distribution for x >= 0.
fn mills(x: f32) -> f32 {
    let t = 1.0 / (x + 4.0);
    let q = (x - 4.0) * t;
    let p7 = 0.0039316104 + q * (0.00042719615 + q * -0.00034244373);
    let p4 = 0.15140729 + q * (-0.01885834 + q * (-0.00879118 + q * p7));
    return t * (1.8932191 + q * (-1.5237707 + q * (0.9704085 + q * (-0.46754584 + q * p4))));
}

// sin(p + quarter pi / 2) for quarter 0 or 1: p less the nearest multiple of pi, which is subtracted
// in three parts (Cody and Waite, 1980), exactly for |p| < 25,000.
fn sine_of(p: f32, quarter: f32) -> f32 {
    // Counted in units of pi from where the sine rises through 0.
    let shift = 0.5 * quarter;
    let n = round(p * 0.31830987 + shift);
    let m = n - shift;
    let reduced = ((p - m * 3.140625) - m * 0.00096750259) - m * 1.5099580e-7;
    // A large p leaves anything.
    let r = within(reduced, 1.5707964);
    let s = r * r;
    let tail = 0.008333331 + s * (-0.00019840889 + s * (2.7526342e-6 + s * -2.3904593e-8));
    let value = r + r * s * (-0.16666667 + s * tail);
    let odd = abs(n * 0.5 - floor(n * 0.5)) > 0.25;
    return select(value, -value, odd);
}
