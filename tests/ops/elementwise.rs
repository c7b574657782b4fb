//! Fill, Binary, Scalar, Activate, Differentiate and Mismatch.

use wgrad::nn::Activation;
use wgrad::op::{BinaryOp, Op, Shape};

use crate::common::Values;
use crate::common::bench::everywhere;
use crate::common::compare::{Expected, exact, rounded};
use crate::reference::{activated, differentiated};

const SIZES: [[usize; 2]; 10] = [
    [1, 1],
    [1, 7],
    [3, 1],
    [2, 15],
    [17, 16],
    [33, 31],
    [64, 63],
    [65, 64],
    [127, 129],
    [70_000, 3],
];

#[test]
fn fill() {
    for [rows, cols] in SIZES {
        everywhere(&format!("fill ({rows}, {cols})"), |bench| {
            let output = bench.output(Shape::new(rows, cols));
            bench.expect(output, vec![exact(-1.25); rows * cols]);
            Op::Fill { value: -1.25, output }
        });
    }
}

/// a op b, which every device rounds once; WGSL allows a quotient 2.5 units in the last place.
fn combined(op: BinaryOp, a: f32, b: f32) -> Expected {
    let (a, b) = (f64::from(a), f64::from(b));
    let (value, roundings) = match op {
        BinaryOp::Add => (a + b, 0.5),
        BinaryOp::Subtract => (a - b, 0.5),
        BinaryOp::Multiply => (a * b, 0.5),
        BinaryOp::Divide => (a / b, 3.0),
    };
    rounded(value, roundings, value)
}

#[test]
fn binary() {
    for (seed, [rows, cols]) in SIZES.into_iter().enumerate() {
        let mut values = Values::new(seed as u64);
        let x = values.within(3.0, rows * cols);
        let broadcasts = [[rows, cols], [1, cols], [rows, 1], [1, 1]];
        for (op, [b_rows, b_cols]) in
            BinaryOp::ALL.into_iter().flat_map(|op| broadcasts.map(|shape| (op, shape)))
        {
            // Away from 0, so that no quotient is out of range.
            let y = values.within(2.0, b_rows * b_cols);
            let y: Vec<f32> = y.iter().map(|y| y + 0.5f32.copysign(*y)).collect();
            let expected: Vec<Expected> = (0..rows * cols)
                .map(|at| {
                    let (i, j) = ((at / cols).min(b_rows - 1), (at % cols).min(b_cols - 1));
                    combined(op, x[at], y[i * b_cols + j])
                })
                .collect();
            let context = format!("{op:?} ({rows}, {cols}) with ({b_rows}, {b_cols})");
            everywhere(&context, |bench| {
                let a = bench.values(Shape::new(rows, cols), &x);
                let b = bench.values(Shape::new(b_rows, b_cols), &y);
                let output = bench.output(a.shape);
                bench.expect(output, &expected);
                Op::Binary { op, a, b, output }
            });
        }
    }
}

#[test]
fn scalar() {
    // More elements than 65,535 workgroups of 256 threads.
    let large = [([70_000, 241], BinaryOp::Multiply)];
    let all = SIZES.into_iter().flat_map(|size| BinaryOp::ALL.map(|op| (size, op)));
    for ([rows, cols], op) in all.chain(large) {
        let x = Values::new(cols as u64).within(3.0, rows * cols);
        let expected: Vec<Expected> = x.iter().map(|&x| combined(op, x, -0.7)).collect();
        everywhere(&format!("scalar {op:?} ({rows}, {cols})"), |bench| {
            let a = bench.values(Shape::new(rows, cols), &x);
            let output = bench.output(a.shape);
            bench.expect(output, &expected);
            Op::Scalar { op, a, scalar: -0.7, output }
        });
    }
}

/// Arguments at both ends, around zero and around the places where implementations switch formulas,
/// then random ones.
fn arguments(seed: u64, n: usize) -> Vec<f32> {
    const SPECIAL: [f32; 16] = [
        0.0, -0.0, 1e-30, -1e-30, 1e-6, -1e-3, 0.299, -0.301, 9.1, -15.1, 20.0, -41.0, 89.0,
        -104.0, 1e30, -1e30,
    ];
    SPECIAL.into_iter().chain(Values::new(seed).within(6.0, n)).take(n).collect()
}

#[test]
fn activate_and_differentiate() {
    for (seed, [rows, cols]) in SIZES.into_iter().enumerate() {
        let (shape, z) = (Shape::new(rows, cols), arguments(seed as u64, rows * cols));
        for activation in Activation::ALL {
            let of = |f: fn(Activation, f64) -> Expected| -> Vec<Expected> {
                z.iter().map(|&z| f(activation, f64::from(z))).collect()
            };
            let (values, slopes) = (of(activated), of(differentiated));
            everywhere(&format!("activate {activation} {shape}"), |bench| {
                let (input, output) = (bench.values(shape, &z), bench.output(shape));
                bench.expect(output, &values);
                Op::Activate { activation, input, output }
            });
            everywhere(&format!("differentiate {activation} {shape}"), |bench| {
                let (input, output) = (bench.values(shape, &z), bench.output(shape));
                bench.expect(output, &slopes);
                Op::Differentiate { activation, input, output }
            });
        }
    }
}

#[test]
fn mismatch() {
    for (seed, [rows, cols]) in SIZES.into_iter().enumerate() {
        let shape = Shape::new(rows, cols);
        let a_values = Values::new(seed as u64).within(1.0, shape.len());
        // One element after the other gets one of these kinds of difference.
        type Change = fn(f32) -> f32;
        let kinds: [(Change, bool); 6] = [
            (|x| x, false),
            (|_| f32::NAN, true),
            (|x| x + 0.5, true),
            (|x| x + 1e-4, false),
            (|x| x - 0.1, true),
            (|_| f32::INFINITY, true),
        ];
        let kind = |i: usize| kinds[i % kinds.len()];
        let b_values: Vec<f32> = a_values.iter().enumerate().map(|(i, &x)| kind(i).0(x)).collect();
        let count = (0..shape.len()).filter(|&i| kind(i).1).count();
        // A NaN counts on either side; only the last kind depends on which side is relative.
        for swap in [false, true] {
            everywhere(&format!("mismatch {shape}, swapped {swap}"), |bench| {
                let (mut a, mut b) =
                    (bench.values(shape, &a_values), bench.values(shape, &b_values));
                if swap {
                    std::mem::swap(&mut a, &mut b);
                }
                let output = bench.output(Shape::new(1, 1));
                bench.expect(output, vec![exact(count as f64)]);
                Op::Mismatch { a, b, relative: 0.0, absolute: 1e-3, output }
            });
        }
    }
}

#[test]
fn mismatch_tolerances() {
    let infinity = f32::INFINITY;
    // (a, b, relative, absolute), and whether they mismatch.
    let cases = [
        ([100.0, 101.0, 0.01, 0.0], false),
        ([101.0, 100.0, 0.009, 0.0], true),
        ([1.0, 1.25, 0.0, 0.25], false),
        ([1.0, 1.25, 0.0, 0.125], true),
        ([0.0, 2.0, 0.5, 0.5], true),
        // |b| counts, not |a|.
        ([2.0, 1.0, 0.75, 0.0], true),
        ([1.0, 2.0, 0.75, 0.0], false),
        ([infinity, infinity, 0.0, 0.0], false),
        // An infinite b would make any relative tolerance infinite.
        ([infinity, -infinity, 0.5, 1.0], true),
        ([1.0, infinity, 0.5, 1.0], true),
        ([infinity, 1.0, 0.5, infinity], true),
        ([f32::NAN, f32::NAN, 1.0, infinity], true),
    ];
    for ([x, y, relative, absolute], mismatch) in cases {
        everywhere(&format!("mismatch of {x} and {y} by {relative}, {absolute}"), |bench| {
            let one = Shape::new(1, 1);
            let (a, b) = (bench.values(one, &[x]), bench.values(one, &[y]));
            let output = bench.output(one);
            bench.expect(output, vec![exact(u8::from(mismatch))]);
            Op::Mismatch { a, b, relative, absolute, output }
        });
    }
}
