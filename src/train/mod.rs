//! Training: the [`Trainer`], what it reports, and how results are measured.

mod checkpoint;
mod engine;
mod flight;
mod gradients;
mod groups;
mod history;
mod lbfgs;
mod metric;
mod pacing;
mod progress;
mod resident;
mod run;
mod stopwatch;
mod trainer;
mod validation;
mod watch;

pub use gradients::Gradients;
pub use history::{EpochRecord, History};
pub use lbfgs::{Ending, Minimum};
pub use metric::Metric;
pub use trainer::Trainer;
pub(crate) use watch::Watch;
