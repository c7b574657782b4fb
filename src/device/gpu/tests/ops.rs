//! Every kernel against f64, over shapes at and around the edges of tiles and workgroups.

use super::{Memory, gpu, gpus, indices, numbers};
use crate::device::Device;
use crate::nn::{Activation, Cache, Domain, Loss, TargetKind};
use crate::op::{Axis, BinaryOp, Op, Pick, Reduction, Rows, Shape, StepArgs, View};
use crate::optim::{Adam, Optimizer, Sgd};

/// Rows and columns: one, primes, and around workgroups of 64.
const SHAPES: [(usize, usize); 6] = [(1, 1), (1, 65), (65, 1), (7, 13), (8, 8), (3, 300)];

/// m, k and n of products, around tiles of 32, 64 and 128 and their depths; with and without
/// multiples of 4, which are loaded in vectors; the last ones large enough for the largest tiles.
const PRODUCTS: [(usize, usize, usize); 11] = [
    (1, 1, 1),
    (3, 5, 2),
    (31, 7, 33),
    (32, 8, 32),
    (33, 9, 31),
    (64, 16, 65),
    (4, 300, 12),
    (63, 17, 129),
    (257, 3, 2),
    (300, 60, 268),
    (1_025, 5, 1_030),
];

/// A batch, inputs and outputs of layers.
const LAYERS: [(usize, usize, usize); 7] =
    [(1, 1, 1), (3, 5, 2), (32, 8, 32), (33, 9, 31), (8, 300, 12), (63, 17, 129), (130, 100, 100)];

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
    }
}

#[test]
fn activations_are_accurate_in_their_tails_and_let_nan_through() {
    let Some(device) = gpu() else { return };
    let mut values = vec![0.0, -0.0, 1e-30, -1e-30, 1e-4, 0.29, 0.31, -0.31, 9.0, 20.0, -50.0];
    values.extend([
        88.0,
        -90.0,
        1e4,
        -1e4,
        1e38,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        -f32::NAN,
    ]);
    values.extend(numbers(100, 1).iter().map(|x| 5.0 * x));
    for activation in Activation::ALL {
        let mut memory = Memory::default();
        let mut values = values.clone();
        if let Activation::Sine(_) = activation {
            // Beyond there is no period left in f32.
            values.retain(|x| !(x.abs() > 25_000.0));
        }
        let input = memory.input(Shape::new(1, values.len()), values.clone());
        let output = memory.output(1, values.len());
        memory.check_to(&device, &Op::Activate { activation, input, output }, 1e-6);
        let mut memory = Memory::default();
        let input = memory.matrix(7, 11, 2);
        let output = memory.output(7, 11);
        memory.check(&device, &Op::Differentiate { activation, input, output });
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
        // The whole matrix, and a part in its middle.
        for (first, part) in [(0, rows + 3), (2, 4)] {
            for way in 0..3 {
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
    let large = [(1, 40_001), (10_001, 2), (130, 301), (3, 8_193)];
    for device in gpus() {
        for (rows, cols) in SHAPES.into_iter().chain(large) {
            let mut memory = Memory::default();
            // Few different values, so that the largest stands at several places.
            let coarse = |x: f32| (x * 8.0).round() / 8.0;
            let values = numbers(rows * cols, 5).into_iter().map(coarse).collect();
            let input = memory.input(Shape::new(rows, cols), values);
            for axis in Axis::ALL {
                let shape = axis.reduced(input.shape);
                let output = memory.output(shape.rows, shape.cols);
                for reduction in Reduction::ALL {
                    memory.check(&device, &Op::Reduce { reduction, axis, input, output });
                }
            }
        }
    }
}

#[test]
fn softmax_and_mismatch_agree_with_f64() {
    for device in gpus() {
        for (rows, cols) in SHAPES.into_iter().chain([(2, 20_000)]) {
            let mut memory = Memory::default();
            let values = numbers(rows * cols, 6).iter().map(|x| 50.0 * x).collect();
            let input = memory.input(Shape::new(rows, cols), values);
            let output = memory.output(rows, cols);
            for logarithm in [false, true] {
                memory.check(&device, &Op::Softmax { logarithm, input, output });
            }
            let mut near = memory.buffers[input.buffer][input.range()].to_vec();
            for (i, x) in near.iter_mut().enumerate() {
                *x = [*x, *x + 1.0, f32::NAN, f32::INFINITY, *x * 1.0001][i % 5];
            }
            let near = memory.input(Shape::new(rows, cols), near);
            let output = memory.output(1, 1);
            let op = Op::Mismatch { a: near, b: input, relative: 0.01, absolute: 0.01, output };
            memory.check_to(&device, &op, 0.0);
        }
    }
}

#[test]
fn products_agree_with_f64() {
    for device in gpus() {
        for (index, (m, k, n)) in PRODUCTS.into_iter().enumerate() {
            let mut memory = Memory::default();
            // Two of the four forms, which alternate.
            for transpose_a in [false, true] {
                let transpose_b = transpose_a == (index % 2 == 0);
                let a = if transpose_a { memory.matrix(k, m, 1) } else { memory.matrix(m, k, 1) };
                let b = if transpose_b { memory.matrix(n, k, 2) } else { memory.matrix(k, n, 2) };
                let output = memory.output(m, n);
                memory.check(&device, &Op::Matmul { a, b, transpose_a, transpose_b, output });
            }
        }
        // Every form with operands at multiples of 4 words, and not.
        for (offset, k) in [(0, 20), (1, 20), (0, 21)] {
            for (transpose_a, transpose_b) in
                [(false, false), (false, true), (true, false), (true, true)]
            {
                let mut memory = Memory { buffers: vec![numbers(4_000, 1), numbers(4_000, 2)] };
                let shape = |swap, shape: Shape| if swap { shape.transposed() } else { shape };
                let view = |buffer, shape| View::new(buffer, shape).at(offset);
                let a = view(0, shape(transpose_a, Shape::new(44, k)));
                let b = view(1, shape(transpose_b, Shape::new(k, 36)));
                let output = memory.output(44, 36);
                memory.check(&device, &Op::Matmul { a, b, transpose_a, transpose_b, output });
            }
        }
    }
}

#[test]
fn layers_agree_with_f64() {
    for device in gpus() {
        for (index, shape) in LAYERS.into_iter().enumerate() {
            check_layer(&device, index, Activation::ALL[index % Activation::ALL.len()], shape);
        }
        for (index, activation) in Activation::ALL.into_iter().enumerate() {
            check_layer(&device, index, activation, (10, 12, 14));
        }
    }
}

fn check_layer(
    device: &Device,
    way: usize,
    activation: Activation,
    (batch, inputs, outputs): (usize, usize, usize),
) {
    let mut memory = Memory::default();
    let input = memory.rows(way % 3, batch, batch + 5, inputs, 1);
    let weight = memory.matrix(inputs, outputs, 3);
    let bias = memory.behind(weight, numbers(outputs, 4), 1, outputs);
    let output = memory.output(batch, outputs);
    let own = memory.output(batch, outputs);
    let forms = [(None, None), (Some(bias), Some(own)), (Some(bias), None)];
    let (bias, pre) = forms[way % 3];
    memory.check(device, &Op::Dense { input, weight, bias, activation, pre, output });

    let mut memory = Memory::default();
    let delta = memory.matrix(batch, outputs, 1);
    let weight = memory.matrix(inputs, outputs, 2);
    let cached = memory.matrix(batch, inputs, 3);
    let cached = (activation.cache() != Cache::Nothing).then_some(cached);
    let output = memory.output(batch, inputs);
    memory.check(device, &Op::Backward { delta, weight, activation, cached, output });

    let mut memory = Memory::default();
    let input = memory.rows((way + 1) % 3, batch, batch + 5, inputs, 1);
    let delta = memory.matrix(batch, outputs, 2);
    let weight = memory.output(inputs, outputs);
    let sums = memory.behind(weight, numbers(outputs, 6), 1, outputs);
    for bias in [None, Some(sums)] {
        memory.check(device, &Op::Gradient { accumulate: false, input, delta, weight, bias });
    }
}

#[test]
fn losses_agree_with_f64() {
    for device in gpus() {
        for shape in SHAPES.into_iter().chain([(2, 1_000), (130, 10)]) {
            for loss in Loss::ALL {
                check_loss(&device, 2, loss, Activation::Identity, shape);
            }
        }
        for (way, activation) in Activation::ALL.into_iter().enumerate() {
            for loss in Loss::ALL {
                check_loss(&device, way % 3, loss, activation, (9, 7));
            }
        }
    }
}

fn check_loss(
    device: &Device,
    way: usize,
    loss: Loss,
    activation: Activation,
    (rows, cols): (usize, usize),
) {
    let mut memory = Memory::default();
    let source = if way == 0 { rows } else { rows + 4 };
    let labels = loss.accepts(TargetKind::Labels);
    let kind = if labels { TargetKind::Labels } else { TargetKind::Values };
    let shape = Shape::new(source, kind.columns(cols));
    let values = if labels { indices(shape.len(), cols, 1) } else { probable(shape.len(), 1) };
    let source = memory.input(shape, values);
    let targets = memory.pick(way, rows, source, 2);
    // Probabilities where the loss takes them for such.
    let values = match loss.domain() {
        Domain::Probabilities => probable(rows * cols, 3),
        _ => numbers(rows * cols, 3).iter().map(|x| 10.0 * x).collect(),
    };
    let output = memory.input(Shape::new(rows, cols), values);
    let cached = memory.matrix(rows, cols, 4);
    let cached = (activation.cache() != Cache::Nothing).then_some(cached);
    let delta = memory.output(rows, cols);
    let row_losses = memory.output(rows, 1);
    let scale = 0.125;
    let weights = (way == 1).then(|| memory.input(Shape::new(rows, 1), probable(rows, 5)));
    let positive = (way == 2 && loss.takes_positive_weights())
        .then(|| memory.input(Shape::new(1, cols), probable(cols, 6)));
    memory.check(
        device,
        &Op::Loss {
            loss,
            activation,
            scale,
            output,
            cached,
            targets,
            kind,
            weights,
            positive,
            delta,
            row_losses,
        },
    );
}

/// Numbers between 0 and 1.
fn probable(count: usize, seed: u64) -> Vec<f32> {
    numbers(count, seed).iter().map(|x| x.abs() % 0.98 + 0.01).collect()
}

#[test]
fn weighing_agrees_with_f64() {
    for device in gpus() {
        for rows in [1, 5, 64, 65, 4_096, 4_097, 70_001] {
            for (way, cols) in [(0, 1), (1, 2), (2, 1)] {
                let mut memory = Memory::default();
                let source = if way == 0 { rows } else { rows + 4 };
                let source = memory.input(Shape::new(source, cols), probable(source * cols, 1));
                let weights = memory.pick(way, rows, source, 2);
                let output = memory.output(rows, 1);
                for mean in [true, false] {
                    memory.check(&device, &Op::Weigh { weights, mean, output });
                }
            }
        }
    }
}

#[test]
fn recording_agrees_with_f64() {
    for device in gpus() {
        for rows in [1, 5, 64, 65, 1_000, 70_001] {
            let mut memory = Memory::default();
            let row_losses = memory.matrix(rows, 1, 1);
            let losses = memory.output(7, 1);
            let scale = 1.0 / rows as f32;
            memory.check(&device, &Op::Record { scale, row_losses, losses });
        }
    }
}

#[test]
fn updates_agree_with_f64() {
    let Some(device) = gpu() else { return };
    let sgd = Sgd { weight_decay: 0.1, ..Sgd::new(0.01) };
    let optimizers: [Optimizer; 4] = [
        sgd.into(),
        sgd.momentum(0.9).into(),
        sgd.momentum(0.9).nesterov().into(),
        Adam { weight_decay: 0.1, ..Adam::default() }.into(),
    ];
    for optimizer in optimizers {
        for (words, offset) in [(1, 1), (63, 0), (64, 0), (260, 4), (260, 2)] {
            check_update(&device, optimizer, words, offset);
        }
    }
}

fn check_update(device: &Device, optimizer: Optimizer, words: usize, offset: usize) {
    let mut memory = Memory::default();
    for seed in 0..4 {
        let positive = |x: f32| if seed == 3 { x.abs() } else { x };
        memory.buffers.push(numbers(words + 8, seed).into_iter().map(positive).collect());
    }
    let view = |buffer| View::new(buffer, Shape::new(1, words)).at(offset);
    let (gradients, parameters) = (view(0), view(1));
    let count = optimizer.moments();
    let moments = [0, 1, 2].map(|i| (i < count).then(|| view(2 + i)));
    let rate_factor = 0.5;
    memory.check(device, &Op::Update { optimizer, rate_factor, parameters, gradients, moments });
}

#[test]
fn rows_beyond_the_source_are_clamped_to_its_last() {
    for device in gpus() {
        let source = Shape::new(4, 3);
        let order = [9, u32::MAX, 1].map(f32::from_bits).to_vec();
        // More rows follow the source in its buffer.
        let mut buffers = vec![numbers(60, 1), order, numbers(6, 2), vec![0.0; 4]];
        let (a, b) = (View::new(0, source).at(3), View::new(2, Shape::new(3, 2)));
        let order = View::new(1, Shape::new(3, 1));
        let op = |pick, count| Op::Dense {
            input: Rows { source: a, pick, count },
            weight: b,
            bias: None,
            activation: Activation::Identity,
            pre: None,
            output: View::new(3, Shape::new(count, 2)),
        };
        let run = |op: Op, buffers: &[Vec<f32>]| -> Vec<f32> {
            let upload = |words: &Vec<f32>| device.upload(words).unwrap();
            let buffers: Vec<_> = buffers.iter().map(upload).collect();
            let list: Vec<_> = buffers.iter().collect();
            device.execute(&op, &list, &StepArgs::default()).unwrap();
            buffers[3].read().unwrap()
        };
        let got = run(op(Pick::Order(order), 2), &buffers);
        buffers[1] = [3, 3, 1].map(f32::from_bits).to_vec();
        assert_eq!(got, run(op(Pick::Order(order), 2), &buffers));
    }
}
