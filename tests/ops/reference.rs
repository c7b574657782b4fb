//! The formulas in f64, and how much rounding they suffer in f32.
//!
//! Those of the activations are in `common::activation`. A new loss or optimizer of the library fails here until its formula is written down.

use wgrad::nn::{Activation, Cache};

use crate::common::activation::{phi, slope};
use crate::common::compare::{Expected, exact, rounded};

/// The activations for a case of a number: those that kernels of products apply themselves, and of
/// the others every third, so that all are met over the cases.
pub fn activations(case: usize) -> Vec<Activation> {
    let chosen = |&(i, _): &(usize, Activation)| i < 4 || (i + case).is_multiple_of(3);
    Activation::ALL.into_iter().enumerate().filter(chosen).map(|(_, phi)| phi).collect()
}

/// Whether f32 gives phi and phi' without any rounding.
fn is_exact(activation: Activation) -> bool {
    matches!(activation, Activation::Identity | Activation::Relu)
}

/// Beyond this w0 z a GPU has no period of a sine left.
const SINE_END: f64 = 25_000.0;

/// phi(z) in f32. An exponential may err by a few roundings of its argument, hence z phi'(z).
pub fn activated(activation: Activation, z: f64) -> Expected {
    let y = phi(activation, z);
    let magnitude = 2.0 * y.abs() + (z * slope(activation, z)).abs();
    expected(activation, z, y, magnitude)
}

/// phi'(z) in f32, which may be computed from phi(z), whose own roundings then remain.
pub fn differentiated(activation: Activation, z: f64) -> Expected {
    let d = slope(activation, z);
    let magnitude = 2.0 * (d.abs() + phi(activation, z).abs()) + (z * d).abs();
    expected(activation, z, d, magnitude)
}

fn expected(activation: Activation, z: f64, value: f64, magnitude: f64) -> Expected {
    match activation {
        Activation::Sine(w0) if (f64::from(w0) * z).abs() > SINE_END => {
            Expected { value: 0.0, within: f64::from(w0).max(1.0) }
        }
        _ if value.abs() > f32::MAX.into() => exact(f64::INFINITY.copysign(value)),
        _ => rounded(value, if is_exact(activation) { 0.0 } else { 4.0 }, magnitude),
    }
}

/// What forward keeps for phi' of each of `zs`, rounded to f32: z or phi(z).
pub fn cache(activation: Activation, zs: &[f32]) -> Vec<f32> {
    let keep = |&z: &f32| match activation.cache() {
        Cache::Nothing | Cache::Input => z,
        Cache::Output => phi(activation, f64::from(z)) as f32,
    };
    zs.iter().map(keep).collect()
}

/// phi' from what forward kept, and its roundings.
pub fn slope_of_cached(activation: Activation, cached: f32) -> Expected {
    let c = f64::from(cached);
    match (activation.cache(), activation) {
        (Cache::Nothing, _) => rounded(1.0, 0.0, 0.0),
        (Cache::Input, _) => differentiated(activation, c),
        // Straight lines: from y as from z, but at the edge, which z may be beyond.
        (
            _,
            Activation::Relu | Activation::LeakyRelu(_) | Activation::Relu6 | Activation::HardTanh,
        ) => exact(slope(activation, c) as f32),
        (_, Activation::Exponential) => exact(cached),
        (_, Activation::Tanh) => rounded(1.0 - c * c, 2.0, 1.0),
        (_, Activation::Sigmoid) => rounded(c * (1.0 - c), 2.0, c),
        (_, other) => panic!("no reference for {other}"),
    }
}

/// A product of a number that errs and a factor that errs, rounded.
pub fn times(a: Expected, b: Expected) -> Expected {
    let value = a.value * b.value;
    let errors = a.within * b.value.abs() + b.within * a.value.abs() + a.within * b.within;
    Expected { within: errors + rounded(value, 1.0, value).within, value }
}

/// A matrix as rows of f64, or its transpose.
pub fn matrix(values: &[f32], cols: usize, transpose: bool) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> =
        values.chunks(cols).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect();
    if !transpose {
        return rows;
    }
    (0..cols).map(|j| rows.iter().map(|row| row[j]).collect()).collect()
}

/// A . B with f32's roundings, row-major, from A's rows and B's columns.
pub fn product(a_rows: &[Vec<f64>], b_columns: &[Vec<f64>]) -> Vec<Expected> {
    let cells = a_rows.iter().flat_map(|a| b_columns.iter().map(move |b| dot(a, b)));
    cells.collect()
}

/// sum a b. Each of k products and additions rounds; with values of random sign the partial sums
/// stay small, so that a few roundings of sum |a||b| bound the error of any order of summation.
fn dot(a: &[f64], b: &[f64]) -> Expected {
    let terms = a.iter().zip(b).map(|(a, b)| a * b);
    let (value, magnitude) = terms.fold((0.0, 0.0), |(s, m), x| (s + x, m + x.abs()));
    rounded(value, 4.0, magnitude)
}
