//! Products that are sums of terms against f64, on any number of threads.

use std::sync::Arc;

use super::number;
use crate::device::cpu::crew::Crew;
use crate::device::cpu::gemm::{Beta, Engine, MatMut, MatRef, Work};
use crate::device::cpu::pool::Pool;

/// What the product leaves that so many threads could share and so many do, asserting that its epilogue sees every
/// element once, when it is final, and that it is a sum of terms, or one product where B is a transposed weight whose
/// rows the threads keep to.
fn product(
    [threads, team]: [usize; 2],
    [m, n, k]: [usize; 3],
    beta: Beta,
    is_transposed: bool,
) -> Vec<f32> {
    let [a, b] = [m * k, k * n].map(|len| (0..len).map(|i| number(i + len)).collect::<Vec<_>>());
    let mut c: Vec<f32> = (0..m * n).map(number).collect();
    let mut seen = vec![f32::NAN; m * n];
    let work = Work {
        a: MatRef::row_major(&a, m, k).into(),
        b: if is_transposed {
            MatRef::row_major(&b, n, k).transposed()
        } else {
            MatRef::row_major(&b, k, n)
        },
        c: MatMut::row_major(&mut c, m, n),
        beta,
        beside: [Some(MatMut::row_major(&mut seen, m, n))],
    };
    let has_terms = matches!(work.engine(), Engine::Vectors(_)) && !is_transposed;
    assert_eq!(work.terms() > 1, has_terms, "{m}, {n}, {k}");
    let mut crew = Crew::new(Arc::new(Pool::new(threads)));
    crew.team = team;
    crew.multiply(work, |row, col, run, [seen]| {
        assert!(seen.iter().all(|x| x.is_nan()), "row {row}, column {col} is seen twice");
        seen.copy_from_slice(run);
    });
    assert_eq!(c, seen);
    for (at, &value) in c.iter().enumerate() {
        let before = if beta == Beta::Accumulate { f64::from(number(at)) } else { 0.0 };
        let place = |p: usize| if is_transposed { at % n * k + p } else { p * n + at % n };
        let terms = (0..k).map(|p| f64::from(a[at / n * k + p]) * f64::from(b[place(p)]));
        let (sum, size) = terms.fold((before, before.abs()), |(s, z), x| (s + x, z + x.abs()));
        let bound = (k + 6) as f64 * f64::from(f32::EPSILON) * size;
        assert!((f64::from(value) - sum).abs() <= bound, "{m}, {n}, {k}: {value}, not {sum}");
    }
    c
}

#[test]
fn sums_of_terms_match_the_reference_on_any_number_of_threads() {
    // The last but two is added by rows, those behind it by columns; the last is of few steps.
    let shapes = [
        [33, 70, 1500],
        [8, 50, 3100],
        [130, 20, 2000],
        [600, 30, 3500],
        [64, 256, 3100],
        [90, 700, 195],
    ];
    // A layer of 300 units on the way back to 600.
    for (shape, is_transposed) in
        shapes.map(|shape| (shape, false)).into_iter().chain([([64, 600, 300], true)])
    {
        for beta in [Beta::Overwrite, Beta::Accumulate] {
            let one = product([1, 1], shape, beta, is_transposed);
            for team in [[2, 2], [3, 3], [3, 2], [3, 1]] {
                let more = product(team, shape, beta, is_transposed);
                assert!(more == one, "{shape:?}, threads and team {team:?}");
            }
        }
    }
}
