//! How precise engines are, whatever the size of numbers.

use super::{Case, Layout, POISON, close, numbers};
use crate::device::cpu::gemm::engine::{Engine, Operands};
use crate::device::cpu::gemm::{Beta, MatMut, MatRef, Scratch};

/// The largest error of a product of vectors and of a matrix unit, in units of the last place of the
/// sum of the terms' sizes.
fn largest_error(engine: Engine, case: &Case) -> f64 {
    let (m, n, k) = case.shape;
    let c = case.run(engine, &mut Scratch::default());
    let errors = (0..m * n).map(|at| {
        let (expected, bound) = case.expected(at / n, at % n);
        (f64::from(c[at]) - expected).abs() / bound * (k + 2) as f64
    });
    errors.fold(0.0, f64::max)
}

#[test]
fn matrix_units_are_as_precise_as_vectors() {
    let layout = Layout::all().next().expect("there are layouts");
    for shape in [(32, 32, 1), (33, 40, 32), (64, 50, 700), (32, 32, 3000)] {
        let case = Case::new(layout, shape);
        let vectors = largest_error(Engine::vectors(), &case);
        for engine in Engine::all() {
            let error = largest_error(engine, &case);
            assert!(error <= 2.0 * vectors.max(0.5), "{engine}, {shape:?}: {error}, {vectors}");
        }
    }
}

#[test]
fn every_size_of_number_keeps_its_precision() {
    // Powers of two from the least normal number to where products would overflow.
    for power in (-126..=120).step_by(6) {
        let (m, n, k) = (3, 5, 7);
        let scale = 2f32.powi(power);
        let a: Vec<f32> = numbers(1).take(m * k).map(|x| x * scale).collect();
        let b: Vec<f32> = numbers(2).take(k * n).map(|x| x / scale * 2f32.powi(-4)).collect();
        for engine in Engine::all() {
            let mut c = vec![POISON; m * n];
            let operands = Operands {
                a: MatRef::row_major(&a, m, k).into(),
                b: MatRef::row_major(&b, k, n),
                c: MatMut::row_major(&mut c, m, n),
                beta: Beta::Overwrite,
                stream: None,
            };
            engine.run(operands, |_, _, _| (), &mut Scratch::default());
            for (at, &value) in c.iter().enumerate() {
                let terms =
                    (0..k).map(|p| f64::from(a[at / n * k + p]) * f64::from(b[p * n + at % n]));
                let size: f64 = terms.clone().map(f64::abs).sum();
                // A piece that is subnormal counts as zero: up to 2^-126, times the other factor.
                let lost = 2f64.powi(-126) * f64::from(scale) + 2f64.powi(-130) / f64::from(scale);
                let bound = (k + 2) as f64 * (f64::from(f32::EPSILON) * size + lost);
                assert!(
                    close(f64::from(value), terms.sum(), bound),
                    "{engine}, 2^{power}, element {at}: {value}"
                );
            }
        }
    }
}

#[test]
fn what_is_not_finite_stays_so() {
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for engine in Engine::all() {
            let (mut a, b, mut c) = (vec![1.0; 40 * 33], vec![1.0; 33 * 20], vec![0.0; 40 * 20]);
            a[5 * 33 + 32] = wrong;
            let operands = Operands {
                a: MatRef::row_major(&a, 40, 33).into(),
                b: MatRef::row_major(&b, 33, 20),
                c: MatMut::row_major(&mut c, 40, 20),
                beta: Beta::Overwrite,
                stream: None,
            };
            engine.run(operands, |_, _, _| (), &mut Scratch::default());
            for (at, value) in c.iter().enumerate() {
                assert_eq!(value.is_finite(), at / 20 != 5, "{engine}, {wrong}, element {at}");
            }
        }
    }
}
