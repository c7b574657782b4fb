//! Penalize, Clip, LimitNorm and Average.

use wgrad::op::{Op, Shape};

use crate::common::Values;
use crate::common::bench::everywhere;
use crate::common::compare::{EPS, Expected, exact, rounded};

const SIZES: [[usize; 2]; 7] = [[1, 1], [1, 7], [3, 1], [17, 16], [33, 31], [65, 64], [70_000, 3]];

#[test]
fn penalize() {
    for (i, [rows, cols]) in SIZES.into_iter().enumerate() {
        let mut values = Values::new(i as u64);
        let mut p = values.within(1.0, rows * cols);
        // The derivative of |p| at 0 is taken as 0.
        p[0] = [0.0, -0.0][i % 2];
        let g = values.within(1.0, rows * cols);
        for (l1, l2) in [(0.3f32, 0.0f32), (0.0, 0.2), (0.25, 0.5)] {
            let of = |(&p, &g): (&f32, &f32)| {
                let (p, g) = (f64::from(p), f64::from(g));
                let sign = if p == 0.0 { 0.0 } else { p.signum() };
                let terms = [g, f64::from(l1) * sign, f64::from(l2) * p];
                rounded(terms.iter().sum(), 2.0, terms.iter().map(|x| x.abs()).sum())
            };
            let expected: Vec<Expected> = p.iter().zip(&g).map(of).collect();
            everywhere(&format!("penalize {l1} {l2} ({rows}, {cols})"), |bench| {
                let parameters = bench.values(Shape::new(rows, cols), &p);
                let gradients = bench.values(Shape::new(rows, cols), &g);
                bench.expect(gradients, &expected);
                Op::Penalize { l1, l2, parameters, gradients }
            });
        }
    }
}

#[test]
fn clip() {
    for (i, [rows, cols]) in SIZES.into_iter().enumerate() {
        let mut x = Values::new(i as u64).within(2.0, rows * cols);
        x[0] = [f32::INFINITY, f32::NEG_INFINITY, 0.75][i % 3];
        let expected: Vec<Expected> = x.iter().map(|x| exact(x.clamp(-0.75, 0.75))).collect();
        everywhere(&format!("clip ({rows}, {cols})"), |bench| {
            let values = bench.values(Shape::new(rows, cols), &x);
            bench.expect(values, &expected);
            Op::Clip { limit: 0.75, values }
        });
    }
}

#[test]
fn limits_let_a_nan_through() {
    for device in crate::common::devices() {
        let run = |op: &dyn Fn(wgrad::op::View) -> Op| {
            let values = device.upload(&[1.0f32, f32::NAN, 1.0]).unwrap();
            let norms = device.upload(&[f32::NAN]).unwrap();
            let view = wgrad::op::View::new(0, Shape::new(1, 3));
            let args = wgrad::op::StepArgs::default();
            device.execute(&op(view), &[&values, &norms], &args).unwrap();
            values.read::<f32>().unwrap()
        };
        let clipped = run(&|values| Op::Clip { limit: 0.5, values });
        assert!(clipped[1].is_nan() && clipped[0] == 0.5, "clip on {device}: {clipped:?}");
        let norms = wgrad::op::View::new(1, Shape::new(1, 1));
        let limited = run(&|values| Op::LimitNorm { limit: 0.5, norms, values });
        assert!(limited.iter().all(|x| x.is_nan()), "limit_norm on {device}: {limited:?}");
    }
}

#[test]
fn limit_norm() {
    for (i, [rows, cols]) in SIZES.into_iter().enumerate() {
        let mut numbers = Values::new(i as u64);
        let x = numbers.within(2.0, rows * cols);
        for count in if cols == 1 { vec![1] } else { vec![1, cols] } {
            // On both sides of the limit.
            let norms: Vec<f32> = numbers.within(1.5, count).iter().map(|x| x.abs()).collect();
            let of = |(at, &x): (usize, &f32)| {
                let norm = f64::from(norms[if count == 1 { 0 } else { at % cols }]);
                // PyTorch's 1e-6; here the norm may err by a rounding.
                let factor = (0.7f32 as f64 / (norm + 1e-6)).min(1.0);
                rounded(f64::from(x) * factor, 4.0, f64::from(x) * factor)
            };
            let expected: Vec<Expected> = x.iter().enumerate().map(of).collect();
            everywhere(&format!("limit_norm ({rows}, {cols}) by {count}"), |bench| {
                let values = bench.values(Shape::new(rows, cols), &x);
                let norms = bench.values(Shape::new(1, count), &norms);
                bench.expect(values, &expected);
                Op::LimitNorm { limit: 0.7, norms, values }
            });
        }
    }
}

#[test]
fn average() {
    for (i, [rows, cols]) in SIZES.into_iter().enumerate() {
        let mut values = Values::new(i as u64);
        let p = values.within(1.0, rows * cols);
        let old = values.within(1.0, rows * cols);
        for decay in [0.0f32, 0.9, 1.0] {
            let of = |(&p, &old): (&f32, &f32)| {
                let (p, old, decay) = (f64::from(p), f64::from(old), f64::from(decay));
                Expected {
                    value: decay * old + (1.0 - decay) * p,
                    within: 2.0 * EPS * (p.abs() + old.abs()),
                }
            };
            let expected: Vec<Expected> = p.iter().zip(&old).map(of).collect();
            everywhere(&format!("average {decay} ({rows}, {cols})"), |bench| {
                let parameters = bench.values(Shape::new(rows, cols), &p);
                let average = bench.values(Shape::new(rows, cols), &old);
                bench.expect(average, &expected);
                Op::Average { decay, parameters, average }
            });
        }
    }
}
