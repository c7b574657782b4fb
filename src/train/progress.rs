//! The progress bar: the strategy, then loss, time left, samples a second. Silent where output is not a terminal.

use super::history::EpochRecord;
use crate::device::Strategy;

/// A bar over the epochs of a run, or nothing.
pub(super) struct Progress {
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
    #[cfg(feature = "progress")]
    rows: usize,
}

#[cfg(feature = "progress")]
impl Progress {
    pub(super) fn new(shown: bool, epochs: usize, rows: usize) -> Self {
        let bar = shown.then(|| {
            let bar = indicatif::ProgressBar::new(epochs as u64);
            // A template that is a constant of the program is either always right or never.
            if let Ok(style) = indicatif::ProgressStyle::with_template(
                "{bar:32.cyan/dim} {pos}/{len} epochs, {msg}, {eta} left",
            ) {
                bar.set_style(style.progress_chars("━━─"));
            }
            bar
        });
        Self { bar, rows }
    }

    /// Says above the bar how the steps are executed, and why.
    pub(super) fn begin(&self, strategy: Strategy, reason: &str) {
        if let Some(bar) = &self.bar {
            bar.println(format!("strategy {strategy}: {reason}"));
        }
    }

    pub(super) fn update(&self, last: &EpochRecord) {
        let Some(bar) = &self.bar else { return };
        let rate = self.rows as f64 / last.seconds.max(1e-9);
        let validation =
            last.validation_loss.map(|loss| format!(", validation {loss:.5}")).unwrap_or_default();
        bar.set_message(format!(
            "loss {:.5}{validation}, {} samples/s",
            last.train_loss,
            indicatif::HumanCount(rate as u64)
        ));
        bar.set_position(last.epoch as u64);
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}

#[cfg(not(feature = "progress"))]
impl Progress {
    pub(super) fn new(_shown: bool, _epochs: usize, _rows: usize) -> Self {
        Self {}
    }

    pub(super) fn begin(&self, _strategy: Strategy, _reason: &str) {}

    pub(super) fn update(&self, _last: &EpochRecord) {}

    pub(super) fn finish(&self) {}
}
