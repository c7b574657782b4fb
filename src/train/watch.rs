//! What looks at a run after its epochs, and may end it.

use std::ops::ControlFlow;

use super::history::EpochRecord;

/// Sees every epoch of a run.
pub(crate) trait Watch {
    /// The epochs that may be trained before it has to look again, at least 1.
    fn patience(&self) -> usize;

    /// Sees an epoch, and the parameters at the end of the epochs that were trained at once: its
    /// own where the patience is 1. It breaks no earlier than at the end of its patience.
    fn epoch(&mut self, record: &EpochRecord, parameters: &[f32]) -> ControlFlow<()>;
}

/// A function that sees every epoch as soon as it is done.
pub(super) struct Callback<F>(pub(super) F);

impl<F: FnMut(&EpochRecord) -> ControlFlow<()>> Watch for Callback<F> {
    fn patience(&self) -> usize {
        1
    }

    fn epoch(&mut self, record: &EpochRecord, _parameters: &[f32]) -> ControlFlow<()> {
        (self.0)(record)
    }
}
