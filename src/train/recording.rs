//! Parameters and gradients, kept while training.

use std::collections::BTreeMap;

use ndarray::{ArrayViewD, IxDyn};
use serde::{Deserialize, Serialize};

use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::nn::Network;
use crate::program::{Kept, names};

/// What to record, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorder {
    pub(super) names: Vec<String>,
    pub(super) every: usize,
}

impl Recorder {
    /// Checks that the names are the network's.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::Argument`].
    pub(super) fn check(&self, network: &Network) -> Result<()> {
        if self.every == 0 {
            let expected = "something is recorded every so many updates, at least 1";
            return Err(Error::argument("the updates between records", 0, expected));
        }
        let unknown = self.names.iter().find(|name| Kept::find(network, name).is_none());
        let Some(name) = unknown else { return Ok(()) };
        let known = network.parameters().into_iter();
        let known = known.flat_map(|p| [p.name.clone(), p.name + names::GRADIENT]).collect();
        Err(Error::UnknownParameter { name: name.clone(), known })
    }

    /// The numbers that one record has.
    pub(super) fn words(&self, network: &Network) -> usize {
        let found = self.names.iter().filter_map(|name| Kept::find(network, name));
        found.map(|(parameter, _)| parameter.shape.len()).sum()
    }
}

/// What was recorded of a training.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Recording {
    /// The updates that were recorded, counted from 1 from the beginning of the run.
    pub updates: Vec<u64>,
    /// The records by name: `layers.0.weight`, `layers.0.weight.grad`, ...
    pub by_name: BTreeMap<String, Series>,
}

/// One array at every recorded update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Series {
    pub(super) fn new(shape: Vec<usize>) -> Self {
        Self { shape, values: Vec::new() }
    }

    pub(super) fn extend(&mut self, values: &[f32]) {
        self.values.extend_from_slice(values);
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.shape.iter().product::<usize>().max(1)
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The record of a number, counted from 0, in the parameter's shape; none beyond the last.
    #[must_use]
    pub fn get(&self, record: usize) -> Option<ArrayViewD<'_, f32>> {
        let size: usize = self.shape.iter().product();
        let values = self.values.get(record * size..(record + 1) * size)?;
        ArrayViewD::from_shape(IxDyn(&self.shape), values).ok()
    }

    /// The Euclidean norm of every record.
    #[must_use]
    pub fn norms(&self) -> Vec<f64> {
        let size = self.shape.iter().product::<usize>().max(1);
        let norm = |record: &[f32]| record.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        self.values.chunks_exact(size).map(|record| norm(record).sqrt()).collect()
    }

    /// One element of every record, by its place in row-major order.
    #[must_use]
    pub fn element(&self, place: usize) -> Vec<f32> {
        let size = self.shape.iter().product::<usize>().max(1);
        self.values.chunks_exact(size).filter_map(|record| record.get(place)).copied().collect()
    }
}

impl Trainer {
    /// Records parameters and gradients by name at the first update and every `every` updates after
    /// it: `layers.0.weight` as it is before the update, `layers.0.weight.grad` as the loss gives
    /// it there, before penalties and clipping. Default: nothing.
    ///
    /// They are kept on the device and read back with the losses; see
    /// [`History::recording`](super::History::recording). A name that the network does not have is
    /// an error of [`fit`](Self::fit), and so is an `every` of 0.
    ///
    /// ```
    /// # use ndarray::array;
    /// # use wgrad::{Dataset, Device, Loss, Mlp, Sgd, Trainer};
    /// # let data = Dataset::regression(&array![[0.0f32], [1.0]], &array![1.0f32, 3.0])?;
    /// # let mut mlp = Mlp::builder(1).output(1).build(&Device::cpu())?;
    /// let names = ["layers.0.weight", "layers.0.weight.grad"];
    /// let mut trainer = Trainer::new(Loss::Mse, Sgd::new(0.1)).epochs(20).record(names, 1);
    /// let history = trainer.fit(&mut mlp, &data)?;
    /// let weight = history.recording.by_name["layers.0.weight"].element(0);
    /// assert_eq!(weight.len(), 20);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    #[must_use]
    pub fn record(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
        every: usize,
    ) -> Self {
        let mut list: Vec<String> = names.into_iter().map(Into::into).collect();
        list.sort();
        list.dedup();
        self.recorder = Some(Recorder { names: list, every });
        self
    }
}
