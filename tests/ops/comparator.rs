//! The comparator itself: what it must let pass, and what it must not.

use crate::common::compare::{Expected, TINY, deviation, exact, rounded};

fn passes(got: f32, expected: Expected) -> bool {
    deviation(&[got], &[expected]).is_none()
}

#[test]
fn nan_is_close_to_nothing() {
    let anything = Expected { value: 0.0, within: f64::INFINITY };
    assert!(passes(1.0, anything));
    assert!(!passes(f32::NAN, anything));
    assert!(!passes(f32::NAN, exact(f64::NAN)));
    assert!(!passes(1.0, exact(f64::NAN)));
    assert!(!passes(1.0, Expected { value: 0.5, within: f64::NAN }));
}

#[test]
fn infinities_are_close_to_themselves_only() {
    assert!(passes(f32::INFINITY, exact(f64::INFINITY)));
    assert!(!passes(f32::NEG_INFINITY, exact(f64::INFINITY)));
    assert!(!passes(f32::MAX, exact(f64::INFINITY)));
    assert!(!passes(f32::INFINITY, rounded(1e38, 4.0, 1e38)));
}

#[test]
fn the_tolerance_is_the_border() {
    let next = 1.0 + f32::EPSILON;
    assert!(passes(next, rounded(1.0, 1.0, 1.0)));
    assert!(!passes(next, exact(1.0)));
    assert!(!passes(1.0 + 2.0 * f32::EPSILON, rounded(1.0, 1.0, 1.0)));
    assert!(passes(0.0, rounded(TINY / 2.0, 1.0, TINY)));
    assert!(!passes(0.0, rounded(4.0 * TINY, 1.0, TINY)));
}

#[test]
fn every_element_counts_and_is_named() {
    let expected = [exact(1.0), exact(2.0)];
    assert!(deviation(&[1.0], &expected).is_some());
    assert!(deviation(&[1.0, 2.0], &expected).is_none());
    let message = deviation(&[1.0, 3.0], &expected).unwrap();
    assert!(message.contains("element 1 is 3, expected 2"), "{message}");
}
