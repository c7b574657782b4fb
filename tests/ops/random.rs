//! Dropout and Noise, from a Threefry-2x32 of our own here, and by their statistics.

use wgrad::op::{Op, Shape, StepArgs, View};

use crate::common::bench::everywhere;
use crate::common::compare::{Expected, exact, rounded};
use crate::common::{Values, devices};

const SIZES: [[usize; 2]; 6] = [[1, 1], [1, 7], [17, 16], [33, 31], [65, 64], [70_000, 3]];
const KEY: [u32; 2] = [0x1234_5678, 0x9abc_def0];

/// Threefry-2x32, 20 rounds, as the paper's figure has it.
fn words(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let schedule = [key[0], key[1], key[0] ^ key[1] ^ 0x1bd1_1bda];
    let rotations = [[13, 15, 26, 6], [17, 29, 16, 24]];
    let [mut a, mut b] =
        [counter[0].wrapping_add(schedule[0]), counter[1].wrapping_add(schedule[1])];
    for round in 0..20usize {
        a = a.wrapping_add(b);
        b = b.rotate_left(rotations[(round / 4) % 2][round % 4]);
        b ^= a;
        if round % 4 == 3 {
            let injection = round / 4 + 1;
            a = a.wrapping_add(schedule[injection % 3]);
            b = b.wrapping_add(schedule[(injection + 1) % 3]).wrapping_add(injection as u32);
        }
    }
    [a, b]
}

#[test]
fn dropout() {
    for (i, [rows, cols]) in SIZES.into_iter().enumerate() {
        let x = Values::new(i as u64).within(1.0, rows * cols);
        for rate in [0.0f32, 0.25, 0.9] {
            for (in_place, number) in [(false, 0), (true, 7)] {
                let of = |(at, &x): (usize, &f32)| {
                    let [word, _] = words(KEY, [number, at as u32]);
                    if f64::from(word) < f64::from(rate) * 2f64.powi(32) {
                        return exact(0.0);
                    }
                    let kept = f64::from(x) / (1.0 - f64::from(rate));
                    rounded(kept, 2.0, kept)
                };
                let expected: Vec<Expected> = x.iter().enumerate().map(of).collect();
                let shape = Shape::new(rows, cols);
                everywhere(&format!("dropout {rate} {shape}, in place {in_place}"), |bench| {
                    bench.args.number = number;
                    let source = bench.values(shape, &x);
                    let output = if in_place { source } else { bench.output(shape) };
                    bench.expect(output, &expected);
                    Op::Dropout { rate, key: KEY, input: (!in_place).then_some(source), output }
                });
            }
        }
    }
}

#[test]
fn noise() {
    for (i, [rows, cols]) in SIZES.into_iter().enumerate() {
        let x = Values::new(i as u64).within(1.0, rows * cols);
        let unit = |word: u32| (f64::from(word >> 9) + 0.5) / 2f64.powi(23);
        let of = |(at, &x): (usize, &f32)| {
            let [u, v] = words(KEY, [3, at as u32]).map(unit);
            let radius = (-2.0 * u.ln()).sqrt();
            let n = radius * (std::f64::consts::TAU * v).cos();
            // WGSL lets a cosine err by 2^-11, and near 1 a logarithm by 2^-21, whatever their size.
            let longer = (radius.powi(2) + 2.0 * 2f64.powi(-21)).sqrt();
            let within = 0.3 * (longer - radius + radius * 2f64.powi(-11));
            Expected { within, ..rounded(f64::from(x) + 0.3 * n, 1.0, 1.0) }
        };
        let expected: Vec<Expected> = x.iter().enumerate().map(of).collect();
        everywhere(&format!("noise ({rows}, {cols})"), |bench| {
            bench.args.number = 3;
            let values = bench.values(Shape::new(rows, cols), &x);
            bench.expect(values, &expected);
            Op::Noise { deviation: 0.3, key: KEY, values }
        });
    }
}

/// What an op makes of a million equal numbers, as minibatch `number`.
fn million(value: f32, number: u32, op: impl Fn(View) -> Op) -> Vec<Vec<f32>> {
    let run = |device: &wgrad::Device| {
        let buffer = device.upload(&vec![value; 1_000_000]).unwrap();
        let view = View::new(0, Shape::new(1_000, 1_000));
        let args = StepArgs { number, ..StepArgs::default() };
        device.execute(&op(view), &[&buffer], &args).unwrap();
        buffer.read().unwrap()
    };
    devices().iter().map(run).collect()
}

/// Mean and variance.
fn moments(x: &[f32]) -> (f64, f64) {
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
    let square = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>();
    (mean, square / x.len() as f64)
}

/// Five standard errors: about one chance in a million to be beyond.
const SIGMAS: f64 = 5.0;

#[test]
fn dropout_keeps_mean_and_variance_and_masks_equal() {
    for rate in [0.1f32, 0.5, 0.8] {
        let op = |output| Op::Dropout { rate, key: KEY, input: None, output };
        let all = million(1.0, 11, op);
        assert!(all.iter().all(|x| *x == all[0]), "the masks differ between devices");
        let keep = 1.0 - f64::from(rate);
        let (mean, variance) = moments(&all[0]);
        // A kept 1 is 1/keep: the variance of the mask over keep is (1 - keep) / keep.
        let true_variance = (1.0 - keep) / keep;
        let error = (true_variance / 1e6).sqrt();
        assert!((mean - 1.0).abs() < SIGMAS * error, "rate {rate}: mean {mean}");
        let relative = (variance / true_variance - 1.0).abs();
        assert!(relative < 2.0 * SIGMAS * error, "rate {rate}: variance {variance}");

        let next = million(1.0, 12, op);
        let both = all[0].iter().zip(&next[0]).filter(|(a, b)| **a != 0.0 && **b != 0.0).count();
        let (share, expected) = (both as f64 / 1e6, keep * keep);
        let error = (expected * (1.0 - expected) / 1e6).sqrt();
        assert!((share - expected).abs() < SIGMAS * error, "two minibatches: {share}");
    }
}

#[test]
fn noise_is_standard_normal() {
    for x in million(0.0, 5, |values| Op::Noise { deviation: 1.0, key: KEY, values }) {
        let (mean, variance) = moments(&x);
        assert!(mean.abs() < SIGMAS * 1e-3, "mean {mean}");
        assert!((variance - 1.0).abs() < SIGMAS * 2f64.sqrt() * 1e-3, "variance {variance}");
        let beyond = x.iter().filter(|x| x.abs() > 1.959_964).count() as f64 / 1e6;
        assert!((beyond - 0.05).abs() < SIGMAS * (0.05f64 * 0.95 / 1e6).sqrt(), "tails {beyond}");
    }
}
