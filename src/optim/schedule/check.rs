//! What the settings of a schedule have to be.

use std::fmt::Display;

use super::{OneCycle, Plateau, Schedule};
use crate::error::{Error, Result};

/// Refuses a setting unless it fits.
fn need(fits: bool, what: &'static str, value: impl Display, expected: &str) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::argument(what, value, expected)) }
}

fn factor(what: &'static str, value: f64) -> Result<()> {
    need(value.is_finite() && value > 0.0, what, value, "a finite number above 0")
}

fn not_negative(what: &'static str, value: f64) -> Result<()> {
    need(value.is_finite() && value >= 0.0, what, value, "a finite number, at least 0")
}

fn length(what: &'static str, value: u64) -> Result<()> {
    need(value > 0, what, value, "at least 1")
}

fn ascending(what: &'static str, list: &[u64]) -> Result<()> {
    let ascends = list.windows(2).all(|pair| pair[0] < pair[1]);
    need(ascends, what, format!("{list:?}"), "each must be larger than the one before")
}

impl Schedule {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Argument`] with the first that makes no sense, and where more than one rule looks at
    /// the loss.
    pub fn check(&self) -> Result<()> {
        let rules = self.rules();
        let expected = "only one rule of a schedule can look at the loss (plateau, adaptive)";
        need(rules <= 1, "the number of rules that look at the loss", rules, expected)?;
        self.check_settings()
    }

    fn check_settings(&self) -> Result<()> {
        match self {
            Self::Constant => Ok(()),
            Self::Step { every, factor: by } => {
                length("the length of a schedule's step", *every)?;
                factor("the factor of a step schedule", *by)
            }
            Self::MultiStep { milestones, factor: by } => {
                ascending("the milestones of a schedule", milestones)?;
                factor("the factor of a multi-step schedule", *by)
            }
            Self::Exponential { factor: by } => {
                factor("the factor of an exponential schedule", *by)
            }
            Self::Polynomial { length: end, power } => {
                length("the length of a polynomial schedule", *end)?;
                not_negative("the power of a polynomial schedule", *power)
            }
            Self::InverseScaling { power, samples } => {
                length("the samples of an inverse scaling schedule", *samples)?;
                not_negative("the power of an inverse scaling schedule", *power)
            }
            Self::Cosine { length: end, minimum } => {
                length("the length of a cosine schedule", *end)?;
                not_negative("the minimum of a cosine schedule", *minimum)
            }
            Self::WarmRestarts { length: first, growth, minimum } => {
                length("the first length of warm restarts", *first)?;
                length("the growth of warm restarts", *growth)?;
                not_negative("the minimum of warm restarts", *minimum)
            }
            Self::OneCycle(cycle) => cycle.check(),
            Self::Warmup { start, then, .. } => {
                let fits = (0.0..=1.0).contains(start);
                need(fits, "the start of a warm-up", start, "a share of the rate, 0 to 1")?;
                then.check_settings()
            }
            Self::Sequence { parts, milestones } => {
                let fits = milestones.len() + 1 == parts.len();
                let expected = format!("{} schedules need one less", parts.len());
                need(fits, "the number of milestones of a sequence", milestones.len(), &expected)?;
                ascending("the milestones of a sequence", milestones)?;
                parts.iter().try_for_each(Self::check_settings)
            }
            Self::Chain(parts) => parts.iter().try_for_each(Self::check_settings),
            Self::Plateau(plateau) => plateau.check(),
            Self::Adaptive(adaptive) => {
                not_negative("the tol of an adaptive schedule", adaptive.tol)
            }
        }
    }

    /// How many of its rules look at the loss.
    fn rules(&self) -> usize {
        let own = matches!(self, Self::Plateau(_) | Self::Adaptive(_));
        usize::from(own) + self.parts().into_iter().map(Self::rules).sum::<usize>()
    }
}

impl OneCycle {
    fn check(&self) -> Result<()> {
        not_negative("the maximum of a one-cycle schedule", self.maximum)?;
        length("the length of a one-cycle schedule", self.length)?;
        let rises = self.rise > 0.0 && self.rise < 1.0;
        need(rises, "the rise of a one-cycle schedule", self.rise, "a share between 0 and 1")?;
        factor("the start divisor of a one-cycle schedule", self.start_divisor)?;
        factor("the end divisor of a one-cycle schedule", self.end_divisor)?;
        let range = 0.0..1.0;
        let fits = |momentum: f64| range.contains(&momentum);
        let (least, most) = self.momentum.unwrap_or_default();
        let expected = "a number from 0 to less than 1";
        need(fits(least), "the least momentum of a one-cycle schedule", least, expected)?;
        need(fits(most), "the largest momentum of a one-cycle schedule", most, expected)
    }
}

impl Plateau {
    fn check(&self) -> Result<()> {
        let falls = self.factor > 0.0 && self.factor < 1.0;
        need(falls, "the factor of a plateau schedule", self.factor, "between 0 and 1")?;
        not_negative("the threshold of a plateau schedule", self.threshold)?;
        not_negative("the minimum of a plateau schedule", self.minimum)?;
        not_negative("the epsilon of a plateau schedule", self.epsilon)
    }
}
