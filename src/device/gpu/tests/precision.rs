//! Products of operands rounded to f16, by all kernels, against f64.

use super::{gpus, numbers};
use crate::device::{Device, How, Launch, Precision, Strategy};
use crate::error::Error;
use crate::nn::Activation;
use crate::op::{Op, Rows, Shape, StepArgs, View};
use crate::program::{BufferSpec, Program};

const SCALE: u32 = 4_096;
const MIXED: Precision = Precision::Mixed { loss_scale: SCALE };

/// Mixed precision, by a strategy.
pub(super) fn mixed(strategy: Strategy) -> How {
    How { strategy, precision: MIXED, calibration: None, steps: 1 }
}

/// x rounded to f16, by the definition: 11 significant bits, multiples of 2^-24, up to 65,504.
fn half(x: f64) -> f64 {
    if x == 0.0 {
        return x;
    }
    let step = 2f64.powi((x.abs().log2().floor() as i32 - 10).max(-24));
    let rounded = (x / step).round_ties_even() * step;
    rounded.clamp(-65_504.0, 65_504.0)
}

/// Numbers of all sizes that f16 knows, smaller ones and larger ones.
fn wide(count: usize, seed: u64) -> Vec<f32> {
    let (values, sizes) = (numbers(count, seed), numbers(count, seed + 1));
    values.iter().zip(sizes).map(|(x, size)| x * (12.0 * size).exp2()).collect()
}

/// C (m, n) of an instruction over the buffers a, b and c, in mixed precision.
fn run(gpu: &Device, op: Op, [a, b]: [&[f32]; 2], c: usize) -> Vec<f32> {
    let spec =
        |(name, words): (&str, usize)| BufferSpec { name: name.into(), words, transient: false };
    let specs = [("a", a.len()), ("b", b.len()), ("c", c)].map(spec).to_vec();
    let program = Program { buffers: specs, ops: vec![op] };
    let buffers = [gpu.upload(a).unwrap(), gpu.upload(b).unwrap(), gpu.allocate(c).unwrap()];
    let mut compiled = gpu.compile_step(&[program], &buffers, mixed(Strategy::Auto)).unwrap();
    compiled.executable.run(&[Launch { program: 0, args: StepArgs::default() }]).unwrap();
    buffers[2].read().unwrap()
}

/// The sum over k of f(k), each term a product of rounded factors, and the bound of rounding it in f32.
fn assert_sum(value: f32, terms: impl Iterator<Item = f64>, what: &str) {
    let (mut sum, mut size, mut count) = (0.0, 0.0, 0.0);
    for term in terms {
        (sum, size, count) = (sum + term, size + term.abs(), count + 1.0);
    }
    let within = count * f64::from(f32::EPSILON) * size + f64::from(f32::MIN_POSITIVE);
    let off = (f64::from(value) - sum).abs();
    assert!(off <= within, "{what}: {value} is not {sum}, by {off:e} instead of {within:e}");
}

const SIZES: [[usize; 3]; 6] =
    [[1, 1, 1], [5, 3, 7], [8, 4, 12], [33, 18, 65], [40, 4_100, 20], [70, 300, 200]];

#[test]
fn layers_round_both_operands() {
    for gpu in gpus() {
        for [m, k, n] in SIZES {
            let (a, b) = (wide(m * k, 1), wide(k * n, 3));
            let op = Op::Dense {
                input: Rows::all(View::new(0, Shape::new(m, k))),
                weight: View::new(1, Shape::new(k, n)),
                bias: None,
                activation: Activation::Identity,
                pre: None,
                output: View::new(2, Shape::new(m, n)),
            };
            let c = run(&gpu, op, [&a, &b], m * n);
            let factor = |x: f32| half(f64::from(x));
            for (at, &value) in c.iter().enumerate() {
                let (i, j) = (at / n, at % n);
                let terms = (0..k).map(|l| factor(a[i * k + l]) * factor(b[l * n + j]));
                assert_sum(value, terms, &format!("dense {m} {k} {n}, ({i}, {j})"));
            }
        }
    }
}

#[test]
fn deltas_are_scaled_before_they_are_rounded() {
    let scaled = |x: f32| half(f64::from(x) * f64::from(SCALE)) / f64::from(SCALE);
    for gpu in gpus() {
        for [m, k, n] in SIZES {
            // Far below the smallest number that f16 knows, and a few far beyond the largest.
            let mut delta: Vec<f32> = wide(m * k, 5).iter().map(|x| x / 65_536.0).collect();
            delta[0] = 1e9;
            let weight = wide(n * k, 7);
            let op = Op::Backward {
                delta: View::new(0, Shape::new(m, k)),
                weight: View::new(1, Shape::new(n, k)),
                activation: Activation::Identity,
                cached: None,
                output: View::new(2, Shape::new(m, n)),
            };
            let c = run(&gpu, op, [&delta, &weight], m * n);
            for (at, &value) in c.iter().enumerate() {
                let (i, j) = (at / n, at % n);
                let terms =
                    (0..k).map(|l| scaled(delta[i * k + l]) * half(f64::from(weight[j * k + l])));
                assert_sum(value, terms, &format!("backward {m} {k} {n}, ({i}, {j})"));
            }

            // A gradient of (k, n) and the column sums behind it.
            let input = wide(m * k, 9);
            let delta: Vec<f32> = wide(m * n, 11).iter().map(|x| x / 65_536.0).collect();
            let op = Op::Gradient {
                accumulate: false,
                input: Rows::all(View::new(0, Shape::new(m, k))),
                delta: View::new(1, Shape::new(m, n)),
                weight: View::new(2, Shape::new(k, n)),
                bias: Some(View { offset: k * n, ..View::new(2, Shape::new(1, n)) }),
            };
            let c = run(&gpu, op, [&input, &delta], (k + 1) * n);
            for (at, &value) in c.iter().enumerate() {
                let (i, j) = (at / n, at % n);
                let factor = |l: usize| if i < k { half(f64::from(input[l * k + i])) } else { 1.0 };
                let terms = (0..m).map(|l| factor(l) * scaled(delta[l * n + j]));
                assert_sum(value, terms, &format!("gradient {m} {k} {n}, ({i}, {j})"));
            }
        }
    }
}

#[test]
fn what_is_not_finite_stays_so() {
    for gpu in gpus() {
        for bad in [f32::NAN, f32::INFINITY] {
            let op = Op::Matmul {
                a: View::new(0, Shape::new(1, 4)),
                b: View::new(1, Shape::new(4, 4)),
                transpose_a: false,
                transpose_b: false,
                output: View::new(2, Shape::new(1, 4)),
            };
            let c = run(&gpu, op, [&[1.0, bad, 1.0, 1.0], &[1.0; 16]], 4);
            assert!(c.iter().all(|x| !x.is_finite()), "{bad}: {c:?}");
        }
    }
}

#[test]
fn others_than_the_program_refuse() {
    for gpu in gpus() {
        let refused = gpu.compile_step(&[], &[], mixed(Strategy::Registers)).err();
        assert!(matches!(refused, Some(Error::Argument { .. })), "{refused:?}");
    }
    let refused = Device::cpu().compile_step(&[], &[], mixed(Strategy::Auto)).err();
    assert!(matches!(refused, Some(Error::Argument { .. })), "{refused:?}");
}

#[test]
fn rounding_is_to_even_at_every_size() {
    let small = 2f32.powi(-24);
    let mut values = vec![0.0, 0.5 * small, 0.500_001 * small, 1.5 * small, 2.5 * small, 1e-30];
    for power in [-15, -14, -13, 0, 15] {
        // Halfway to the next, above an even and above an odd number, and a little to either side.
        let one = 2f32.powi(power);
        let steps = [1.0, 1.0 + 0.5 / 1_024.0, 1.0 + 1.5 / 1_024.0, 2.0 - 0.5 / 1_024.0];
        values.extend(
            steps.iter().flat_map(|&x| [x, x * (1.0 - 1e-6), x * (1.0 + 1e-6)]).map(|x| x * one),
        );
    }
    values.extend([65_519.0, 65_520.0, 65_536.0, 1e9, f32::MAX]);
    values.extend(values.clone().iter().map(|x| -x));
    let m = values.len();
    let op = Op::Matmul {
        a: View::new(0, Shape::new(m, 1)),
        b: View::new(1, Shape::new(1, 1)),
        transpose_a: false,
        transpose_b: false,
        output: View::new(2, Shape::new(m, 1)),
    };
    for gpu in gpus() {
        let c = run(&gpu, op, [&values, &[1.0]], m);
        for (&x, &rounded) in values.iter().zip(&c) {
            assert_eq!(f64::from(rounded), half(f64::from(x)), "{x:e}");
        }
    }
}
