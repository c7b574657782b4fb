//! Axes: their range, where their ticks are, and what these say.
//!
//! The place of a number along an axis is the number itself, or its logarithm to base 10.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// The range and the ticks of an axis, as places.
#[derive(Debug, Clone)]
pub struct Scale {
    log: bool,
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Scale {
    /// A scale that shows all values, with a margin of a part of its length. A logarithmic one
    /// shows those above 0.
    pub fn of(values: impl Iterator<Item = f64>, log: bool, margin: f64) -> Self {
        let places = values.map(|x| place(x, log)).filter(|place| place.is_finite());
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = match places.fold(start, |(low, high), x| (low.min(x), high.max(x))) {
            (low, high) if low > high => (0.0, 1.0),
            (low, high) if low == high => (low - 0.5, high + 0.5),
            (low, high) => (low - margin * (high - low), high + margin * (high - low)),
        };
        let ticks = if log { decades(low, high) } else { linear(low, high) };
        Self { log, low, high, ticks }
    }

    /// Whether a number has a place on the scale.
    pub fn shows(&self, x: f64) -> bool {
        place(x, self.log).is_finite()
    }

    /// What the tick at a number says.
    pub fn text(&self, x: f64) -> String {
        let text = if self.log {
            power(x.log10())
        } else {
            let step = self.ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(1.0, f64::min);
            let decimals = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
            let zero = if x.abs() < step * 1e-6 { 0.0 } else { x };
            format!("{zero:.decimals$}")
        };
        text.replace('-', "−")
    }
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, x: &f64, (first, last): (i32, i32)) -> i32 {
        let part = (place(*x, self.log) - self.low) / (self.high - self.low);
        first + (part * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|&place| number(place, self.log)).collect()
    }

    fn range(&self) -> Range<f64> {
        number(self.low, self.log)..number(self.high, self.log)
    }
}

/// Where a number lies; NaN or infinite if nowhere.
fn place(x: f64, log: bool) -> f64 {
    if log { x.log10() } else { x }
}

/// The number at a place.
fn number(place: f64, log: bool) -> f64 {
    if log { 10f64.powf(place) } else { place }
}

/// Multiples of 1, 2 or 5 times a power of ten, about six.
fn linear(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 6.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * power >= rough).unwrap_or(10.0);
    let step = step * power;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Powers of ten, thinned where there are many and with 2 and 5 times them where there are few.
fn decades(low: f64, high: f64) -> Vec<f64> {
    let span = high - low;
    let multiples: &[f64] = match span {
        _ if span < 0.7 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
        _ if span < 2.5 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let stride = (span / 8.0).ceil().max(1.0) as usize;
    let powers = (low.floor() as i32..=high.ceil() as i32).step_by(stride);
    let all = powers.flat_map(|p| multiples.iter().map(move |m| f64::from(p) + m.log10()));
    all.filter(|place| (low - 1e-9..=high + 1e-9).contains(place)).collect()
}

/// A number by its logarithm: plainly where that is short, as a power of ten elsewhere.
fn power(place: f64) -> String {
    let x = 10f64.powf(place);
    if (-4.5..4.5).contains(&place) {
        // Two digits are enough for every tick there is.
        let decimals = (1.0 - (place + 1e-9).floor()).max(0.0) as usize;
        let text = format!("{x:.decimals$}");
        return match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        };
    }
    let digits = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let exponent = (place + 1e-9).floor();
    let raised: String = (format!("{exponent}").chars())
        .map(|c| c.to_digit(10).map_or('⁻', |digit| digits[digit as usize]))
        .collect();
    match 10f64.powf(place - exponent).round() as u32 {
        1 => format!("10{raised}"),
        m => format!("{m}·10{raised}"),
    }
}
