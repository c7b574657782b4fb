//! The settings of an estimator before it is fitted.

use std::fmt;
use std::marker::PhantomData;

use super::settings::{Settings, Solver};
use crate::device::{Device, Strategy};
use crate::mlp::Mlp;
use crate::nn::Activation;

/// An estimator that is not fitted yet; `K` says of what kind.
pub struct EstimatorBuilder<K> {
    pub(super) settings: Settings,
    kind: PhantomData<fn() -> K>,
}

impl<K> EstimatorBuilder<K> {
    /// The widths of the hidden layers, first to last; default one of 100. None is a linear model.
    #[must_use]
    pub fn hidden_layer_sizes(self, sizes: impl AsRef<[usize]>) -> Self {
        self.with(|settings| settings.hidden_layer_sizes = sizes.as_ref().to_vec())
    }

    /// The activation of the hidden layers; default [`Activation::Relu`]. scikit-learn's `logistic`
    /// is [`Activation::Sigmoid`].
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        self.with(|settings| settings.activation = activation)
    }

    /// The update rule; default [`Solver::Adam`].
    #[must_use]
    pub fn solver(self, solver: Solver) -> Self {
        self.with(|settings| settings.solver = solver)
    }

    /// The factor of the L2 penalty alpha / 2 sum w^2 / (rows of a minibatch) on weights; default
    /// 1e-4.
    ///
    /// The short last minibatch of an epoch takes the rows of a whole one, where scikit-learn takes
    /// its own. The loss curve is without the penalty.
    #[must_use]
    pub fn alpha(self, alpha: f64) -> Self {
        self.with(|settings| settings.alpha = alpha)
    }

    /// The rows of a minibatch; default 200, or all rows where there are fewer.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Self {
        self.with(|settings| settings.batch_size = Some(batch_size))
    }

    /// The learning rate, which stays as it is; default 0.001.
    #[must_use]
    pub fn learning_rate_init(self, rate: f64) -> Self {
        self.with(|settings| settings.learning_rate_init = rate)
    }

    /// The most epochs to train; default 200.
    #[must_use]
    pub fn max_iter(self, epochs: usize) -> Self {
        self.with(|settings| settings.max_iter = epochs)
    }

    /// Whether each epoch takes the rows in a new random order; default true.
    #[must_use]
    pub fn shuffle(self, shuffle: bool) -> Self {
        self.with(|settings| settings.shuffle = shuffle)
    }

    /// The seed of initial weights, row orders and validation rows; default 0.
    #[must_use]
    pub fn random_state(self, seed: u64) -> Self {
        self.with(|settings| settings.random_state = seed)
    }

    /// By how much the loss, or with early stopping the score, has to improve to count; default
    /// 1e-4, in the units of [`loss_curve`](super::Fitted::loss_curve).
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        self.with(|settings| settings.tol = tol)
    }

    /// Training ends after more than this many epochs in a row that did not improve by
    /// [`tol`](Self::tol); default 10. `usize::MAX` never ends it.
    #[must_use]
    pub fn n_iter_no_change(self, epochs: usize) -> Self {
        self.with(|settings| settings.n_iter_no_change = epochs)
    }

    /// Whether to show a progress bar; default false.
    #[must_use]
    pub fn verbose(self, verbose: bool) -> Self {
        self.with(|settings| settings.verbose = verbose)
    }

    /// Begins with the parameters of a network, such as an earlier model's, instead of random ones.
    /// They are read when the estimator is fitted; the network must have the layers that settings
    /// and data ask for.
    #[must_use]
    pub fn warm_start(self, mlp: &Mlp) -> Self {
        let start = (mlp.network().clone(), mlp.buffer().clone());
        self.with(|settings| settings.warm_start = Some(start))
    }

    /// The momentum of [`Solver::Sgd`], 0 to 1; default 0.9.
    #[must_use]
    pub fn momentum(self, momentum: f64) -> Self {
        self.with(|settings| settings.momentum = momentum)
    }

    /// Whether the momentum of [`Solver::Sgd`] is in Nesterov's form; default true.
    #[must_use]
    pub fn nesterovs_momentum(self, nesterov: bool) -> Self {
        self.with(|settings| settings.nesterovs_momentum = nesterov)
    }

    /// Whether to set rows aside, to end training by the score on them (R^2 or accuracy) instead
    /// of by the training loss, and to keep the parameters of the best score; default false.
    #[must_use]
    pub fn early_stopping(self, early_stopping: bool) -> Self {
        self.with(|settings| settings.early_stopping = early_stopping)
    }

    /// The share of rows that early stopping sets aside, between 0 and 1; default 0.1.
    #[must_use]
    pub fn validation_fraction(self, fraction: f64) -> Self {
        self.with(|settings| settings.validation_fraction = fraction)
    }

    /// The decay of Adam's running mean of gradients, from 0 to less than 1; default 0.9.
    #[must_use]
    pub fn beta_1(self, beta: f64) -> Self {
        self.with(|settings| settings.beta_1 = beta)
    }

    /// The decay of Adam's running mean of squared gradients, from 0 to less than 1; default 0.999.
    #[must_use]
    pub fn beta_2(self, beta: f64) -> Self {
        self.with(|settings| settings.beta_2 = beta)
    }

    /// What keeps Adam's quotient finite, more than 0; default 1e-8.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        self.with(|settings| settings.epsilon = epsilon)
    }

    /// The device to train and predict on; default [`Device::auto`].
    #[must_use]
    pub fn device(self, device: &Device) -> Self {
        self.with(|settings| settings.device = Some(device.clone()))
    }

    /// How the device runs the steps; default [`Strategy::Auto`], whose choice looks at
    /// [`max_iter`](Self::max_iter) too. Models that shall agree bitwise where only that differs name one,
    /// such as [`Strategy::Program`].
    #[must_use]
    pub fn strategy(self, strategy: Strategy) -> Self {
        self.with(|settings| settings.strategy = strategy)
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }
}

impl<K> Default for EstimatorBuilder<K> {
    fn default() -> Self {
        Self { settings: Settings::default(), kind: PhantomData }
    }
}

impl<K> Clone for EstimatorBuilder<K> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), kind: PhantomData }
    }
}

impl<K> fmt::Debug for EstimatorBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}
