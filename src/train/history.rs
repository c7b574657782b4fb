//! What a training run leaves to be looked at.

use serde::{Deserialize, Serialize};

use super::metric::Metric;
use super::recording::Recording;
use super::stopping::StopReason;
use super::trace::Traces;
use crate::device::Strategy;

/// One epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The mean of the losses of the epoch's steps, each before its update, weighted by what its rows
    /// count; their sum where the loss is a sum ([`LossReduction::Sum`](crate::nn::LossReduction)).
    pub train_loss: f64,
    /// The mean of the loss's terms on the validation set after the epoch, if there is one.
    pub validation_loss: Option<f64>,
    /// The metrics on the validation set, by name, in the order asked for.
    pub metrics: Vec<(String, f64)>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// The seconds that the epoch took; 0 where there is no clock.
    pub seconds: f64,
}

/// Every epoch of a run, and every step's loss if asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// The epochs, first to last.
    pub epochs: Vec<EpochRecord>,
    /// The loss of every step before its update; empty unless recorded.
    pub step_losses: Vec<f32>,
    /// The parameters and gradients that were asked for.
    pub recording: Recording,
    /// The traces that were asked for.
    #[serde(default)]
    pub traces: Traces,
    /// Why the run ended.
    pub stop_reason: StopReason,
    /// How the device ran the steps.
    #[serde(default)]
    pub strategy: Strategy,
    /// Why like that, on one line: for a strategy that was chosen what each was expected to take.
    #[serde(default)]
    pub strategy_reason: String,
}

impl EpochRecord {
    /// A metric on the validation set, if it was asked for.
    #[must_use]
    pub fn metric(&self, metric: impl Into<Metric>) -> Option<f64> {
        let name = metric.into().name();
        self.metrics.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
    }
}

impl History {
    /// The training loss of every epoch.
    #[must_use]
    pub fn train_losses(&self) -> Vec<f64> {
        self.epochs.iter().map(|epoch| epoch.train_loss).collect()
    }

    /// The validation loss of every epoch that has one.
    #[must_use]
    pub fn validation_losses(&self) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.validation_loss).collect()
    }

    /// The last epoch.
    #[must_use]
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }

    /// The training loss of the last epoch; NaN if there was none.
    #[must_use]
    pub fn final_loss(&self) -> f64 {
        self.last().map_or(f64::NAN, |epoch| epoch.train_loss)
    }

    /// The seconds of all epochs.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }
}
