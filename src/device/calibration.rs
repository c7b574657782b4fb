//! What a GPU's adapter and driver cost: the numbers that the choice of a strategy goes by.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::DeviceKind;
use crate::error::{Error, Result};

/// The environment variable that says where calibrations are kept from one process to the next: a
/// directory, or `off` for nowhere. Where it is not set they are in `wgrad`, in the user's directory
/// for caches (`$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`).
pub const CACHE_VARIABLE: &str = "WGRAD_CACHE";

/// What an adapter and its driver take for what training steps are made of, in seconds.
/// [`Strategy::Auto`](super::Strategy::Auto) chooses by these numbers.
///
/// They are measured at the first training that has a choice, in some hundredths of a second, and
/// rounded to powers of the square root of 2; see [`Device::calibration`](super::Device::calibration).
/// As a file keeps them, later trainings on the same machine get the same strategy, and so the same
/// bits. For the same choice on another machine, hand them to
/// [`Trainer::calibration`](crate::Trainer::calibration), or name the strategy.
///
/// ```
/// use wgrad::device::{Calibration, DeviceKind};
///
/// let mut calibration = Calibration::typical(DeviceKind::Discrete);
/// calibration.dispatch = 4e-6;
/// assert!(calibration.to_string().starts_with("dispatch 4 us"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Calibration {
    /// A dispatch that waits for the one before and does nothing, with writing its commands.
    pub dispatch: f64,
    /// A multiplication with its addition by each thread of one subgroup, in registers.
    pub subgroup_registers: f64,
    /// The same in a loop that loads both factors from the workgroup's memory.
    pub subgroup_memory: f64,
    /// One of the multiplications of such a loop in a full workgroup: its time, divided by the threads.
    pub workgroup_memory: f64,
    /// The same with as many workgroups as the device has places for, divided by their threads.
    pub device_memory: f64,
    /// The same in registers.
    pub device_registers: f64,
}

impl Calibration {
    /// What is assumed where nothing can be measured, as in a browser: for software what Mesa's lavapipe
    /// takes on two cores, for all else an estimate of a discrete GPU.
    #[must_use]
    pub const fn typical(kind: DeviceKind) -> Self {
        match kind {
            DeviceKind::Software => Self {
                dispatch: 2.5e-5,
                subgroup_registers: 1e-9,
                subgroup_memory: 9e-8,
                workgroup_memory: 1.1e-8,
                device_memory: 5.5e-9,
                device_registers: 5e-11,
            },
            _ => Self {
                dispatch: 4e-6,
                subgroup_registers: 3e-9,
                subgroup_memory: 3e-8,
                workgroup_memory: 2e-10,
                device_memory: 5e-13,
                device_registers: 1e-13,
            },
        }
    }

    /// The numbers with their names.
    pub(crate) fn named(&self) -> [(&'static str, f64); 6] {
        [
            ("dispatch", self.dispatch),
            ("subgroup_registers", self.subgroup_registers),
            ("subgroup_memory", self.subgroup_memory),
            ("workgroup_memory", self.workgroup_memory),
            ("device_memory", self.device_memory),
            ("device_registers", self.device_registers),
        ]
    }

    /// Refuses numbers that are no times.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = self.named().into_iter().find(|(_, time)| !(time.is_finite() && *time > 0.0));
        wrong.map_or(Ok(()), |(name, time)| {
            let expected = format!("it is the seconds of something, `{name}`: more than 0");
            Err(Error::argument("a number of the calibration", time, expected))
        })
    }

    /// Each number to the nearest power of the square root of 2.
    #[cfg(feature = "gpu")]
    pub(crate) fn rounded(self) -> Self {
        let round = |time: f64| (0.5 * (2.0 * time.log2()).round()).exp2();
        Self {
            dispatch: round(self.dispatch),
            subgroup_registers: round(self.subgroup_registers),
            subgroup_memory: round(self.subgroup_memory),
            workgroup_memory: round(self.workgroup_memory),
            device_memory: round(self.device_memory),
            device_registers: round(self.device_registers),
        }
    }
}

/// On one line, each number in a unit that fits.
impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, time)) in self.named().into_iter().enumerate() {
            let between = if i > 0 { ", " } else { "" };
            write!(f, "{between}{} {}", name.replace('_', " "), Seconds(time))?;
        }
        Ok(())
    }
}

/// Seconds with three digits, in a unit that fits.
pub(crate) struct Seconds(pub(crate) f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(f64, &str); 4] = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")];
        let fits = |&&(unit, _): &&(f64, &str)| self.0 >= 0.9995 * unit;
        let (unit, name) = UNITS.iter().find(fits).copied().unwrap_or((1e-12, "ps"));
        let value = self.0 / unit;
        // Three digits: what a rounded number has at the most.
        let digits = (2.0 - value.max(1e-9).log10().floor()).clamp(0.0, 9.0) as usize;
        let text = format!("{value:.digits$}");
        let short = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        write!(f, "{short} {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "gpu")]
    fn numbers_are_rounded_to_halves_of_an_octave() {
        let typical = Calibration::typical(DeviceKind::Discrete);
        for ((name, exact), (_, rounded)) in typical.named().iter().zip(typical.rounded().named()) {
            let halves = 2.0 * rounded.log2();
            assert!((halves - halves.round()).abs() < 1e-9, "{name}: {rounded}");
            assert!((rounded / exact).log2().abs() <= 0.25 + 1e-9, "{name}: {exact}, {rounded}");
        }
    }

    #[test]
    fn seconds_are_shown_in_units_that_fit() {
        let cases = [
            (2.0, "2 s"),
            (0.25, "250 ms"),
            (9.999e-4, "1 ms"),
            (1.2345e-6, "1.23 us"),
            (9.54e-10, "954 ps"),
            (1e-15, "0.001 ps"),
        ];
        for (seconds, text) in cases {
            assert_eq!(Seconds(seconds).to_string(), text);
        }
    }
}
