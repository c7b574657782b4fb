//! The trainer's side of parameter groups.

use super::trainer::Trainer;

impl Trainer {
    /// Multiplies the learning rate of a layer, counted from 0, by a factor; default 1.
    ///
    /// A layer that the network does not have, or a factor that is negative or not finite, is an
    /// error of [`fit`](Self::fit).
    #[must_use]
    pub fn learning_rate_factor(mut self, layer: usize, factor: f64) -> Self {
        self.settings.groups.learning_rate_factors.insert(layer, factor);
        self
    }

    /// Keeps the parameters of a layer, counted from 0, as they are; gradients that only its own
    /// update would need are not computed. Default: none.
    ///
    /// A layer that the network does not have is an error of [`fit`](Self::fit), and so is a
    /// network all of whose layers are frozen.
    #[must_use]
    pub fn freeze(mut self, layer: usize) -> Self {
        self.settings.groups.frozen.insert(layer);
        self
    }

    /// Whether the optimizer's weight decay is on biases too; default true, as in PyTorch.
    #[must_use]
    pub fn decay_biases(mut self, decay: bool) -> Self {
        self.settings.groups.decay_biases = decay;
        self
    }
}
