//! The validation set of a run: predicted on the device after an epoch, scored on the host.

use super::history::EpochRecord;
use super::metric::Metric;
use super::resident::Placed;
use crate::data::Dataset;
use crate::device::{Buffer, Device};
use crate::error::{Error, Result};
use crate::mlp::{Mlp, Predictor};
use crate::nn::Loss;
use crate::op::Shape;

/// The validation set on the device, and how it is scored.
pub(super) struct Validation {
    pub(super) predictor: Predictor,
    data: Dataset,
    outputs: usize,
    loss: Loss,
    metrics: Vec<Metric>,
}

impl Validation {
    /// Validation of the network with its own parameters or others.
    pub(super) fn new(
        mlp: &Mlp,
        parameters: &Buffer,
        data: &Dataset,
        loss: Loss,
        metrics: &[Metric],
    ) -> Result<Self> {
        mlp.check_inputs("validation", Shape::new(data.len(), data.inputs()))?;
        let device: &Device = mlp.device();
        let placed = Placed::features(device, data)?;
        let predictor = Predictor::new(mlp, parameters, &placed.source, &placed.parts)?;
        let outputs = mlp.network().outputs();
        // What does not fit is said now, not after an epoch.
        let zeros = ndarray::Array2::zeros((data.len(), outputs));
        for metric in [Metric::Loss(loss)].iter().chain(metrics) {
            metric.compute(zeros.view(), data)?;
        }
        let (data, metrics) = (data.clone(), metrics.to_vec());
        Ok(Self { predictor, data, outputs, loss, metrics })
    }

    pub(super) fn score(&self, predictions: Vec<f32>, record: &mut EpochRecord) -> Result<()> {
        let shape = (self.data.len(), self.outputs);
        let outputs = ndarray::ArrayView2::from_shape(shape, &predictions)
            .map_err(|error| Error::Program { op: "validation", reason: error.to_string() })?;
        record.validation_loss = Some(Metric::Loss(self.loss).compute(outputs, &self.data)?);
        for metric in &self.metrics {
            let value = metric.compute(outputs, &self.data)?;
            record.metrics.push((metric.name().to_owned(), value));
        }
        Ok(())
    }
}
