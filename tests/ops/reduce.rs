//! Reduce and Softmax.

use wgrad::op::{Axis, Op, Reduction, Shape};

use crate::common::Values;
use crate::common::bench::everywhere;
use crate::common::compare::{EPS, Expected, exact, rounded};

const SIZES: [[usize; 2]; 12] = [
    [1, 1],
    [1, 7],
    [3, 1],
    [2, 15],
    [17, 16],
    [31, 33],
    [63, 65],
    [64, 64],
    [129, 127],
    [3, 4096],
    [2, 70_000],
    [70_000, 3],
];

/// What is left of some elements. Sums of random signs suffer a few roundings of sum |x| in any
/// order; a sum of squares grows all the while, so that each addition may round anew.
fn reduced(reduction: Reduction, x: &[f64]) -> Expected {
    let n = x.len() as f64;
    let sum: f64 = x.iter().sum();
    let magnitude: f64 = x.iter().map(|x| x.abs()).sum();
    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    match reduction {
        Reduction::Sum => rounded(sum, 4.0, magnitude),
        Reduction::Mean => rounded(sum / n, 4.0, magnitude / n),
        Reduction::Max => exact(x.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        Reduction::Min => exact(x.iter().copied().fold(f64::INFINITY, f64::min)),
        Reduction::Argmax => {
            let first = (0..x.len()).reduce(|best, i| if x[i] > x[best] { i } else { best });
            exact(first.unwrap() as f64)
        }
        Reduction::Norm => rounded(norm, 4.0 + n.sqrt(), norm),
    }
}

#[test]
fn reduce() {
    for (seed, [rows, cols]) in SIZES.into_iter().enumerate() {
        let shape = Shape::new(rows, cols);
        let random = Values::new(seed as u64).within(1.0, shape.len());
        for reduction in Reduction::ALL {
            // Few different values for argmax, so that the first of several equal ones counts.
            let x: Vec<f32> = match reduction {
                Reduction::Argmax => random.iter().map(|x| (4.0 * x).round()).collect(),
                _ => random.clone(),
            };
            for axis in Axis::ALL {
                let at = |i: usize, j: usize| f64::from(x[i * cols + j]);
                let groups: Vec<Vec<f64>> = match axis {
                    Axis::Rows => {
                        (0..rows).map(|i| (0..cols).map(|j| at(i, j)).collect()).collect()
                    }
                    Axis::Columns => {
                        (0..cols).map(|j| (0..rows).map(|i| at(i, j)).collect()).collect()
                    }
                    Axis::All => vec![x.iter().map(|&x| f64::from(x)).collect()],
                };
                let expected: Vec<Expected> =
                    groups.iter().map(|group| reduced(reduction, group)).collect();
                everywhere(&format!("{reduction:?} of {shape} by {axis:?}"), |bench| {
                    let input = bench.values(shape, &x);
                    let output = bench.output(axis.reduced(shape));
                    bench.expect(output, &expected);
                    Op::Reduce { reduction, axis, input, output }
                });
            }
        }
    }
}

/// Each extreme must be found wherever it lies, and infinities are numbers too.
#[test]
fn extremes() {
    let shape = Shape::new(5, 33);
    for place in [0, 1, 31, 32, 33, 100, 163, 164] {
        for (reduction, extreme) in [(Reduction::Max, 2.0), (Reduction::Max, f32::INFINITY)]
            .into_iter()
            .chain([(Reduction::Min, -2.0), (Reduction::Min, f32::NEG_INFINITY)])
            .chain([(Reduction::Argmax, 2.0), (Reduction::Argmax, f32::INFINITY)])
        {
            let mut x = Values::new(place as u64).within(1.0, shape.len());
            x[place] = extreme;
            let expected = match reduction {
                Reduction::Argmax => exact(place as f64),
                _ => exact(extreme),
            };
            everywhere(&format!("{reduction:?} of {extreme} at {place}"), |bench| {
                let input = bench.values(shape, &x);
                let output = bench.output(Shape::new(1, 1));
                bench.expect(output, vec![expected]);
                Op::Reduce { reduction, axis: Axis::All, input, output }
            });
        }
    }
}

/// One row's softmax or its logarithm. An exponential may err by some roundings of its argument.
fn softmax(logarithm: bool, row: &[f64]) -> Vec<Expected> {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = row.iter().map(|x| (x - largest).exp()).sum();
    let total = largest + sum.ln();
    let roundings = 8.0 + (row.len() as f64).sqrt();
    let of = |&x: &f64| {
        if logarithm {
            let base = rounded(x - total, 2.0, x.abs() + largest.abs() + total.abs());
            return Expected { within: base.within + roundings * EPS, ..base };
        }
        let p = (x - total).exp();
        rounded(p, roundings + 2.0 * (largest - x), p)
    };
    row.iter().map(of).collect()
}

#[test]
fn softmax_and_its_logarithm() {
    for (seed, [rows, cols]) in SIZES.into_iter().enumerate() {
        // The second range overflows an exponential from which the maximum is not subtracted.
        for bound in [4.0, 3000.0] {
            let shape = Shape::new(rows, cols);
            let x = Values::new(seed as u64).within(bound, shape.len());
            for logarithm in [false, true] {
                let as_f64 = |row: &[f32]| row.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
                let expected: Vec<Expected> =
                    x.chunks(cols).flat_map(|row| softmax(logarithm, &as_f64(row))).collect();
                let context = format!("softmax {shape} within {bound}, logarithm {logarithm}");
                everywhere(&context, |bench| {
                    let (input, output) = (bench.values(shape, &x), bench.output(shape));
                    bench.expect(output, &expected);
                    Op::Softmax { logarithm, input, output }
                });
            }
        }
    }
}
