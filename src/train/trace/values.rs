//! Every element of every layer, for batches that are small enough to be looked at as they are.

use ndarray::Array2;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::program::names;
use crate::train::Trainer;

/// What a batch is in a layer, element by element: y = phi(z), z = x . W + b.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerValues {
    /// x, (rows, inputs).
    pub input: Array2<f32>,
    /// z, (rows, outputs).
    pub pre_activation: Array2<f32>,
    /// y, (rows, outputs).
    pub output: Array2<f32>,
    /// dL/dz, (rows, outputs).
    pub delta: Array2<f32>,
}

impl Trainer {
    /// What all rows of `data` as one batch are in every layer; no parameter moves, and nothing is
    /// dropped. [`trace`](Self::trace) gives a few numbers about it instead, and
    /// [`gradients`](Self::gradients) those of the parameters.
    ///
    /// # Errors
    /// Those of [`fit`](Trainer::fit), but for divergence.
    pub fn layer_values(&self, mlp: &Mlp, data: &Dataset) -> Result<Vec<LayerValues>> {
        pollster::block_on(self.layer_values_async(mlp, data))
    }

    /// [`layer_values`](Self::layer_values), without blocking.
    ///
    /// # Errors
    /// Those of [`layer_values`](Self::layer_values).
    pub async fn layer_values_async(&self, mlp: &Mlp, data: &Dataset) -> Result<Vec<LayerValues>> {
        let tracer = self.traced(mlp, data)?;
        let (rows, layers) = (data.len(), mlp.layers());
        let named = |name: &str, i: usize, columns| (format!("{name}.{i}"), columns);
        let input = [(names::INPUT.to_owned(), mlp.network().inputs())];
        let wanted: Vec<(String, usize)> = (input.into_iter())
            .chain(layers.iter().enumerate().flat_map(|(i, layer)| {
                ["pre", "output", "delta"].map(|name| named(name, i, layer.outputs))
            }))
            .collect();
        let buffers =
            wanted.iter().map(|(name, _)| tracer.buffer(name)).collect::<Result<Vec<_>>>()?;
        let ranges: Vec<_> =
            buffers.iter().map(|buffer| (buffer.storage(), 0..buffer.words())).collect();
        let parts = mlp.device().backend().read(&ranges).await?;
        let mut arrays = parts.into_iter().zip(&wanted).map(|(words, (_, columns))| {
            Array2::from_shape_vec((rows, *columns), words)
                .map_err(|error| Error::Program { op: "layer_values", reason: error.to_string() })
        });
        let mut next = || arrays.next().unwrap_or_else(|| Ok(Array2::default((0, 0))));
        let mut input = next()?;
        let mut all = Vec::with_capacity(layers.len());
        for _ in layers {
            let (pre_activation, output, delta) = (next()?, next()?, next()?);
            let after = output.clone();
            all.push(LayerValues { input, pre_activation, output, delta });
            input = after;
        }
        Ok(all)
    }
}
