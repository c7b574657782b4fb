//! A data set on a device, in as many parts as its bindings need.

use std::sync::Arc;

use super::objective::check_targets;
use crate::data::{Dataset, Targets};
use crate::device::{Buffer, Device};
use crate::error::{Error, Result};
use crate::nn::Loss;
use crate::program::Source;

/// A matrix on a device: where its rows are, and the buffers of its parts.
pub(super) struct Placed {
    pub(super) source: Source,
    pub(super) parts: Vec<Buffer>,
}

impl Placed {
    pub(super) fn new(
        device: &Device,
        words: Arc<Vec<f32>>,
        rows: usize,
        cols: usize,
    ) -> Result<Self> {
        let source = Source::divided(rows, cols, device.max_words());
        if let [_] = source.parts[..] {
            return Ok(Self { source, parts: vec![device.upload_shared(words)?] });
        }
        let mut rest = words.as_slice();
        let mut parts = Vec::with_capacity(source.parts.len());
        for rows in &source.parts {
            let (part, after) = rest.split_at(rows * cols);
            parts.push(device.upload(part)?);
            rest = after;
        }
        Ok(Self { source, parts })
    }

    /// The rows of features of a data set.
    pub(super) fn features(device: &Device, data: &Dataset) -> Result<Self> {
        Self::new(device, data.shared_features().clone(), data.len(), data.inputs())
    }

    /// The targets of a data set, as the loss needs them.
    ///
    /// # Errors
    /// Those of [`target_words`], and the device's.
    pub(super) fn targets(
        device: &Device,
        data: &Dataset,
        loss: Loss,
        network_outputs: usize,
    ) -> Result<Self> {
        let (words, cols) = target_words(data, loss, network_outputs)?;
        Self::new(device, words, data.len(), cols)
    }
}

/// Checks that the targets of a data set suit a loss and a network.
///
/// # Errors
/// [`Error::Targets`] if they are of the other kind, [`Error::Argument`] for a value that is no
/// target of the loss, [`Error::Label`] for a label without an output.
pub(super) fn check_targets_fit(data: &Dataset, loss: Loss, network_outputs: usize) -> Result<()> {
    check_targets(loss, data)?;
    let Targets::Labels { labels, .. } = data.targets() else { return Ok(()) };
    let beyond = |label: &u32| *label as usize >= network_outputs;
    labels.iter().position(beyond).map_or(Ok(()), |row| {
        let label = i64::from(labels[row]);
        Err(Error::Label { row, label, classes: network_outputs })
    })
}

/// The targets of a data set as the loss needs them, and their columns.
///
/// # Errors
/// Those of [`check_targets_fit`].
pub(super) fn target_words(
    data: &Dataset,
    loss: Loss,
    network_outputs: usize,
) -> Result<(Arc<Vec<f32>>, usize)> {
    check_targets_fit(data, loss, network_outputs)?;
    Ok(match data.targets() {
        Targets::Labels { labels, .. } => {
            let words = labels.iter().map(|&label| f32::from_bits(label)).collect();
            (Arc::new(words), 1)
        }
        Targets::Values { values, outputs } => (values.clone(), *outputs),
    })
}
