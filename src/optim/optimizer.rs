//! The update rules: SGD and Adam.

use serde::{Deserialize, Serialize};

/// Stochastic gradient descent, PyTorch's `SGD`.
///
/// g += `weight_decay` p; v = `momentum` v + g (v = g in the first step); g = v, or with Nesterov's
/// form g + `momentum` v; p -= `learning_rate` g.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sgd {
    /// The step along the gradient; default 0.001.
    pub learning_rate: f64,
    /// How much of the last step's velocity is kept; default 0.
    pub momentum: f64,
    /// Whether to look ahead along the velocity (Sutskever et al., 2013); default false.
    pub nesterov: bool,
    /// The factor of the L2 penalty p^2 / 2; default 0.
    pub weight_decay: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 0.001, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

impl Sgd {
    /// Plain descent with this learning rate.
    #[must_use]
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, ..Self::default() }
    }

    /// The same with momentum.
    #[must_use]
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }

    /// The same in Nesterov's form.
    #[must_use]
    pub fn nesterov(self) -> Self {
        Self { nesterov: true, ..self }
    }

    /// The same with an L2 penalty.
    #[must_use]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }
}

/// Adam (Kingma and Ba, 2015), PyTorch's `Adam`.
///
/// g += `weight_decay` p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
/// p -= `learning_rate` / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + `epsilon`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// The step; default 0.001.
    pub learning_rate: f64,
    /// The decay b1 of the gradient's running mean; default 0.9.
    pub beta1: f64,
    /// The decay b2 of the squared gradient's running mean; default 0.999.
    pub beta2: f64,
    /// Keeps the quotient finite; default 1e-8.
    pub epsilon: f64,
    /// The factor of the L2 penalty p^2 / 2; default 0.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl Adam {
    /// The defaults with this learning rate.
    #[must_use]
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, ..Self::default() }
    }
}

/// An update rule with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam.
    Adam(Adam),
}

impl From<Sgd> for Optimizer {
    fn from(sgd: Sgd) -> Self {
        Self::Sgd(sgd)
    }
}

impl From<Adam> for Optimizer {
    fn from(adam: Adam) -> Self {
        Self::Adam(adam)
    }
}

/// What an update needs that is the same in every step.
pub(crate) type Constants = [f32; 4];

impl Optimizer {
    /// The name: `sgd`, `adam`, ...
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
        }
    }

    /// The code in `shaders/update.wgsl`.
    #[cfg(feature = "gpu")]
    pub(crate) const fn code(&self) -> u32 {
        match self {
            Self::Sgd(_) => 0,
            Self::Adam(_) => 1,
        }
    }

    /// The learning rate before any schedule.
    #[must_use]
    pub const fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(sgd) => sgd.learning_rate,
            Self::Adam(adam) => adam.learning_rate,
        }
    }

    /// How many numbers of state there are for each parameter: 0, 1 or 2.
    #[must_use]
    pub fn moments(&self) -> usize {
        match self {
            Self::Sgd(sgd) => usize::from(sgd.momentum != 0.0),
            Self::Adam(_) => 2,
        }
    }

    /// The numbers that change from step to step; `step` counts from 1.
    ///
    /// SGD: learning rate, and the share of the old velocity (0 in the first step). Adam: learning
    /// rate / (1 - b1^t), and 1 / sqrt(1 - b2^t).
    #[must_use]
    pub fn coefficients(&self, step: u64, learning_rate: f64) -> [f32; 8] {
        let mut list = [0.0; 8];
        match self {
            Self::Sgd(sgd) => {
                list[0] = learning_rate as f32;
                list[1] = if step == 1 { 0.0 } else { sgd.momentum as f32 };
            }
            Self::Adam(adam) => {
                let t = step as f64;
                list[0] = (learning_rate / (1.0 - adam.beta1.powf(t))) as f32;
                list[1] = (1.0 / (1.0 - adam.beta2.powf(t)).sqrt()) as f32;
            }
        }
        list
    }

    /// The numbers of the rule that never change: the penalty's factor, then for SGD the shares of
    /// velocity and gradient in the step, for Adam 1 - b1, 1 - b2 and epsilon.
    pub(crate) fn constants(&self) -> Constants {
        match self {
            Self::Sgd(sgd) => {
                // The step is ahead * v + keep * g: v alone, or Nesterov's g + momentum * v.
                let (ahead, keep) = if sgd.nesterov { (sgd.momentum, 1.0) } else { (1.0, 0.0) };
                [sgd.weight_decay, ahead, keep, 0.0].map(|x| x as f32)
            }
            Self::Adam(adam) => {
                [adam.weight_decay, 1.0 - adam.beta1, 1.0 - adam.beta2, adam.epsilon]
                    .map(|x| x as f32)
            }
        }
    }
}

impl Optimizer {
    /// Moves the parameters: the formula of the rule, element by element.
    ///
    /// All slices are equally long; `first` and `second` are empty where the rule has no such
    /// moment.
    #[inline(always)]
    pub(crate) fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let [rate, change, ..] = *coefficients;
        let [decay, c1, c2, epsilon] = self.constants();
        match self {
            Self::Sgd(_) if first.is_empty() => {
                for (p, &g) in parameters.iter_mut().zip(gradients) {
                    *p -= rate * (g + decay * *p);
                }
            }
            Self::Sgd(_) => {
                for ((p, &g), v) in parameters.iter_mut().zip(gradients).zip(first) {
                    let g = g + decay * *p;
                    *v = change * *v + g;
                    *p -= rate * (c1 * *v + c2 * g);
                }
            }
            Self::Adam(_) => {
                let moments = first.iter_mut().zip(second);
                for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradients).zip(moments) {
                    let g = g + decay * *p;
                    *m += c1 * (g - *m);
                    *v += c2 * (g * g - *v);
                    *p -= rate * *m / (v.sqrt() * change + epsilon);
                }
            }
        }
    }
}
