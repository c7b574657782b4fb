//! What an estimator is trained with, and its training.

use std::cell::RefCell;
use std::rc::Rc;

use super::stop::{Curves, Rule, Stop};
use crate::data::{Dataset, Targets};
use crate::device::{Buffer, Device, Strategy};
use crate::error::{Error, Result};
use crate::mlp::{Dense, Mlp};
use crate::nn::{Activation, Init, Loss, Network};
use crate::optim::{Adam, Optimizer, Sgd};
use crate::train::{Metric, Trainer};

/// The update rule of an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Solver {
    /// [`Adam`].
    #[default]
    Adam,
    /// [`Sgd`], by default with momentum in Nesterov's form.
    Sgd,
}

/// Every setting, with scikit-learn's names.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) hidden_layer_sizes: Vec<usize>,
    pub(super) activation: Activation,
    pub(super) solver: Solver,
    pub(super) alpha: f64,
    pub(super) batch_size: Option<usize>,
    pub(super) learning_rate_init: f64,
    pub(super) max_iter: usize,
    pub(super) shuffle: bool,
    pub(super) random_state: u64,
    pub(super) tol: f64,
    pub(super) verbose: bool,
    pub(super) warm_start: Option<(Network, Buffer)>,
    pub(super) momentum: f64,
    pub(super) nesterovs_momentum: bool,
    pub(super) early_stopping: bool,
    pub(super) validation_fraction: f64,
    pub(super) beta_1: f64,
    pub(super) beta_2: f64,
    pub(super) epsilon: f64,
    pub(super) n_iter_no_change: usize,
    pub(super) device: Option<Device>,
    pub(super) strategy: Strategy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hidden_layer_sizes: vec![100],
            activation: Activation::Relu,
            solver: Solver::Adam,
            alpha: 1e-4,
            batch_size: None,
            learning_rate_init: 0.001,
            max_iter: 200,
            shuffle: true,
            random_state: 0,
            tol: 1e-4,
            verbose: false,
            warm_start: None,
            momentum: 0.9,
            nesterovs_momentum: true,
            early_stopping: false,
            validation_fraction: 0.1,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            n_iter_no_change: 10,
            device: None,
            strategy: Strategy::Auto,
        }
    }
}

/// The rows of a minibatch unless they are set.
const BATCH_SIZE: usize = 200;

/// What scikit-learn's half squared error is of the mean squared error.
const HALF: f64 = 0.5;

impl Settings {
    /// Trains a network on the data: cross entropy on labels, squared error on values.
    pub(super) fn train(&self, data: &Dataset) -> Result<(Mlp, Curves)> {
        self.check()?;
        let device = self.device.clone().map_or_else(Device::auto, Ok)?;
        let mut mlp = self.network(data, &device)?;
        let (train, validation) = self.split(data)?;
        let (loss, loss_scale, metric) = match data.targets() {
            Targets::Labels { .. } => (Loss::CrossEntropy, 1.0, Metric::Accuracy),
            Targets::Values { .. } => (Loss::Mse, HALF, Metric::R2),
        };
        let rule = Rule { tol: self.tol, n_iter_no_change: self.n_iter_no_change, loss_scale };
        let stop = Rc::new(RefCell::new(Stop::new(rule, self.early_stopping)));
        let batch_size = self.batch_size.unwrap_or(BATCH_SIZE).min(train.len());
        let mut trainer = Trainer::new(loss, self.optimizer(data, batch_size))
            .batch_size(batch_size)
            .epochs(self.max_iter)
            .shuffle(self.shuffle)
            .seed(self.random_state)
            .strategy(self.strategy)
            .decay_biases(false)
            .progress(self.verbose)
            .watch(stop.clone());
        if let Some(validation) = &validation {
            trainer = trainer.validation(validation).metric(metric);
        }
        trainer.fit(&mut mlp, &train)?;
        let (curves, best) = stop.borrow_mut().finish();
        if let Some(best) = best {
            mlp.buffer().write(0, &best)?;
        }
        Ok((mlp, curves))
    }

    /// The rows to train on, and those set aside for early stopping.
    fn split(&self, data: &Dataset) -> Result<(Dataset, Option<Dataset>)> {
        if !self.early_stopping {
            return Ok((data.clone(), None));
        }
        let (train, validation) = match data.targets() {
            Targets::Labels { .. } => {
                data.split_stratified(self.validation_fraction, self.random_state)?
            }
            Targets::Values { .. } => {
                data.shuffled(self.random_state).split(self.validation_fraction)?
            }
        };
        if validation.len() < 2 {
            let expected = "at least 2 rows: more data, or a larger `validation_fraction`";
            return Err(Error::argument("the rows of the validation set", 1, expected));
        }
        Ok((train, Some(validation)))
    }

    /// The network before training: drawn at random, or that of the warm start.
    fn network(&self, data: &Dataset, device: &Device) -> Result<Mlp> {
        let mut builder = Mlp::builder(data.inputs()).seed(self.random_state);
        let mut inputs = data.inputs();
        let hidden = self.hidden_layer_sizes.iter().map(|&width| (width, self.activation));
        for (width, activation) in hidden.chain([(data.outputs(), Activation::Identity)]) {
            let init = self.init(inputs, width);
            let layer = Dense::new(width, activation).weight_init(init.clone()).bias_init(init);
            builder = builder.layer(layer);
            inputs = width;
        }
        let mlp = builder.build(device)?;
        if let Some((network, parameters)) = &self.warm_start {
            if network != mlp.network() {
                let value = format!("{:?}", network.layers());
                let expected = format!("these settings and data give {:?}", mlp.layers());
                return Err(Error::argument("the warm start's network", value, expected));
            }
            mlp.buffer().write(0, &parameters.read::<f32>()?)?;
        }
        Ok(mlp)
    }

    /// Glorot's bound for weights and biases; scikit-learn has a narrower one for the sigmoid.
    fn init(&self, inputs: usize, outputs: usize) -> Init {
        match self.activation {
            Activation::Sigmoid => Init::Uniform((2.0 / (inputs + outputs) as f64).sqrt() as f32),
            _ => Init::GlorotUniform,
        }
    }

    /// The update rule, its constants such that the steps are scikit-learn's.
    ///
    /// There the gradient of the squared error is (y - t) / rows; that of the mean squared error
    /// here is `scale` times that. SGD makes up for it by its rate; Adam is indifferent to it but
    /// for epsilon, which is compared with gradients.
    fn optimizer(&self, data: &Dataset, batch_size: usize) -> Optimizer {
        let scale = match data.targets() {
            Targets::Labels { .. } => 1.0,
            Targets::Values { outputs, .. } => 2.0 / *outputs as f64,
        };
        let weight_decay = self.alpha / batch_size.max(1) as f64 * scale;
        match self.solver {
            Solver::Adam => Optimizer::from(Adam {
                learning_rate: self.learning_rate_init,
                beta1: self.beta_1,
                beta2: self.beta_2,
                epsilon: self.epsilon * scale,
                weight_decay,
                amsgrad: false,
            }),
            Solver::Sgd => Optimizer::from(Sgd {
                learning_rate: self.learning_rate_init / scale,
                momentum: self.momentum,
                dampening: 0.0,
                nesterov: self.nesterovs_momentum && self.momentum > 0.0,
                weight_decay,
            }),
        }
    }

    /// Checks the domains of scikit-learn's `_parameter_constraints`.
    fn check(&self) -> Result<()> {
        let open = 0.0..1.0;
        let finite = |x: f64| x.is_finite() && x >= 0.0;
        let domains = [
            ("alpha", self.alpha, finite(self.alpha), "at least 0"),
            (
                "learning_rate_init",
                self.learning_rate_init,
                self.learning_rate_init > 0.0,
                "more than 0",
            ),
            ("tol", self.tol, finite(self.tol), "at least 0"),
            ("momentum", self.momentum, (0.0..=1.0).contains(&self.momentum), "0 to 1"),
            ("beta_1", self.beta_1, open.contains(&self.beta_1), "at least 0 and less than 1"),
            ("beta_2", self.beta_2, open.contains(&self.beta_2), "at least 0 and less than 1"),
            ("epsilon", self.epsilon, self.epsilon > 0.0 && finite(self.epsilon), "more than 0"),
        ];
        if let Some((what, value, _, expected)) = domains.into_iter().find(|domain| !domain.2) {
            return Err(Error::argument(what, value, format!("it must be a number, {expected}")));
        }
        let counts = [("max_iter", self.max_iter), ("n_iter_no_change", self.n_iter_no_change)];
        match counts.into_iter().find(|(_, count)| *count == 0) {
            Some((what, _)) => Err(Error::argument(what, 0, "it must be at least 1")),
            None => Ok(()),
        }
    }
}
