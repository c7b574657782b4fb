//! What a gradient check found, parameter by parameter.

use std::fmt;

use crate::nn::Parameter;

/// The part of the network's largest gradient below which an error is no longer compared with the
/// gradient itself: f32 sums of large terms leave absolute errors in small results.
const FLOOR: f64 = 1e-2;

/// What a gradient check found.
///
/// An entry's relative error is |device - expected| / max(|device|, |expected|, the hundredth of the
/// largest expected gradient in the network). Gradients in f32 are within about 1e-6, more in deep
/// networks and large batches; a wrong formula shows as 1e-2 and more.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientReport {
    /// The loss as the device has it.
    pub loss: f64,
    /// The loss in f64.
    pub expected_loss: f64,
    /// Every parameter, in the order of the network.
    pub parameters: Vec<ParameterCheck>,
}

/// What was found in one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterCheck {
    /// The parameter: `layers.0.weight`, ...
    pub name: String,
    /// The number of its entries.
    pub entries: usize,
    /// The number of those that were checked.
    pub checked: usize,
    /// The largest absolute error.
    pub absolute: f64,
    /// The largest relative error.
    pub relative: f64,
    /// Where that is: \[input, output\] in a weight, \[output\] in a bias.
    pub index: Vec<usize>,
    /// The device's gradient there.
    pub device: f64,
    /// The central difference there.
    pub expected: f64,
}

/// One entry of a parameter: its place, row-major, and both gradients.
pub(super) struct Entry {
    pub(super) place: usize,
    pub(super) device: f64,
    pub(super) expected: f64,
}

impl GradientReport {
    /// Compares the entries of each parameter, and the loss on the device with the expected one.
    pub(super) fn new(
        parameters: &[(Parameter, Vec<Entry>)],
        [loss, expected_loss]: [f64; 2],
    ) -> Self {
        let all = parameters.iter().flat_map(|(_, entries)| entries);
        let largest = all.fold(0.0f64, |largest, entry| largest.max(entry.expected.abs()));
        let floor = FLOOR * largest;
        let check = |(parameter, entries): &(Parameter, Vec<_>)| compare(parameter, entries, floor);
        Self { loss, expected_loss, parameters: parameters.iter().map(check).collect() }
    }

    /// The parameter with the largest relative error.
    #[must_use]
    pub fn worst(&self) -> Option<&ParameterCheck> {
        let worse = |one, other: &&ParameterCheck| is_worse(other.relative, one);
        let first = self.parameters.first()?;
        let rest = self.parameters.iter();
        Some(rest.fold(first, |one, other| if worse(one.relative, &other) { other } else { one }))
    }

    /// Whether every relative error is at most `tolerance`; a NaN never is. 1e-4 suits most.
    #[must_use]
    pub fn passes(&self, tolerance: f64) -> bool {
        self.parameters.iter().all(|parameter| parameter.relative <= tolerance)
    }
}

/// Whether an error is larger than another, a NaN being the largest.
fn is_worse(error: f64, than: f64) -> bool {
    !than.is_nan() && (error.is_nan() || error > than)
}

fn compare(parameter: &Parameter, entries: &[Entry], floor: f64) -> ParameterCheck {
    let mut check = ParameterCheck {
        name: parameter.name.clone(),
        entries: parameter.shape.len(),
        checked: entries.len(),
        absolute: 0.0,
        relative: -1.0,
        index: Vec::new(),
        device: 0.0,
        expected: 0.0,
    };
    for &Entry { place, device, expected } in entries {
        let absolute = (device - expected).abs();
        let scale = device.abs().max(expected.abs()).max(floor);
        // Two zeros are equal.
        let relative = if absolute == 0.0 { 0.0 } else { absolute / scale };
        if is_worse(absolute, check.absolute) {
            check.absolute = absolute;
        }
        if is_worse(relative, check.relative) {
            let cols = parameter.shape.cols;
            check.index = match parameter.is_weight() {
                true => vec![place / cols, place % cols],
                false => vec![place],
            };
            (check.relative, check.device, check.expected) = (relative, device, expected);
        }
    }
    check
}

impl fmt::Display for GradientReport {
    /// A line for the loss, and a table with a line for each parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "loss {:.9e} on the device, {:.9e} expected", self.loss, self.expected_loss)?;
        let names = self.parameters.iter().map(|parameter| parameter.name.len());
        let wide = names.chain([9]).max().unwrap_or(0);
        let (checked, at) = ("checked", "at");
        write!(f, "{:wide$} {checked:>14} {:>9} {:>9}", "parameter", "absolute", "relative")?;
        write!(f, " {at:>14} {:>16} {:>16}", "device", "expected")?;
        for check in &self.parameters {
            let checked = format!("{} of {}", check.checked, check.entries);
            let at = format!("{:?}", check.index);
            write!(f, "\n{:wide$} {checked:>14}", check.name)?;
            write!(f, " {:>9.1e} {:>9.1e} {at:>14}", check.absolute, check.relative)?;
            write!(f, " {:>16.8e} {:>16.8e}", check.device, check.expected)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::ParameterKind;
    use crate::op::Shape;

    fn parameter(name: &str, rows: usize, cols: usize) -> Parameter {
        let kind = match name.ends_with("bias") {
            true => ParameterKind::Bias,
            false => ParameterKind::Weight,
        };
        Parameter { name: name.into(), kind, shape: Shape::new(rows, cols), offset: 0, layer: 0 }
    }

    /// A report on these gradients, where every central difference is 1/2.
    fn report(weight: &[f64], bias: &[f64]) -> GradientReport {
        let entry = |(place, &device): (usize, &f64)| Entry { place, device, expected: 0.5 };
        let pairs = |device: &[f64]| device.iter().enumerate().map(entry).collect();
        let weight = (parameter("layers.0.weight", weight.len() / 3, 3), pairs(weight));
        let bias = (parameter("layers.0.bias", 1, bias.len()), pairs(bias));
        GradientReport::new(&[weight, bias], [1.0, 1.0])
    }

    #[test]
    fn right_gradients_pass() {
        let report = report(&[0.5, 0.5 + 1e-7, 0.5, 0.5, 0.5, 0.5], &[0.5; 3]);
        assert!(report.passes(1e-6) && !report.passes(1e-8), "{report}");
        assert_eq!(report.worst().unwrap().index, [0, 1]);
    }

    #[test]
    fn a_wrong_gradient_is_named_with_its_place_and_both_values() {
        let report = report(&[0.5, 0.5, 0.5, 0.5, 0.5, 0.25], &[0.5, -0.4999, 0.5]);
        assert!(!report.passes(0.1));
        let worst = report.worst().unwrap();
        assert_eq!((worst.name.as_str(), &worst.index[..]), ("layers.0.bias", &[1][..]));
        assert_eq!((worst.device, worst.expected), (-0.4999, 0.5));
        let weight = &report.parameters[0];
        assert_eq!((&weight.index[..], weight.relative, weight.absolute), (&[1, 2][..], 0.5, 0.25));
        let table = report.to_string();
        for part in ["layers.0.weight", "6 of 6", "[1, 2]", "2.50000000e-1", "5.00000000e-1"] {
            assert!(table.contains(part), "{table}");
        }
    }

    #[test]
    fn a_nan_never_passes_and_is_the_worst() {
        let report = report(&[0.5, f64::NAN, 9.0], &[0.5]);
        assert!(!report.passes(f64::INFINITY));
        let worst = report.worst().unwrap();
        assert_eq!((worst.name.as_str(), &worst.index[..]), ("layers.0.weight", &[0, 1][..]));
    }

    #[test]
    fn gradients_of_zero_are_equal() {
        let zero = |place| Entry { place, device: 0.0, expected: 0.0 };
        let check = (parameter("layers.0.bias", 1, 2), vec![zero(0), zero(1)]);
        assert!(GradientReport::new(&[check], [0.0; 2]).passes(0.0));
    }
}
