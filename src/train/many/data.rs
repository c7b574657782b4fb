//! The data of networks that go in step: one set for all, or theirs one after the other.

use std::sync::Arc;

use super::Job;
use crate::data::{Dataset, Targets};
use crate::device::{Buffer, Device};
use crate::error::Result;
use crate::program::{BufferSpec, Source, names};
use crate::train::engine::Sources;
use crate::train::resident::target_words;

/// Features and targets on a device.
pub(super) struct Shelf {
    pub(super) sources: Sources,
    features: Buffer,
    targets: Buffer,
    /// Whether each network has its own.
    own: bool,
}

impl Shelf {
    /// The data of a group.
    ///
    /// # Errors
    /// Those of [`target_words`], and the device's.
    pub(super) fn new(device: &Device, group: &[&Job<'_>]) -> Result<Self> {
        let first = group[0];
        let own = have_own_data(group);
        let kept = if own { group } else { &group[..1] };
        let targets = |job: &&Job<'_>| {
            let outputs = job.mlp.network().outputs();
            target_words(job.data, job.trainer.settings.loss, outputs)
        };
        let targets: Vec<_> = kept.iter().map(targets).collect::<Result<_>>()?;
        let cols = targets[0].1;
        let targets = targets.into_iter().map(|(words, _)| words).collect();
        let features = kept.iter().map(|job| job.data.shared_features().clone()).collect();
        let source = |cols| Source::divided(first.data.len(), cols, device.max_words());
        let sources = Sources {
            features: source(first.data.inputs()),
            targets: source(cols),
            kind: first.data.targets().kind(),
            weights: None,
        };
        let [features, targets] = [joined(device, features)?, joined(device, targets)?];
        Ok(Self { sources, features, targets, own })
    }

    /// The part of the data that a buffer of a step is.
    pub(super) fn buffer(&self, name: &str) -> Option<&Buffer> {
        match name.split_once('.')?.0 {
            names::FEATURES => Some(&self.features),
            names::TARGETS => Some(&self.targets),
            _ => None,
        }
    }

    /// By how many words the numbers of each network lie behind those of the one before, in a buffer of a
    /// step; 0 where they share them, or nothing is left there from one step to the next.
    pub(super) fn stride(&self, spec: &BufferSpec) -> usize {
        let name = spec.name.as_str();
        let kept = [names::PARAMETERS, names::LOSSES, names::ORDER].contains(&name)
            || names::MOMENTS.contains(&name);
        if kept || self.own && self.buffer(name).is_some() { spec.words } else { 0 }
    }
}

/// Whether not all networks of a group share one data set.
pub(super) fn have_own_data(group: &[&Job<'_>]) -> bool {
    group.iter().any(|job| !is_same(group[0].data, job.data))
}

/// Whether both hold the same allocations.
fn is_same(one: &Dataset, other: &Dataset) -> bool {
    let targets = match (one.targets(), other.targets()) {
        (Targets::Labels { labels: a, .. }, Targets::Labels { labels: b, .. }) => Arc::ptr_eq(a, b),
        (Targets::Values { values: a, .. }, Targets::Values { values: b, .. }) => Arc::ptr_eq(a, b),
        _ => false,
    };
    targets && Arc::ptr_eq(one.shared_features(), other.shared_features())
}

/// One buffer of all of them, in order.
fn joined(device: &Device, mut parts: Vec<Arc<Vec<f32>>>) -> Result<Buffer> {
    match parts.pop() {
        Some(only) if parts.is_empty() => device.upload_shared(only),
        last => {
            parts.extend(last);
            let words: Vec<f32> = parts.iter().flat_map(|part| part.iter().copied()).collect();
            device.upload_shared(Arc::new(words))
        }
    }
}
