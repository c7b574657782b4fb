//! The one-cycle policy.

use serde::{Deserialize, Serialize};

use super::Schedule;
use super::rate::half_cosine;

/// One rise to a large rate and one fall to nearly 0, each on a half cosine, while the momentum
/// falls and rises (Smith and Topin, 2018), PyTorch's `OneCycleLR`.
///
/// The optimizer's own rate plays no part, and its momentum (or beta1) is cycled if it has one. After
/// its end the rate stays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// The largest rate.
    pub maximum: f64,
    /// The epochs or steps of the cycle, at least 1; PyTorch's `total_steps`.
    pub length: u64,
    /// The share of the rise, between 0 and 1; default 0.3.
    pub rise: f64,
    /// What the first rate is the largest one divided by; default 25.
    pub start_divisor: f64,
    /// What the last rate is the first one divided by; default 10,000.
    pub end_divisor: f64,
    /// The least momentum, at the largest rate, and the largest one, at both ends; default 0.85 and
    /// 0.95. None leaves the momentum alone.
    pub momentum: Option<(f64, f64)>,
}

impl OneCycle {
    /// A cycle with PyTorch's defaults.
    #[must_use]
    pub fn new(maximum: f64, length: u64) -> Self {
        Self {
            maximum,
            length,
            rise: 0.3,
            start_divisor: 25.0,
            end_divisor: 1e4,
            momentum: Some((0.85, 0.95)),
        }
    }

    /// The same, counted by training steps.
    #[must_use]
    pub fn per_step(self) -> super::Pacing {
        Schedule::from(self).per_step()
    }

    pub(super) fn rate(&self, k: u64) -> f64 {
        let start = self.maximum / self.start_divisor;
        self.wave(k, start, self.maximum, start / self.end_divisor)
    }

    pub(super) fn momentum_at(&self, k: u64) -> Option<f64> {
        self.momentum.map(|(least, most)| self.wave(k, most, least, most))
    }

    /// From `start` to `peak` and on to `end`.
    fn wave(&self, k: u64, start: f64, peak: f64, end: f64) -> f64 {
        let last = self.length.saturating_sub(1) as f64;
        let turn = self.rise * self.length as f64 - 1.0;
        let k = (k as f64).min(last);
        if k <= turn && turn > 0.0 {
            half_cosine(start, peak, k / turn)
        } else {
            half_cosine(peak, end, (k - turn) / (last - turn))
        }
    }
}
