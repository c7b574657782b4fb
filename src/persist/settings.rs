//! The settings that a resumed run has to share with the run that it goes on from.

use serde::{Deserialize, Serialize};

use crate::device::Precision;
use crate::nn::{Loss, LossReduction};
use crate::optim::schedule::Pacing;
use crate::optim::{Groups, Optimizer, Regularization};
use crate::program::names;

/// The settings that decide what a run computes, beside network and data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunSettings {
    pub(crate) loss: Loss,
    #[serde(default)]
    pub(crate) reduction: LossReduction,
    #[serde(default)]
    pub(crate) class_weights: Option<Vec<f32>>,
    #[serde(default)]
    pub(crate) positive_weights: Option<Vec<f32>>,
    pub(crate) optimizer: Optimizer,
    #[serde(default)]
    pub(crate) groups: Groups,
    #[serde(default)]
    pub(crate) schedule: Pacing,
    #[serde(default)]
    pub(crate) regularization: Regularization,
    #[serde(default)]
    pub(crate) precision: Precision,
    pub(crate) batch_size: usize,
    /// The minibatches of an update.
    pub(crate) accumulate: usize,
    pub(crate) shuffle: bool,
    pub(crate) seed: u64,
    /// The rows of the data; 0 while there are none.
    pub(crate) rows: usize,
}

impl RunSettings {
    /// Batches of 32 rows, each with an update of its own, reshuffled, from seed 0.
    pub(crate) fn new(loss: Loss, optimizer: Optimizer) -> Self {
        Self {
            loss,
            reduction: LossReduction::default(),
            class_weights: None,
            positive_weights: None,
            optimizer,
            groups: Groups::default(),
            schedule: Pacing::default(),
            regularization: Regularization::default(),
            precision: Precision::F32,
            batch_size: 32,
            accumulate: 1,
            shuffle: true,
            seed: 0,
            rows: 0,
        }
    }

    /// The same over all rows at once, as they lie, all parameters treated alike: for what is asked
    /// of a batch and moves nothing.
    pub(crate) fn one_batch(self, rows: usize) -> Self {
        let groups = Groups::default();
        Self { batch_size: rows, accumulate: 1, shuffle: false, groups, ..self }
    }

    /// The buffers beside the model's parameters that a run goes on from; a tensor's name begins
    /// with its buffer's. Where the model is the average, the parameters themselves are one.
    pub(crate) fn state(&self) -> Vec<&'static str> {
        let raw = self.regularization.average.map(|_| names::PARAMETERS);
        names::MOMENTS.into_iter().take(self.optimizer.moments()).chain(raw).collect()
    }
}
