//! The rules that look at the loss of each epoch, and what they remember.

use serde::{Deserialize, Serialize};

use super::Schedule;

/// Which loss a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// That of the validation set, or the training loss where there is none.
    #[default]
    Validation,
    /// The training loss.
    Training,
}

/// A smaller rate where the loss has not become better for some epochs, PyTorch's
/// `ReduceLROnPlateau`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// What the rate is multiplied by, between 0 and 1; default 0.1.
    pub factor: f64,
    /// The epochs without improvement that are waited for; more of them reduce the rate; default 10.
    pub patience: u64,
    /// By what share of the best loss a loss must be less to be better, or by how much if
    /// [`relative`](Self::relative) is false; default 1e-4.
    pub threshold: f64,
    /// Whether the threshold is a share of the best loss; default true.
    pub relative: bool,
    /// The epochs after a reduction that do not count; default 0.
    pub cooldown: u64,
    /// The least rate; default 0.
    pub minimum: f64,
    /// Smaller changes of the rate are not made; default 1e-8.
    pub epsilon: f64,
    /// Which loss it looks at; default the validation set's.
    pub monitor: Monitor,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            relative: true,
            cooldown: 0,
            minimum: 0.0,
            epsilon: 1e-8,
            monitor: Monitor::Validation,
        }
    }
}

impl Plateau {
    fn is_better(&self, loss: f64, best: f64) -> bool {
        let margin = if self.relative { self.threshold * best } else { self.threshold };
        loss < best - margin
    }

    /// PyTorch's `ReduceLROnPlateau.step`.
    fn observe(&self, loss: f64, seen: &mut Watched) {
        if seen.best.is_none_or(|best| self.is_better(loss, best)) {
            seen.best = Some(loss);
            seen.waited = 0;
        } else {
            seen.waited += 1;
        }
        if seen.cooldown > 0 {
            seen.cooldown -= 1;
            seen.waited = 0;
        }
        if seen.waited > self.patience {
            seen.reductions += 1;
            seen.cooldown = self.cooldown;
            seen.waited = 0;
        }
    }

    pub(super) fn rate(&self, base: f64, seen: &Watched) -> f64 {
        let mut rate = base;
        for _ in 0..seen.reductions {
            let less = (rate * self.factor).max(self.minimum);
            if rate - less <= self.epsilon {
                break;
            }
            rate = less;
        }
        rate
    }
}

/// scikit-learn's `adaptive`: a fifth of the rate where the loss has not become less by `tol` for
/// more than `n_iter_no_change` epochs, and the end of the training where the rate is 1e-6 or less.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adaptive {
    /// By how much a loss must be less than the best one; default 1e-4.
    pub tol: f64,
    /// The epochs without improvement that are waited for; default 10.
    pub n_iter_no_change: u64,
    /// Which loss it looks at; default the training loss, as in scikit-learn.
    pub monitor: Monitor,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self { tol: 1e-4, n_iter_no_change: 10, monitor: Monitor::Training }
    }
}

impl Adaptive {
    const DIVISOR: f64 = 5.0;
    const LEAST: f64 = 1e-6;

    fn observe(&self, base: f64, loss: f64, seen: &mut Watched) {
        if seen.best.is_some_and(|best| loss > best - self.tol) {
            seen.waited += 1;
        } else {
            seen.waited = 0;
        }
        seen.best = Some(seen.best.map_or(loss, |best| best.min(loss)));
        if seen.waited <= self.n_iter_no_change {
            return;
        }
        if Self::rate(base, seen) <= Self::LEAST {
            seen.stopped = true;
        } else {
            seen.reductions += 1;
            seen.waited = 0;
        }
    }

    pub(super) fn rate(base: f64, seen: &Watched) -> f64 {
        base / Self::DIVISOR.powf(seen.reductions as f64)
    }
}

/// What a rule remembers of the losses that it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watched {
    best: Option<f64>,
    /// The epochs since the last improvement.
    waited: u64,
    cooldown: u64,
    reductions: u64,
    /// Whether the training is to end.
    pub(crate) stopped: bool,
}

impl Schedule {
    /// Shows the rule, if there is one, the loss of the epoch that ended at `k`.
    pub(crate) fn observe(&self, base: f64, k: u64, loss: f64, seen: &mut Watched) {
        match self {
            Self::Plateau(plateau) => plateau.observe(loss, seen),
            Self::Adaptive(adaptive) => adaptive.observe(base, loss, seen),
            Self::Warmup { length, then, .. } if k >= *length => {
                then.observe(base, k - length, loss, seen);
            }
            Self::Sequence { .. } => {
                if let Some((part, k)) = self.part(k) {
                    part.observe(base, k, loss, seen);
                }
            }
            Self::Chain(parts) => {
                let mut rate = base;
                for part in parts {
                    let next = part.rate_given(rate, k, seen);
                    part.observe(rate, k, loss, seen);
                    rate = next;
                }
            }
            _ => {}
        }
    }

    /// Which loss the rule looks at, if there is one.
    pub(crate) fn monitor(&self) -> Option<Monitor> {
        match self {
            Self::Plateau(plateau) => Some(plateau.monitor),
            Self::Adaptive(adaptive) => Some(adaptive.monitor),
            _ => self.parts().iter().find_map(|part| part.monitor()),
        }
    }

    /// The least number of epochs after which the rule may change something.
    pub(crate) fn patience(&self, seen: &Watched) -> u64 {
        match self {
            Self::Plateau(plateau) => {
                let rest = plateau.patience.saturating_add(1).saturating_sub(seen.waited);
                seen.cooldown.saturating_add(rest).max(1)
            }
            Self::Adaptive(adaptive) => {
                adaptive.n_iter_no_change.saturating_add(1).saturating_sub(seen.waited).max(1)
            }
            _ => self.parts().iter().map(|part| part.patience(seen)).min().unwrap_or(u64::MAX),
        }
    }

    /// The schedules that this one is made of.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Warmup { then, .. } => vec![then],
            Self::Sequence { parts, .. } | Self::Chain(parts) => parts.iter().collect(),
            _ => Vec::new(),
        }
    }
}
