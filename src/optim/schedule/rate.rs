//! The rate and the momentum of a schedule.

use std::f64::consts::PI;

use super::{Schedule, Watched};

/// The way from `start` to `end` on a half cosine, of which `part` is done.
pub(super) fn half_cosine(start: f64, end: f64, part: f64) -> f64 {
    end + (start - end) * (1.0 + (PI * part).cos()) / 2.0
}

impl Schedule {
    /// The rate after `k` epochs or steps, from the optimizer's rate; of a rule that looks at losses
    /// as long as it has seen none.
    #[must_use]
    pub fn rate(&self, base: f64, k: u64) -> f64 {
        self.rate_given(base, k, &Watched::default())
    }

    /// The momentum (or beta1) after `k` epochs or steps, where it is not the optimizer's own.
    #[must_use]
    pub fn momentum(&self, k: u64) -> Option<f64> {
        match self {
            Self::OneCycle(cycle) => cycle.momentum_at(k),
            Self::Warmup { length, then, .. } => then.momentum(k.saturating_sub(*length)),
            Self::Sequence { .. } => self.part(k).and_then(|(part, k)| part.momentum(k)),
            Self::Chain(parts) => parts.iter().rev().find_map(|part| part.momentum(k)),
            _ => None,
        }
    }

    /// The rate, given what was seen of the losses.
    pub(crate) fn rate_given(&self, base: f64, k: u64, watched: &Watched) -> f64 {
        match self {
            Self::Constant => base,
            Self::Step { every, factor } => base * power(*factor, k / (*every).max(1)),
            Self::MultiStep { milestones, factor } => {
                let passed = milestones.iter().filter(|&&milestone| milestone <= k).count();
                base * power(*factor, passed as u64)
            }
            Self::Exponential { factor } => base * power(*factor, k),
            Self::Polynomial { length, power } => {
                base * (1.0 - k.min(*length) as f64 / *length as f64).powf(*power)
            }
            Self::InverseScaling { power, samples } => {
                base / (1.0 + *samples as f64 * k as f64).powf(*power)
            }
            Self::Cosine { length, minimum } => {
                half_cosine(base, *minimum, k.min(*length) as f64 / *length as f64)
            }
            Self::WarmRestarts { length, growth, minimum } => {
                let (k, length) = cycle(k, *length, *growth);
                half_cosine(base, *minimum, k as f64 / length as f64)
            }
            Self::OneCycle(cycle) => cycle.rate(k),
            Self::Warmup { length, start, then } => {
                let after = then.rate_given(base, k.saturating_sub(*length), watched);
                let done = k.min(*length) as f64 / (*length).max(1) as f64;
                if k < *length { after * (start + (1.0 - start) * done) } else { after }
            }
            Self::Sequence { .. } => {
                self.part(k).map_or(base, |(part, k)| part.rate_given(base, k, watched))
            }
            Self::Chain(parts) => {
                parts.iter().fold(base, |rate, part| part.rate_given(rate, k, watched))
            }
            Self::Plateau(plateau) => plateau.rate(base, watched),
            Self::Adaptive(_) => super::Adaptive::rate(base, watched),
        }
    }

    /// The part of a sequence that is on after `k`, and where it is.
    pub(super) fn part(&self, k: u64) -> Option<(&Self, u64)> {
        let Self::Sequence { parts, milestones } = self else { return None };
        let at = milestones.iter().take_while(|&&milestone| milestone <= k).count();
        let begin = if at == 0 { 0 } else { milestones[at - 1] };
        parts.get(at).map(|part| (part, k - begin))
    }
}

fn power(factor: f64, exponent: u64) -> f64 {
    factor.powf(exponent as f64)
}

/// Where `k` is in its cycle, and how long that is; cycles grow by a factor.
fn cycle(k: u64, first: u64, growth: u64) -> (u64, u64) {
    if growth <= 1 {
        return (k % first.max(1), first.max(1));
    }
    let (mut rest, mut length) = (k, first.max(1));
    while rest >= length {
        rest -= length;
        length = length.saturating_mul(growth);
    }
    (rest, length)
}
