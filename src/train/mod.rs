//! Training: the [`Trainer`], what it reports, and how results are measured.

mod checkpoint;
mod engine;
mod flight;
mod gradient_check;
mod gradients;
mod history;
mod metric;
mod objective;
mod progress;
mod resident;
mod run;
mod stopwatch;
mod trainer;
mod validation;
mod watch;

pub use gradient_check::{GradientCheck, GradientReport, ParameterCheck};
pub use gradients::Gradients;
pub use history::{EpochRecord, History};
pub use metric::Metric;
pub use trainer::Trainer;
pub(crate) use watch::Watch;
