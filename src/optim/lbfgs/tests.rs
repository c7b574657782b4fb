//! On functions whose minima are known, evaluated in f64.

use super::{History, LineSearch, Point, Verdict, dot, largest};

/// Minimises; the number of evaluations and where it ended.
fn minimise(function: impl Fn(&[f64]) -> (f64, Vec<f64>), mut x: Vec<f64>) -> (usize, Vec<f64>) {
    let mut history = History::new(8);
    let (mut value, mut gradient) = function(&x);
    let mut evaluations = 1;
    while largest(&gradient) > 1e-9 && evaluations < 500 {
        let direction = history.direction(&gradient);
        let slope = dot(&direction, &gradient);
        assert!(slope < 0.0, "not a descent");
        let mut search = LineSearch::new(value, slope);
        let mut step = if history.is_empty() { 1.0 / largest(&gradient) } else { 1.0 };
        let (new_x, new_gradient) = loop {
            let new_x: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
            let (new_value, new_gradient) = function(&new_x);
            evaluations += 1;
            let slope = dot(&direction, &new_gradient);
            match search.judge(Point { step, value: new_value, slope }) {
                Verdict::Accept => {
                    assert!(
                        new_value <= value + 1e-6 * value.abs()
                            && slope.abs() <= 0.9 * dot(&direction, &gradient).abs()
                    );
                    value = new_value;
                    break (new_x, new_gradient);
                }
                Verdict::Try(next) => step = next,
                Verdict::Settle(_) => return (evaluations, x),
            }
        };
        let moved = new_x.iter().zip(&x).map(|(a, b)| a - b).collect();
        history.push(moved, new_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect());
        (x, gradient) = (new_x, new_gradient);
    }
    (evaluations, x)
}

#[test]
fn a_quadratic_takes_hardly_more_steps_than_dimensions() {
    let function = |x: &[f64]| {
        let gradient: Vec<f64> =
            x.iter().enumerate().map(|(i, x)| (i + 1) as f64 * (x - i as f64)).collect();
        let value =
            x.iter().enumerate().map(|(i, x)| (i + 1) as f64 * (x - i as f64).powi(2) / 2.0);
        (value.sum(), gradient)
    };
    let (evaluations, x) = minimise(function, vec![0.0; 6]);
    assert!(evaluations < 30, "{evaluations}");
    for (i, x) in x.iter().enumerate() {
        assert!((x - i as f64).abs() < 1e-8, "{x} at {i}");
    }
}

#[test]
fn rosenbrocks_valley_is_followed_to_its_end() {
    let function = |x: &[f64]| {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
    };
    let (evaluations, x) = minimise(function, vec![-1.2, 1.0]);
    assert!(evaluations < 80, "{evaluations}");
    assert!((x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8, "{x:?}");
}

/// Along -x the function -ln(x) + x is infinite from step 1 on.
#[test]
fn steps_to_where_nothing_is_finite_are_taken_back() {
    let mut search = LineSearch::new(0.0, -1.0);
    let first = search.judge(Point { step: 1.0, value: f64::INFINITY, slope: f64::NAN });
    assert_eq!(first, Verdict::Try(0.5));
    let second = search.judge(Point { step: 0.5, value: f64::NAN, slope: 0.0 });
    assert_eq!(second, Verdict::Try(0.25));
    let third = search.judge(Point { step: 0.25, value: -0.2, slope: -0.1 });
    assert_eq!(third, Verdict::Accept);
}

#[test]
fn a_function_that_only_rises_settles_for_the_start() {
    let mut search = LineSearch::new(0.0, -1.0);
    let mut step = 1.0;
    for _ in 0..100 {
        match search.judge(Point { step, value: step, slope: 1.0 }) {
            Verdict::Try(next) => step = next,
            Verdict::Settle(best) => return assert_eq!(best, 0.0),
            Verdict::Accept => panic!("accepted a step that rises"),
        }
    }
    panic!("the search does not end");
}
