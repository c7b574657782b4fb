//! The activations in f64, written from their definitions and without the library's mathematics.
//!
//! A new activation of the library fails here until its formulas are written down.

use wgrad::nn::Activation;

const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// phi(z)
pub fn phi(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Identity => z,
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu(slope) => z.max(0.0) + f64::from(slope) * z.min(0.0),
        Activation::Relu6 => z.clamp(0.0, 6.0),
        Activation::Elu(alpha) => z.max(0.0) + f64::from(alpha) * z.min(0.0).exp_m1(),
        Activation::Selu => SELU_SCALE * (z.max(0.0) + SELU_ALPHA * z.min(0.0).exp_m1()),
        Activation::Celu(alpha) => {
            let alpha = f64::from(alpha);
            z.max(0.0) + alpha * (z.min(0.0) / alpha).exp_m1()
        }
        Activation::Gelu => z * normal(z),
        Activation::GeluTanh => z * logistic(2.0 * gelu_u(z)),
        Activation::Silu => z * logistic(z),
        Activation::Mish => z * mish_gate(z),
        Activation::Softplus(beta) => softplus(f64::from(beta) * z) / f64::from(beta),
        Activation::Softsign => z / (1.0 + z.abs()),
        Activation::Sigmoid => logistic(z),
        Activation::LogSigmoid => -softplus(-z),
        Activation::HardSigmoid => (z + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::HardSwish => z * ((z + 3.0).clamp(0.0, 6.0) / 6.0),
        Activation::Tanh => z.tanh(),
        Activation::HardTanh => z.clamp(-1.0, 1.0),
        Activation::Sine(w0) => (f64::from(w0) * z).sin(),
        Activation::Gaussian => (-z * z).exp(),
        Activation::Exponential => z.exp(),
        other => panic!("a new activation: write the formula of {other} here"),
    }
}

/// phi'(z)
pub fn slope(activation: Activation, z: f64) -> f64 {
    let either = |right, left| if z > 0.0 { right } else { left };
    let inside = |low, high| f64::from(u8::from(low < z && z < high));
    match activation {
        Activation::Identity => 1.0,
        Activation::Relu => inside(0.0, f64::INFINITY),
        Activation::LeakyRelu(slope) => either(1.0, slope.into()),
        Activation::Relu6 => inside(0.0, 6.0),
        Activation::Elu(alpha) => either(1.0, f64::from(alpha) * z.exp()),
        Activation::Selu => either(SELU_SCALE, SELU_SCALE * SELU_ALPHA * z.exp()),
        Activation::Celu(alpha) => either(1.0, (z / f64::from(alpha)).exp()),
        Activation::Gelu => normal(z) + factor(z, normal_density(z)),
        Activation::GeluTanh => {
            let v = 2.0 * gelu_u(z);
            let rise = 2.0 * (2.0 / std::f64::consts::PI).sqrt() * (1.0 + 0.134_145 * z * z);
            logistic(v) * (1.0 + factor(z * rise, logistic(-v)))
        }
        Activation::Silu => logistic(z) * (1.0 + factor(z, logistic(-z))),
        Activation::Mish => {
            let t = mish_gate(z);
            let one_minus = if z > 0.0 { mish_rest(z) } else { 1.0 - t };
            t + factor(z, logistic(z) * one_minus * (1.0 + t))
        }
        Activation::Softplus(beta) => logistic(f64::from(beta) * z),
        Activation::Softsign => (1.0 + z.abs()).powi(-2),
        Activation::Sigmoid => logistic(z) * logistic(-z),
        Activation::LogSigmoid => logistic(-z),
        Activation::HardSigmoid => inside(-3.0, 3.0) / 6.0,
        Activation::HardSwish => {
            if z >= 3.0 {
                1.0
            } else {
                inside(-3.0, 3.0) * (2.0 * z + 3.0) / 6.0
            }
        }
        Activation::Tanh => 4.0 * logistic(2.0 * z) * logistic(-2.0 * z),
        Activation::HardTanh => inside(-1.0, 1.0),
        Activation::Sine(w0) => f64::from(w0) * (f64::from(w0) * z).cos(),
        Activation::Gaussian => -2.0 * factor(z, (-z * z).exp()),
        Activation::Exponential => z.exp(),
        other => panic!("a new activation: write the derivative of {other} here"),
    }
}

/// Where phi' jumps, so that no difference may be taken across.
pub fn kinks(activation: Activation) -> &'static [f64] {
    match activation {
        Activation::Relu
        | Activation::LeakyRelu(_)
        | Activation::Prelu
        | Activation::Selu
        | Activation::Elu(_) => &[0.0],
        Activation::Relu6 => &[0.0, 6.0],
        Activation::HardSigmoid | Activation::HardSwish => &[-3.0, 3.0],
        Activation::HardTanh => &[-1.0, 1.0],
        _ => &[],
    }
}

/// a b, where b = 0 counts more than an infinite a.
fn factor(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a * b }
}

fn logistic(z: f64) -> f64 {
    if z < 0.0 { z.exp() / (1.0 + z.exp()) } else { 1.0 / (1.0 + (-z).exp()) }
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// tanh softplus z = (E^2 + 2E) / (E^2 + 2E + 2) with E = e^z.
fn mish_gate(z: f64) -> f64 {
    let e = z.exp();
    if z > 0.0 { 1.0 - mish_rest(z) } else { e * (e + 2.0) / (e * (e + 2.0) + 2.0) }
}

/// 1 - tanh softplus z for z > 0, in e = e^-z.
fn mish_rest(z: f64) -> f64 {
    let e = (-z).exp();
    2.0 * e * e / (1.0 + 2.0 * e + 2.0 * e * e)
}

fn gelu_u(z: f64) -> f64 {
    (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044_715 * z.powi(3))
}

fn normal_density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// The normal distribution: near 0 by its series at 0, in the tails by its continued fraction.
fn normal(z: f64) -> f64 {
    if z.abs() < 3.0 {
        let (mut term, mut sum) = (z, 0.0);
        for k in 1..200 {
            sum += term;
            term *= z * z / f64::from(2 * k + 1);
        }
        return 0.5 + normal_density(z) * sum;
    }
    let tail = factor(mills(z.abs()), normal_density(z));
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// (1 - Phi(x)) / phi(x) for x >= 3, by Laplace's continued fraction.
fn mills(x: f64) -> f64 {
    1.0 / (1..200).rev().fold(x, |fraction, k| x + f64::from(k) / fraction)
}
