//! The trainer's settings of regularisation and accumulation.

use super::trainer::Trainer;
use crate::optim::{Clip, Regularization};

impl Trainer {
    /// The factor of an L1 penalty: `l1` sign(p) is added to the gradient of each weight p; default
    /// 0. It drives weights to 0. Reported losses are without the penalty.
    #[must_use]
    pub fn l1(self, l1: f64) -> Self {
        self.regularize(|settings| settings.l1 = l1)
    }

    /// The factor of an L2 penalty: `l2` p is added to the gradient of each weight p, the
    /// derivative of `l2` / 2 sum p^2; default 0. Reported losses are without the penalty.
    ///
    /// The same as an optimizer's `weight_decay` in PyTorch, but not on biases, and before
    /// gradients are clipped. For decay apart from the gradient there is
    /// [`AdamW`](crate::optim::Adam).
    #[must_use]
    pub fn l2(self, l2: f64) -> Self {
        self.regularize(|settings| settings.l2 = l2)
    }

    /// Whether the L1 and L2 penalties act on biases too; default false.
    #[must_use]
    pub fn penalize_biases(self, biases: bool) -> Self {
        self.regularize(|settings| settings.biases = biases)
    }

    /// The limits of the gradients; default none.
    ///
    /// ```
    /// # use wgrad::{Loss, Trainer, optim::{Clip, Sgd}};
    /// let trainer = Trainer::new(Loss::Mse, Sgd::new(0.1)).clip(Clip::GlobalNorm(1.0));
    /// ```
    #[must_use]
    pub fn clip(self, clip: Clip) -> Self {
        self.regularize(|settings| settings.clip = Some(clip))
    }

    /// The largest Euclidean norm of the incoming weights of a unit: after each update, columns of
    /// weights that are longer are scaled down to it (Srivastava et al., 2014); default none.
    #[must_use]
    pub fn max_norm(self, limit: f64) -> Self {
        self.regularize(|settings| settings.max_norm = Some(limit))
    }

    /// Trains towards the exponential moving average of the parameters: after each update
    /// average = `decay` average + (1 - `decay`) parameters, from the initial parameters on
    /// (Polyak and Juditsky, 1992). Default none.
    ///
    /// The average is what is validated and checkpointed, and what the network holds in the end.
    #[must_use]
    pub fn average(self, decay: f64) -> Self {
        self.regularize(|settings| settings.average = Some(decay))
    }

    /// The minibatches whose gradients make one update; default 1. The loss's mean runs over the
    /// rows of all of them: `accumulate(4)` with batches of 8 takes the steps of batches of 32, in
    /// a quarter of the memory. The last update of an epoch may have fewer.
    #[must_use]
    pub fn accumulate(mut self, minibatches: usize) -> Self {
        self.settings.accumulate = minibatches;
        self
    }

    fn regularize(mut self, set: impl FnOnce(&mut Regularization)) -> Self {
        set(&mut self.settings.regularization);
        self
    }
}
