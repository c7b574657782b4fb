//! Parameter groups: which layers are trained, how fast, and what decays.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What differs between the parameters of a network in their updates.
///
/// By default nothing does, and one update goes over all parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// The factor of the learning rate of some layers, by their numbers, counted from 0; default 1.
    pub learning_rate_factors: BTreeMap<usize, f64>,
    /// The layers that keep their parameters, by their numbers, counted from 0.
    pub frozen: BTreeSet<usize>,
    /// Whether weight decay is on biases too; default true, as in PyTorch.
    pub decay_biases: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Self { learning_rate_factors: BTreeMap::new(), frozen: BTreeSet::new(), decay_biases: true }
    }
}

impl Groups {
    /// The factor of a layer's learning rate.
    #[must_use]
    pub fn learning_rate_factor(&self, layer: usize) -> f64 {
        self.learning_rate_factors.get(&layer).copied().unwrap_or(1.0)
    }

    /// Whether a layer's parameters change.
    #[must_use]
    pub fn trains(&self, layer: usize) -> bool {
        !self.frozen.contains(&layer)
    }

    /// Checks the layers named and their factors for a network of `layers` layers.
    ///
    /// # Errors
    /// [`Error::Argument`] for a layer that is not there, for a factor that is negative or not
    /// finite, and if no layer is left to be trained.
    pub fn check(&self, layers: usize) -> Result<()> {
        let named = self.learning_rate_factors.keys().chain(&self.frozen);
        if let Some(&layer) = named.max().filter(|&&layer| layer >= layers) {
            let expected = format!("the network has layers 0 to {}", layers.saturating_sub(1));
            return Err(Error::argument("the layer of a parameter group", layer, expected));
        }
        let wrong = |factor: &&f64| !(factor.is_finite() && **factor >= 0.0);
        if let Some(factor) = self.learning_rate_factors.values().find(wrong) {
            let what = "the learning rate factor of a layer";
            return Err(Error::argument(what, factor, "a finite number, at least 0"));
        }
        if !self.frozen.is_empty() && self.frozen.len() == layers {
            let expected = "at least one layer must be left to be trained";
            return Err(Error::argument("the number of frozen layers", layers, expected));
        }
        Ok(())
    }
}
