//! Training: the [`Trainer`], what it reports, and how results are measured.

mod checkpoint;
mod engine;
mod flight;
mod gradient_check;
mod gradients;
mod groups;
mod history;
mod lbfgs;
mod many;
mod metric;
mod objective;
mod pacing;
mod progress;
mod range_test;
mod recording;
mod regularize;
mod resident;
mod run;
mod stopping;
mod trace;
mod trainer;
mod validation;
mod watch;

pub use gradient_check::{GradientCheck, GradientReport, ParameterCheck};
pub use gradients::Gradients;
pub use history::{EpochRecord, History};
pub use lbfgs::{Ending, Minimum};
pub use many::{train_many, train_many_async};
pub use metric::Metric;
pub use range_test::{RangeTest, RateScan, Suggestion};
pub use recording::{Recording, Series};
pub(crate) use stopping::Stagnation;
pub use stopping::{EarlyStopping, Monitor, StopReason};
pub use trace::{LayerTrace, LayerValues, Summary, Trace, Traces};
pub use trainer::Trainer;
pub(crate) use watch::Watch;
