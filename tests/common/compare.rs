//! Comparison of f32 results with f64 references, each element within a tolerance of its own.

/// The distance from 1 to the next f32. A correctly rounded result is within half of it, relatively.
pub const EPS: f64 = f32::EPSILON as f64;

/// Below this a device may give 0: WGSL lets it flush denormal numbers.
pub const TINY: f64 = f32::MIN_POSITIVE as f64;

/// What an element has to be, and how far from it rounding may lead.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    pub value: f64,
    pub within: f64,
}

/// Exactly this value.
pub fn exact(value: impl Into<f64>) -> Expected {
    Expected { value: value.into(), within: 0.0 }
}

/// A value computed with a few roundings, each relative to `magnitude`.
pub fn rounded(value: f64, roundings: f64, magnitude: f64) -> Expected {
    Expected { value, within: roundings * EPS * magnitude.abs() + TINY }
}

/// The first element that is not what it has to be. A NaN never is; equal infinities are.
pub fn deviation(got: &[f32], expected: &[Expected]) -> Option<String> {
    if got.len() != expected.len() {
        return Some(format!("{} elements, expected {}", got.len(), expected.len()));
    }
    let off = |(got, expected): (&f32, &Expected)| {
        let got = f64::from(*got);
        // Not `>`: this way a NaN fails.
        got != expected.value && !((got - expected.value).abs() <= expected.within)
    };
    let at = got.iter().zip(expected).position(off)?;
    let Expected { value, within } = expected[at];
    Some(format!("element {at} is {}, expected {value} within {within:e}", got[at]))
}
