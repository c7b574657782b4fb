//! Lion.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule};
use crate::nn::sign;

/// Lion (Chen et al., 2023, algorithm 2): steps of one size, by the sign of a running mean.
///
/// p -= `learning_rate` (sign(b1 m + (1 - b1) g) + `weight_decay` p); m = b2 m + (1 - b2) g.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lion {
    /// The step, about a tenth of Adam's; default 0.0001.
    pub learning_rate: f64,
    /// The share b1 of the running mean in the sign; default 0.9.
    pub beta1: f64,
    /// The decay b2 of the gradient's running mean; default 0.99.
    pub beta2: f64,
    /// The share of a parameter that a step of rate 1 takes away; default 0.
    pub weight_decay: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self { learning_rate: 0.0001, beta1: 0.9, beta2: 0.99, weight_decay: 0.0 }
    }
}

settings!(Lion { beta1, beta2, weight_decay });

impl Rule for Lion {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn momentum(&self) -> f64 {
        self.beta1
    }

    fn moments(&self) -> usize {
        1
    }

    /// Rate; the gradient's share in the sign.
    fn coefficients(&self, at: &At) -> [f64; 8] {
        [at.rate, 0.0, 1.0 - at.momentum, 0.0, 0.0, 0.0, 0.0, 0.0]
    }

    fn constants(&self) -> [f64; 3] {
        [self.weight_decay, 1.0 - self.beta2, 0.0]
    }

    #[inline(always)]
    fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        [mean, ..]: [&mut [f32]; 3],
    ) {
        let [rate, _, c1, ..] = *coefficients;
        let [decay, c2, _] = self.constants().map(|x| x as f32);
        for ((p, &g), m) in parameters.iter_mut().zip(gradients).zip(mean) {
            let c = *m + c1 * (g - *m);
            *p -= rate * (sign(c) + decay * *p);
            *m += c2 * (g - *m);
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        vec![
            Domain::decay("beta1", self.beta1),
            Domain::decay("beta2", self.beta2),
            Domain::not_negative("weight decay", self.weight_decay),
        ]
    }
}
