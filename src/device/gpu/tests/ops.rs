//! Every kernel against f64, over shapes at and around the edges of tiles and workgroups.

use super::{Memory, gpu, indices, numbers};
use crate::nn::{Activation, Cache, Loss};
use crate::op::{Axis, BinaryOp, Op, Pick, Reduction, Rows, Shape};
use crate::optim::{Adam, Optimizer, Sgd};

/// Rows and columns: one, primes, and around workgroups of 64.
const SHAPES: [(usize, usize); 7] = [(1, 1), (1, 65), (65, 1), (7, 13), (8, 8), (17, 63), (3, 300)];

/// m, k and n of products, around tiles of 32, 64 and 128 and their depths.
const PRODUCTS: [(usize, usize, usize); 10] = [
    (1, 1, 1),
    (3, 5, 2),
    (31, 7, 33),
    (32, 8, 32),
    (33, 9, 31),
    (64, 16, 65),
    (5, 300, 10),
    (63, 17, 129),
    (257, 3, 2),
    (300, 33, 270),
];

#[test]
fn elementwise_kernels_agree_with_f64() {
    let Some(device) = gpu() else { return };
    for (rows, cols) in SHAPES {
        let mut memory = Memory::default();
        let a = memory.matrix(rows, cols, 1);
        let output = memory.output(rows, cols);
        memory.check(&device, &Op::Fill { value: -1.5, output });
        for op in BinaryOp::ALL {
            memory.check(&device, &Op::Scalar { op, a, scalar: 0.75, output });
            for (b_rows, b_cols) in [(rows, cols), (1, cols), (rows, 1), (1, 1)] {
                let mut memory = Memory::default();
                let a = memory.matrix(rows, cols, 1);
                let values = numbers(b_rows * b_cols, 2).iter().map(|x| x + 2.0).collect();
                let b = memory.input(Shape::new(b_rows, b_cols), values);
                let output = memory.output(rows, cols);
                memory.check(&device, &Op::Binary { op, a, b, output });
            }
        }
        for activation in Activation::ALL {
            memory.check(&device, &Op::Activate { activation, input: a, output });
            memory.check(&device, &Op::Differentiate { activation, input: a, output });
        }
    }
}

#[test]
fn activations_are_accurate_in_their_tails_and_let_nan_through() {
    let Some(device) = gpu() else { return };
    let mut values = vec![0.0, -0.0, 1e-30, -1e-30, 1e-4, 0.29, 0.31, -0.31, 9.0, 20.0, -50.0];
    values.extend([90.0, -90.0, 1e4, -1e4, 1e38, f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
    for activation in Activation::ALL {
        let mut memory = Memory::default();
        let shape = Shape::new(1, values.len());
        let input = memory.input(shape, values.clone());
        let output = memory.output(1, values.len());
        memory.check_to(&device, &Op::Activate { activation, input, output }, 1e-6);
    }
}

#[test]
fn moving_kernels_keep_every_bit() {
    let Some(device) = gpu() else { return };
    for (rows, cols) in SHAPES {
        let mut memory = Memory::default();
        let input = memory.matrix(rows, cols, 1);
        let output = memory.output(cols, rows);
        memory.check_to(&device, &Op::Transpose { input, output }, 0.0);
        let output = memory.output(rows + 4, cols);
        memory.check_to(&device, &Op::Scatter { input, output }, 0.0);
        for way in 0..3 {
            // The whole matrix, and a part in its middle.
            for (first, part) in [(0, rows + 3), (2, 4)] {
                let mut memory = Memory::default();
                let source = memory.matrix(if way == 0 { rows } else { part }, cols, 2);
                let mut picked = memory.pick(way, rows, source, 3);
                if let Pick::Order(order) = picked.pick {
                    let values = indices(order.shape.rows, rows + 3, 4);
                    picked.pick = Pick::Order(memory.input(order.shape, values));
                }
                let output = memory.output(rows, cols);
                let first = if way == 0 { 0 } else { first };
                memory.check_to(&device, &Op::Gather { rows: picked, first, output }, 0.0);
            }
        }
    }
}

#[test]
fn reductions_agree_with_f64() {
    let Some(device) = gpu() else { return };
    let large = [(1, 40_001), (40_001, 2), (300, 301), (3, 8_193)];
    for (rows, cols) in SHAPES.into_iter().chain(large) {
        for axis in Axis::ALL {
            let mut memory = Memory::default();
            // Few different values, so that the largest stands at several places.
            let coarse = |x: f32| (x * 8.0).round() / 8.0;
            let values = numbers(rows * cols, 5).into_iter().map(coarse).collect();
            let input = memory.input(Shape::new(rows, cols), values);
            let shape = axis.reduced(input.shape);
            let output = memory.output(shape.rows, shape.cols);
            for reduction in Reduction::ALL {
                memory.check(&device, &Op::Reduce { reduction, axis, input, output });
            }
        }
    }
}

#[test]
fn softmax_and_mismatch_agree_with_f64() {
    let Some(device) = gpu() else { return };
    for (rows, cols) in SHAPES.into_iter().chain([(2, 20_000)]) {
        let mut memory = Memory::default();
        let values = numbers(rows * cols, 6).iter().map(|x| 50.0 * x).collect();
        let input = memory.input(Shape::new(rows, cols), values);
        let output = memory.output(rows, cols);
        for logarithm in [false, true] {
            memory.check(&device, &Op::Softmax { logarithm, input, output });
        }
        let mut near = memory.buffers[input.buffer][super::GUARD..][..rows * cols].to_vec();
        for (i, x) in near.iter_mut().enumerate() {
            *x = [*x, *x + 1.0, f32::NAN, f32::INFINITY, *x * 1.0001][i % 5];
        }
        let near = memory.input(Shape::new(rows, cols), near);
        let output = memory.output(1, 1);
        let op = Op::Mismatch { a: near, b: input, relative: 0.01, absolute: 0.01, output };
        memory.check_to(&device, &op, 0.0);
    }
}

#[test]
fn products_agree_with_f64() {
    let Some(device) = gpu() else { return };
    for (m, k, n) in PRODUCTS {
        for (transpose_a, transpose_b) in
            [(false, false), (true, false), (false, true), (true, true)]
        {
            let mut memory = Memory::default();
            let a = if transpose_a { memory.matrix(k, m, 1) } else { memory.matrix(m, k, 1) };
            let b = if transpose_b { memory.matrix(n, k, 2) } else { memory.matrix(k, n, 2) };
            let output = memory.output(m, n);
            memory.check(&device, &Op::Matmul { a, b, transpose_a, transpose_b, output });
        }
    }
}

#[test]
fn layers_agree_with_f64() {
    let Some(device) = gpu() else { return };
    for (index, (batch, inputs, outputs)) in PRODUCTS.into_iter().enumerate() {
        for (way, activation) in Activation::ALL.into_iter().enumerate() {
            let way = (index + way) % 3;
            let mut memory = Memory::default();
            let input = memory.rows(way, batch, batch + 5, inputs, 1);
            let weight = memory.matrix(inputs, outputs, 3);
            let bias = memory.behind(weight, numbers(outputs, 4), 1, outputs);
            let output = memory.output(batch, outputs);
            let own = memory.output(batch, outputs);
            let shared = memory.behind(output, numbers(batch * outputs, 5), batch, outputs);
            for (bias, pre) in [(None, None), (Some(bias), Some(own)), (Some(bias), Some(shared))] {
                memory.check(&device, &Op::Dense { input, weight, bias, activation, pre, output });
            }

            let mut memory = Memory::default();
            let delta = memory.matrix(batch, outputs, 1);
            let weight = memory.matrix(inputs, outputs, 2);
            let cached = memory.matrix(batch, inputs, 3);
            let cached = (activation.cache() != Cache::Nothing).then_some(cached);
            let output = memory.output(batch, inputs);
            memory.check(&device, &Op::Backward { delta, weight, activation, cached, output });

            let mut memory = Memory::default();
            let input = memory.rows(way, batch, batch + 5, inputs, 1);
            let delta = memory.matrix(batch, outputs, 2);
            let weight = memory.output(inputs, outputs);
            let sums = memory.behind(weight, numbers(outputs, 6), 1, outputs);
            for bias in [None, Some(sums)] {
                memory.check(&device, &Op::Gradient { input, delta, weight, bias });
            }
        }
    }
}

#[test]
fn losses_agree_with_f64() {
    let Some(device) = gpu() else { return };
    for (rows, cols) in SHAPES.into_iter().chain([(2, 1_000), (130, 10)]) {
        for (way, activation) in Activation::ALL.into_iter().enumerate() {
            for loss in Loss::ALL {
                let mut memory = Memory::default();
                let source = if way % 3 == 0 { rows } else { rows + 4 };
                let shape = Shape::new(source, loss.target_columns(cols));
                let values = match loss.takes_labels() {
                    true => indices(shape.len(), cols, 1),
                    false => numbers(shape.len(), 1),
                };
                let source = memory.input(shape, values);
                let targets = memory.pick(way % 3, rows, source, 2);
                let values = numbers(rows * cols, 3).iter().map(|x| 10.0 * x).collect();
                let output = memory.input(Shape::new(rows, cols), values);
                let cached = memory.matrix(rows, cols, 4);
                let cached = (activation.cache() != Cache::Nothing).then_some(cached);
                let delta = memory.output(rows, cols);
                let own = memory.output(rows, 1);
                let shared = memory.behind(delta, numbers(rows, 5), rows, 1);
                for row_losses in [own, shared] {
                    let scale = 0.125;
                    memory.check(
                        &device,
                        &Op::Loss {
                            loss,
                            activation,
                            scale,
                            output,
                            cached,
                            targets,
                            delta,
                            row_losses,
                        },
                    );
                }
            }
        }
    }
}

#[test]
fn recording_and_updating_agree_with_f64() {
    let Some(device) = gpu() else { return };
    for rows in [1, 5, 64, 65, 1_000, 70_001] {
        let mut memory = Memory::default();
        let row_losses = memory.matrix(rows, 1, 1);
        let losses = memory.output(7, 1);
        memory.check(&device, &Op::Record { scale: 1.0 / rows as f32, row_losses, losses });
    }
    let sgd = Sgd { weight_decay: 0.1, ..Sgd::new(0.01) };
    let optimizers: [Optimizer; 4] = [
        sgd.into(),
        sgd.momentum(0.9).into(),
        sgd.momentum(0.9).nesterov().into(),
        Adam { weight_decay: 0.1, ..Adam::default() }.into(),
    ];
    for optimizer in optimizers {
        for words in [1, 63, 64, 65, 1_000] {
            for shared in 0..3 {
                let mut memory = Memory::default();
                let gradients = memory.matrix(1, words, 1);
                let parameters = memory.matrix(1, words, 2);
                let positive: Vec<f32> = numbers(words, 3).iter().map(|x| x.abs()).collect();
                let own = memory.matrix(1, words, 4);
                let second = match shared {
                    0 => memory.input(Shape::new(1, words), positive),
                    1 => memory.behind(parameters, positive, 1, words),
                    _ => memory.behind(own, positive, 1, words),
                };
                let first = match shared {
                    1 => memory.behind(parameters, numbers(words, 5), 1, words),
                    _ => own,
                };
                let moments = optimizer.moments();
                memory.check(
                    &device,
                    &Op::Update {
                        optimizer,
                        parameters,
                        gradients,
                        first: (moments > 0).then_some(first),
                        second: (moments > 1).then_some(second),
                    },
                );
            }
        }
    }
}

#[test]
fn rows_beyond_the_source_are_clamped_not_read() {
    let Some(device) = gpu() else { return };
    let mut memory = Memory::default();
    let source = memory.matrix(4, 3, 1);
    let order = memory.input(Shape::new(3, 1), [9, u32::MAX, 1].map(f32::from_bits).to_vec());
    let weight = memory.matrix(3, 2, 2);
    let output = memory.output(1, 2);
    let input = Rows { source, pick: Pick::Order(order), count: 1 };
    let op = Op::Dense {
        input,
        weight,
        bias: None,
        activation: Activation::Identity,
        pre: None,
        output,
    };
    let buffers: Vec<_> =
        memory.buffers.iter().map(|words| device.upload(words).unwrap()).collect();
    let list: Vec<_> = buffers.iter().collect();
    device.execute(&op, &list, &Default::default()).unwrap();
    let got: Vec<f32> = buffers[output.buffer].read_range(output.range()).unwrap();
    assert!(got.iter().all(|x| x.is_finite()), "{got:?}");
}
