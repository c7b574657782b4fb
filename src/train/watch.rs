//! What looks at a run after its epochs, and may end it.

use std::ops::ControlFlow;

use super::history::EpochRecord;
use super::stopping::StopReason;
use super::trainer::Trainer;
use crate::error::Result;

/// Sees every epoch of a run.
pub(crate) trait Watch {
    /// A run begins.
    fn begin(&mut self) {}

    /// Checks that the trainer has what it needs to see.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument).
    fn check(&self, _trainer: &Trainer) -> Result<()> {
        Ok(())
    }

    /// The epochs that may be trained before it has to look again, at least 1.
    fn patience(&self) -> usize;

    /// Sees an epoch, and the parameters at the end of the epochs that were trained at once: its
    /// own where the patience is 1. It breaks no earlier than at the end of its patience, unless it
    /// does not matter to it how many epochs follow.
    fn epoch(&mut self, record: &EpochRecord, parameters: &[f32]) -> ControlFlow<StopReason>;

    /// The parameters that the network is to have at the end, if not the last ones.
    fn restore(&mut self) -> Option<Vec<f32>> {
        None
    }
}

/// A function that sees every epoch as soon as it is done.
pub(super) struct Callback<F>(pub(super) F);

impl<F: FnMut(&EpochRecord) -> ControlFlow<()>> Watch for Callback<F> {
    fn patience(&self) -> usize {
        1
    }

    fn epoch(&mut self, record: &EpochRecord, _parameters: &[f32]) -> ControlFlow<StopReason> {
        match (self.0)(record) {
            ControlFlow::Break(()) => ControlFlow::Break(StopReason::Callback),
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
        }
    }
}
