//! Matmul, Dense, Backward and Gradient.

use wgrad::nn::Activation;
use wgrad::op::{Op, Shape};

use crate::common::Values;
use crate::common::activation::phi;
use crate::common::bench::{Minibatch, Picking, everywhere};
use crate::common::compare::{Expected, exact, rounded};
use crate::reference::{activated, activations, cache, matrix, product, slope_of_cached, times};

/// (m, k, n): around the sizes of tiles and vectors, long sums, many rows.
const SIZES: [[usize; 3]; 18] = [
    [1, 1, 1],
    [1, 7, 1],
    [7, 1, 3],
    [2, 3, 15],
    [15, 16, 17],
    [16, 16, 16],
    [17, 33, 15],
    [31, 64, 33],
    [63, 65, 64],
    [64, 64, 64],
    [65, 17, 63],
    [127, 129, 2],
    [129, 3, 127],
    [64, 1, 129],
    [1, 129, 65],
    [33, 4096, 17],
    [70_000, 3, 2],
    // More terms than some drivers let a loop have.
    [2, 70_000, 3],
];

#[test]
fn matmul() {
    for (seed, [m, k, n]) in SIZES.into_iter().enumerate() {
        for (transpose_a, transpose_b) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let mut values = Values::new(seed as u64);
            let (a_values, b_values) = (values.within(1.0, m * k), values.within(1.0, k * n));
            let shape = |rows, cols, transposed| {
                if transposed { Shape::new(cols, rows) } else { Shape::new(rows, cols) }
            };
            let (a_shape, b_shape) = (shape(m, k, transpose_a), shape(k, n, transpose_b));
            let rows = matrix(&a_values, a_shape.cols, transpose_a);
            let columns = matrix(&b_values, b_shape.cols, !transpose_b);
            let expected = product(&rows, &columns);
            let context = format!("matmul {a_shape} {transpose_a} . {b_shape} {transpose_b}");
            everywhere(&context, |bench| {
                let a = bench.values(a_shape, &a_values);
                let b = bench.values(b_shape, &b_values);
                let output = bench.output(Shape::new(m, n));
                bench.expect(output, &expected);
                Op::Matmul { a, b, transpose_a, transpose_b, output }
            });
        }
    }
}

#[test]
fn dense() {
    for (i, [batch, inputs, outputs]) in SIZES.into_iter().enumerate() {
        // Over the sizes, every activation meets every picking, with and without bias and `pre`; the
        // large products, which are slow on a software GPU, meet one activation.
        let most = if batch * inputs * outputs > 400_000 { 1 } else { Activation::ALL.len() };
        for (j, activation) in activations(i).into_iter().enumerate().rev().take(most) {
            let picking = Picking::ALL[(i + j) % 3];
            let (with_bias, with_pre) = ((i + j) % 2 == 0, (i / 2 + j) % 2 == 0);
            dense_case([batch, inputs, outputs], activation, picking, with_bias, with_pre);
        }
    }
}

/// phi is continuous and nowhere steeper than this.
const STEEPEST: f64 = 1.5;

fn dense_case(
    [batch, inputs, outputs]: [usize; 3],
    activation: Activation,
    picking: Picking,
    with_bias: bool,
    with_pre: bool,
) {
    let rows = Minibatch::new(picking, batch);
    let mut values = Values::new((batch * inputs + outputs) as u64);
    let x = values.within(1.0, rows.source_rows * inputs);
    // Small enough that the sums lie where the activations bend.
    let w = values.within(3.0 / (inputs as f32).sqrt(), inputs * outputs);
    let b = values.within(1.0, outputs);
    let source = matrix(&x, inputs, false);
    let picked: Vec<Vec<f64>> = rows.rows.iter().map(|&row| source[row].clone()).collect();
    let mut sums = product(&picked, &matrix(&w, outputs, true));
    if with_bias {
        for (i, sum) in sums.iter_mut().enumerate() {
            let b = f64::from(b[i % outputs]);
            *sum = Expected {
                value: sum.value + b,
                within: sum.within + rounded(0.0, 1.0, sum.value.abs() + b.abs()).within,
            };
        }
    }
    let through = |sum: &Expected| {
        let y = activated(activation, sum.value);
        Expected { within: y.within + STEEPEST * sum.within, ..y }
    };
    let expected: Vec<Expected> = sums.iter().map(through).collect();
    let context = format!(
        "dense {activation} ({batch}, {inputs}) to {outputs}, {picking:?}, bias {with_bias}, \
         pre {with_pre}"
    );
    everywhere(&context, |bench| {
        let source = bench.values(Shape::new(rows.source_rows, inputs), &x);
        let weight = bench.values(Shape::new(inputs, outputs), &w);
        let bias = with_bias.then(|| bench.values(Shape::new(1, outputs), &b));
        let input = rows.place(bench, source);
        let result = Shape::new(batch, outputs);
        let pre = with_pre.then(|| bench.output(result));
        if let Some(pre) = pre {
            bench.expect(pre, &sums);
        }
        let output = bench.output(result);
        bench.expect(output, &expected);
        Op::Dense { input, weight, bias, activation, pre, output }
    });
}

#[test]
fn backward() {
    for (i, [batch, outputs, inputs]) in SIZES.into_iter().enumerate() {
        for activation in activations(i) {
            let mut values = Values::new((batch + 3 * outputs + inputs) as u64);
            let d = values.within(1.0, batch * outputs);
            let w = values.within(1.0, inputs * outputs);
            let kept = cache(activation, &values.within(2.0, batch * inputs));
            let sums = product(&matrix(&d, outputs, false), &matrix(&w, outputs, false));
            let chained =
                |(sum, &c): (&Expected, &f32)| times(*sum, slope_of_cached(activation, c));
            let expected: Vec<Expected> = sums.iter().zip(&kept).map(chained).collect();
            let context = format!("backward {activation} ({batch}, {outputs}) to {inputs}");
            // Where phi' is constant there may be a cache or not.
            let without = activation.cache() == wgrad::nn::Cache::Nothing;
            for with_cache in if without { vec![false, true] } else { vec![true] } {
                everywhere(&context, |bench| {
                    let delta = bench.values(Shape::new(batch, outputs), &d);
                    let weight = bench.values(Shape::new(inputs, outputs), &w);
                    let shape = Shape::new(batch, inputs);
                    let cached = with_cache.then(|| bench.values(shape, &kept));
                    let output = bench.output(shape);
                    bench.expect(output, &expected);
                    Op::Backward { delta, weight, activation, cached, output }
                });
            }
        }
    }
}

#[test]
fn gradient() {
    for (i, [inputs, batch, outputs]) in SIZES.into_iter().enumerate() {
        for picking in Picking::ALL {
            let with_bias = i % 4 != 3;
            let rows = Minibatch::new(picking, batch);
            let mut values = Values::new((batch + 3 * outputs + inputs) as u64);
            let x = values.within(1.0, rows.source_rows * inputs);
            let d = values.within(1.0, batch * outputs);
            let source = matrix(&x, inputs, true);
            let picked: Vec<Vec<f64>> =
                source.iter().map(|x| rows.rows.iter().map(|&row| x[row]).collect()).collect();
            let deltas = matrix(&d, outputs, true);
            // Some cases add to what is there.
            let accumulate = (i + rows.source_rows).is_multiple_of(3);
            let old = Values::new(i as u64).within(1.0, inputs * outputs + outputs);
            let (old_weight, old_bias) = old.split_at(inputs * outputs);
            let added = |sums: Vec<Expected>, old: &[f32]| -> Vec<Expected> {
                let add = |(sum, &old): (&Expected, &f32)| {
                    let value = sum.value + f64::from(old);
                    Expected { within: sum.within + rounded(value, 1.0, value).within, value }
                };
                if accumulate { sums.iter().zip(old).map(add).collect() } else { sums }
            };
            let weights = added(product(&picked, &deltas), old_weight);
            let biases = added(product(&[vec![1.0; batch]], &deltas), old_bias);
            let context = format!(
                "gradient ({batch}, {inputs}) {picking:?} to {outputs}, bias {with_bias}, \
                 accumulate {accumulate}"
            );
            everywhere(&context, |bench| {
                let source = bench.values(Shape::new(rows.source_rows, inputs), &x);
                let delta = bench.values(Shape::new(batch, outputs), &d);
                let input = rows.place(bench, source);
                let shape = Shape::new(inputs, outputs);
                let weight =
                    if accumulate { bench.values(shape, old_weight) } else { bench.output(shape) };
                bench.expect(weight, &weights);
                let old_bias = accumulate.then_some(old_bias);
                let bias =
                    with_bias.then(|| bench.beside(weight, Shape::new(1, outputs), old_bias));
                if let Some(bias) = bias {
                    bench.expect(bias, &biases);
                }
                Op::Gradient { accumulate, input, delta, weight, bias }
            });
        }
    }
}

/// The references themselves, on numbers that can be checked by hand.
#[test]
fn references() {
    let got = product(&matrix(&[1.0, 2.0], 2, false), &matrix(&[3.0, 4.0, 5.0, 6.0], 2, true));
    let values: Vec<f64> = got.iter().map(|cell| cell.value).collect();
    assert_eq!(values, [13.0, 16.0]);
    assert_eq!(phi(Activation::Sigmoid, 0.0), exact(0.5).value);
}
