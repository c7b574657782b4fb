//! Schedules: how the learning rate, and in one of them the momentum, goes over a training.
//!
//! A [`Schedule`] is data. Its rate is a function of the optimizer's own rate b and of k, the number
//! of epochs or steps that were taken before ([`Pacing`]). Two rules look at the loss of each epoch
//! as well, [`Plateau`] and [`Adaptive`]; what they remember is in checkpoints.
//!
//! | schedule | rate | the same in PyTorch or scikit-learn |
//! | --- | --- | --- |
//! | [`Constant`](Schedule::Constant) | b | |
//! | [`Step`](Schedule::Step) | b `factor`^floor(k / `every`) | `StepLR` |
//! | [`MultiStep`](Schedule::MultiStep) | b `factor`^(number of milestones <= k) | `MultiStepLR` |
//! | [`Exponential`](Schedule::Exponential) | b `factor`^k | `ExponentialLR` |
//! | [`Polynomial`](Schedule::Polynomial) | b (1 - k / `length`)^`power` | `PolynomialLR` |
//! | [`InverseScaling`](Schedule::InverseScaling) | b / (1 + `samples` k)^`power` | `invscaling` |
//! | [`Cosine`](Schedule::Cosine) | from b to `minimum` on a half cosine | `CosineAnnealingLR` |
//! | [`WarmRestarts`](Schedule::WarmRestarts) | such half cosines again and again | `CosineAnnealingWarmRestarts` |
//! | [`OneCycle`] | up to a maximum and down to nearly 0; the momentum the other way | `OneCycleLR` |
//! | [`Warmup`](Schedule::Warmup) | a line up to the schedule that follows | `LinearLR` in `SequentialLR` |
//! | [`Sequence`](Schedule::Sequence) | one schedule after another | `SequentialLR` |
//! | [`Chain`](Schedule::Chain) | each takes the rate of the one before as b | `ChainedScheduler` |
//! | [`Plateau`] | less where the loss stays as it is | `ReduceLROnPlateau` |
//! | [`Adaptive`] | a fifth where the loss stays as it is | `adaptive` |

mod check;
mod one_cycle;
mod rate;
mod watch;

use serde::{Deserialize, Serialize};

pub use one_cycle::OneCycle;
pub(crate) use watch::Watched;
pub use watch::{Adaptive, Monitor, Plateau};

/// How the learning rate goes over a training; see the table of the [module](self).
///
/// ```
/// use wgrad::optim::schedule::Schedule;
///
/// let schedule = Schedule::cosine(20).after_warmup(5, 0.1);
/// assert_eq!(schedule.rate(0.1, 0), 0.1 * 0.1);
/// assert_eq!(schedule.rate(0.1, 5), 0.1);
/// assert!(schedule.rate(0.1, 25) < 1e-9);
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schedule {
    /// The optimizer's rate.
    #[default]
    Constant,
    /// Times `factor` after every so many.
    Step {
        /// How many have the same rate, at least 1.
        every: u64,
        /// What the rate is multiplied by, more than 0.
        factor: f64,
    },
    /// Times `factor` at each milestone.
    MultiStep {
        /// Where the rate changes, ascending.
        milestones: Vec<u64>,
        /// What the rate is multiplied by, more than 0.
        factor: f64,
    },
    /// Times `factor` each time.
    Exponential {
        /// What the rate is multiplied by, more than 0.
        factor: f64,
    },
    /// b (1 - k / `length`)^`power`, and 0 from `length` on.
    Polynomial {
        /// Where the rate is 0, at least 1.
        length: u64,
        /// The power, at least 0.
        power: f64,
    },
    /// b / (1 + `samples` k)^`power`; scikit-learn's `invscaling`, which counts samples.
    InverseScaling {
        /// The power, scikit-learn's `power_t`, at least 0.
        power: f64,
        /// How many samples one epoch (or step) has; 1 counts epochs themselves.
        samples: u64,
    },
    /// `minimum` + (b - `minimum`)(1 + cos(pi k / `length`)) / 2, and `minimum` from `length` on
    /// (where PyTorch's rate rises again).
    Cosine {
        /// Where the rate is least, at least 1.
        length: u64,
        /// The least rate.
        minimum: f64,
    },
    /// [`Cosine`](Self::Cosine) that begins again at its end, each time `growth` times as long
    /// (Loshchilov and Hutter, 2017).
    WarmRestarts {
        /// The first length, at least 1.
        length: u64,
        /// What the length is multiplied by each time, at least 1.
        growth: u64,
        /// The least rate.
        minimum: f64,
    },
    /// One rise and one fall; the momentum goes the other way.
    OneCycle(OneCycle),
    /// A line from `start` times the first rate of another schedule up to it; that schedule then
    /// counts from 0.
    Warmup {
        /// The length of the rise.
        length: u64,
        /// The share of the rate that it begins with, 0 to 1.
        start: f64,
        /// What comes after.
        then: Box<Schedule>,
    },
    /// One schedule after another, each counting from 0.
    Sequence {
        /// The schedules, in order.
        parts: Vec<Schedule>,
        /// Where the second and each later one begins, ascending.
        milestones: Vec<u64>,
    },
    /// Schedules on top of each other: each takes the rate of the one before for the optimizer's.
    Chain(Vec<Schedule>),
    /// Less where the loss stays as it is.
    Plateau(Plateau),
    /// A fifth where the loss stays as it is, and an end to the training.
    Adaptive(Adaptive),
}

impl Schedule {
    /// Times `factor` after every `every`.
    #[must_use]
    pub fn step(every: u64, factor: f64) -> Self {
        Self::Step { every, factor }
    }

    /// Times `factor` at each of the milestones.
    #[must_use]
    pub fn multi_step(milestones: impl Into<Vec<u64>>, factor: f64) -> Self {
        Self::MultiStep { milestones: milestones.into(), factor }
    }

    /// Times `factor` each time.
    #[must_use]
    pub fn exponential(factor: f64) -> Self {
        Self::Exponential { factor }
    }

    /// b (1 - k / `length`)^`power`.
    #[must_use]
    pub fn polynomial(length: u64, power: f64) -> Self {
        Self::Polynomial { length, power }
    }

    /// b / (1 + k)^`power`.
    #[must_use]
    pub fn inverse_scaling(power: f64) -> Self {
        Self::InverseScaling { power, samples: 1 }
    }

    /// A half cosine from b to 0.
    #[must_use]
    pub fn cosine(length: u64) -> Self {
        Self::Cosine { length, minimum: 0.0 }
    }

    /// Half cosines from b to 0, each `growth` times as long as the one before.
    #[must_use]
    pub fn warm_restarts(length: u64, growth: u64) -> Self {
        Self::WarmRestarts { length, growth, minimum: 0.0 }
    }

    /// The same after a rise over `length`, from `start` times its first rate.
    #[must_use]
    pub fn after_warmup(self, length: u64, start: f64) -> Self {
        Self::Warmup { length, start, then: Box::new(self) }
    }

    /// The same, counted by training steps.
    #[must_use]
    pub fn per_step(self) -> Pacing {
        Pacing { schedule: self, unit: Unit::Step }
    }

    /// The same, counted by epochs.
    #[must_use]
    pub fn per_epoch(self) -> Pacing {
        Pacing { schedule: self, unit: Unit::Epoch }
    }
}

impl From<OneCycle> for Schedule {
    fn from(cycle: OneCycle) -> Self {
        Self::OneCycle(cycle)
    }
}

impl From<Plateau> for Schedule {
    fn from(plateau: Plateau) -> Self {
        Self::Plateau(plateau)
    }
}

impl From<Adaptive> for Schedule {
    fn from(adaptive: Adaptive) -> Self {
        Self::Adaptive(adaptive)
    }
}

/// What a schedule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Epochs: all steps of an epoch have one rate.
    #[default]
    Epoch,
    /// Training steps.
    Step,
}

/// A schedule and what it counts: epochs, unless [`Schedule::per_step`] says otherwise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pacing {
    /// The schedule.
    pub schedule: Schedule,
    /// What it counts.
    pub unit: Unit,
}

impl<S: Into<Schedule>> From<S> for Pacing {
    fn from(schedule: S) -> Self {
        schedule.into().per_epoch()
    }
}
