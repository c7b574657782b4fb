//! Predictions, in chunks of rows that fit the device.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayBase, Axis, Data, Ix2};

use super::Mlp;
use crate::data::Dataset;
use crate::device::{Buffer, DeviceKind, Executable, Launch};
use crate::error::{Error, Result};
use crate::nn::Activation;
use crate::op::{Shape, StepArgs};
use crate::program::{Predict, Source, names};
use crate::train::Metric;

/// The rows of one launch; more would not make a matrix product faster.
pub(super) const LAUNCH_ROWS: usize = 1024;

/// The words of one block of rows that is put on a device: 64 MiB.
const BLOCK_WORDS: usize = 1 << 24;

impl Mlp {
    /// The network's output for each row of `x`: (rows, inputs) to (rows, outputs).
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` has another number of columns than the network has inputs,
    /// [`Error::Empty`], and the device's.
    pub fn predict<S: Data<Elem = f32>>(&self, x: &ArrayBase<S, Ix2>) -> Result<Array2<f32>> {
        pollster::block_on(self.predict_async(x))
    }

    /// [`predict`](Self::predict), without blocking.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict).
    pub async fn predict_async<S: Data<Elem = f32>>(
        &self,
        x: &ArrayBase<S, Ix2>,
    ) -> Result<Array2<f32>> {
        let shape = Shape::new(x.nrows(), x.ncols());
        self.outputs_of(Arc::new(x.iter().copied().collect()), shape).await
    }

    /// The probability of each class for each row: the softmax of the outputs, or the outputs
    /// themselves where the last activation is the sigmoid or softmax.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict).
    pub fn predict_proba<S: Data<Elem = f32>>(&self, x: &ArrayBase<S, Ix2>) -> Result<Array2<f32>> {
        let mut outputs = self.predict(x)?;
        let last = self.layers().last().map(|layer| layer.activation);
        if !matches!(last, Some(Activation::Sigmoid | Activation::Softmax)) {
            for mut row in outputs.rows_mut() {
                let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                row.mapv_inplace(|y| (y - largest).exp());
                let sum = row.sum();
                row.mapv_inplace(|y| y / sum);
            }
        }
        Ok(outputs)
    }

    /// The class of each row: the first of the largest outputs.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict).
    pub fn predict_classes<S: Data<Elem = f32>>(
        &self,
        x: &ArrayBase<S, Ix2>,
    ) -> Result<Array1<usize>> {
        Ok(self.predict(x)?.map_axis(Axis(1), |row| crate::op::argmax(row.iter().copied())))
    }

    /// A metric of the network's outputs on a data set.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict); [`Error::Targets`] if the metric needs other targets.
    pub fn evaluate(&self, data: &Dataset, metric: impl Into<Metric>) -> Result<f64> {
        pollster::block_on(self.evaluate_async(data, metric))
    }

    /// [`evaluate`](Self::evaluate), without blocking.
    ///
    /// # Errors
    /// Those of [`evaluate`](Self::evaluate).
    pub async fn evaluate_async(&self, data: &Dataset, metric: impl Into<Metric>) -> Result<f64> {
        let shape = Shape::new(data.len(), data.inputs());
        let outputs = self.outputs_of(data.shared_features().clone(), shape).await?;
        metric.into().compute(outputs.view(), data)
    }

    async fn outputs_of(&self, features: Arc<Vec<f32>>, shape: Shape) -> Result<Array2<f32>> {
        self.check_inputs("predict", shape)?;
        let outputs = self.network.outputs();
        let most = match self.device.info().kind {
            // The CPU reads the caller's memory where it is.
            DeviceKind::Cpu => usize::MAX,
            _ => BLOCK_WORDS.min(self.device.max_words()),
        };
        let block = (most / shape.cols.max(outputs)).clamp(1, shape.rows);
        let mut all = Vec::with_capacity(shape.rows * outputs);
        for first in (0..shape.rows).step_by(block) {
            let rows = block.min(shape.rows - first);
            let words = if rows == shape.rows {
                features.clone()
            } else {
                Arc::new(features[first * shape.cols..(first + rows) * shape.cols].to_vec())
            };
            let source = Source { cols: shape.cols, parts: vec![rows] };
            let buffers = [self.device.upload_shared(words)?];
            let mut predictor = Predictor::new(self, &self.parameters, &source, &buffers)?;
            predictor.queue()?;
            all.extend(predictor.predictions.read_range_async::<f32>(0..rows * outputs).await?);
        }
        let shape = (shape.rows, outputs);
        Array2::from_shape_vec(shape, all)
            .map_err(|error| Error::Program { op: "predict", reason: error.to_string() })
    }

    /// Checks that rows of data fit the network's input.
    pub(crate) fn check_inputs(&self, op: &'static str, shape: Shape) -> Result<()> {
        if shape.is_empty() {
            return Err(Error::Empty { what: op, shape });
        }
        if shape.cols == self.network.inputs() {
            return Ok(());
        }
        let right = Shape::new(self.network.inputs(), self.network.outputs());
        let hint = "the data, first, needs as many columns as the network, second, has inputs";
        Err(Error::Shape { op, left: shape, right, hint })
    }
}

/// A compiled prediction of data that is on the device.
pub(crate) struct Predictor {
    executable: Box<dyn Executable>,
    launches: Vec<Launch>,
    pub(crate) predictions: Buffer,
}

impl Predictor {
    /// Compiles the prediction of all rows of `source`, whose parts are in `features`, with the
    /// network's own parameters or others.
    pub(crate) fn new(
        mlp: &Mlp,
        parameters: &Buffer,
        source: &Source,
        features: &[Buffer],
    ) -> Result<Self> {
        let rows = source.rows();
        let batch = LAUNCH_ROWS.min(rows);
        let lower = |batch| {
            let features = source.clone();
            Predict { network: mlp.network.clone(), batch, features }.lower()
        };
        let mut programs = vec![lower(batch)?];
        if !rows.is_multiple_of(batch) {
            programs.push(lower(rows % batch)?);
        }
        let mut parts = features.iter();
        let buffers: Vec<Buffer> = (programs[0].buffers.iter())
            .map(|spec| match spec.name.as_str() {
                names::PARAMETERS => Ok(parameters.clone()),
                name if name.starts_with("features.") => {
                    parts.next().cloned().map_or_else(|| mlp.device.allocate(spec.words), Ok)
                }
                _ => mlp.device.allocate(spec.words),
            })
            .collect::<Result<_>>()?;
        let at = programs[0].buffer(names::PREDICTIONS).unwrap_or(0);
        let launches = (0..rows)
            .step_by(batch)
            .map(|first| Launch {
                program: usize::from(rows - first < batch),
                args: StepArgs { first_row: first as u32, ..StepArgs::default() },
            })
            .collect();
        let executable = mlp.device.compile(&programs, &buffers)?;
        Ok(Self { executable, launches, predictions: buffers[at].clone() })
    }

    /// Queues the prediction of every row.
    pub(crate) fn queue(&mut self) -> Result<()> {
        self.executable.run(&self.launches)
    }
}
