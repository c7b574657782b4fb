//! The trainer's side of checkpoints: when they are taken, and going on from one.

use std::path::PathBuf;

use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::persist::Checkpoint;

/// What is done with a checkpoint.
type Keep = Box<dyn FnMut(&Checkpoint) -> Result<()>>;

/// When checkpoints are taken, and what is done with them.
pub(super) struct Checkpoints {
    every: usize,
    pub(super) keep: Keep,
}

impl Checkpoints {
    pub(super) fn check(&self) -> Result<()> {
        if self.every == 0 {
            let expected = "a checkpoint is taken after every so many epochs, at least 1";
            return Err(Error::argument("the epochs between checkpoints", 0, expected));
        }
        Ok(())
    }

    /// The epochs that are to be trained after `epoch` until a checkpoint is due.
    pub(super) fn wait(&self, epoch: usize) -> usize {
        self.every - epoch % self.every
    }

    /// Whether a checkpoint is due after `epoch`.
    pub(super) fn due(&self, epoch: usize) -> bool {
        epoch.is_multiple_of(self.every)
    }
}

impl Trainer {
    /// Writes a [`Checkpoint`] to `path` after every `every_epochs` epochs and at the end of the
    /// training: after the last epoch, or when a callback ends it. Each replaces the one before,
    /// whole or not at all. Default: none.
    ///
    /// Epochs between two checkpoints may be trained in one go, so a large number costs nothing.
    /// Counted from the first epoch of the run, resumed or not. 0 is an error of
    /// [`fit`](Self::fit), and so is a file that cannot be written.
    #[must_use]
    pub fn checkpoint(self, path: impl Into<PathBuf>, every_epochs: usize) -> Self {
        let path = path.into();
        self.on_checkpoint(every_epochs, move |checkpoint| checkpoint.save(&path))
    }

    /// Calls `keep` with each checkpoint, at the times of [`checkpoint`](Self::checkpoint) and in
    /// its place; for keeping them elsewhere than in one file. An error of `keep` ends the training
    /// with it.
    #[must_use]
    pub fn on_checkpoint(
        mut self,
        every_epochs: usize,
        keep: impl FnMut(&Checkpoint) -> Result<()> + 'static,
    ) -> Self {
        self.checkpoints = Some(Checkpoints { every: every_epochs, keep: Box::new(keep) });
        self
    }

    /// Lets the next [`fit`](Self::fit) go on from the checkpoint in a file, bitwise as the run
    /// would have gone on: see [`resume_from`](Self::resume_from).
    ///
    /// # Errors
    /// Those of [`Checkpoint::load`].
    pub fn resume(self, path: impl Into<PathBuf>) -> Result<Self> {
        Ok(self.resume_from(Checkpoint::load(path.into())?))
    }

    /// Lets the next [`fit`](Self::fit) go on from a checkpoint, bitwise as the run would have gone
    /// on: on the same device, with the same data. On a GPU
    /// [`Strategy::Auto`](crate::device::Strategy::Auto) looks at how many epochs are planned, and at the
    /// device's [`calibration`](crate::Device::calibration): give a run that is resumed with more epochs, or
    /// elsewhere, a strategy by name.
    ///
    /// The network's parameters become those of the checkpoint. [`epochs`](Self::epochs) is the
    /// number of all epochs, those before the checkpoint included; they keep their numbers, and the
    /// history holds those that are trained now. What callbacks count is not in a checkpoint.
    ///
    /// `fit` then gives [`Error::Argument`] if the network's layers, the loss, its reduction, its class
    /// or positive weights, the optimizer or one of its constants, batch size, shuffling, seed, or the
    /// number of rows differ from the checkpoint's, or if it has more epochs than are to be trained.
    #[must_use]
    pub fn resume_from(mut self, checkpoint: Checkpoint) -> Self {
        self.resume = Some(checkpoint);
        self
    }
}
