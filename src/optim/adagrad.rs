//! Adagrad.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule};

/// Adagrad (Duchi et al., 2011), PyTorch's `Adagrad`.
///
/// g += `weight_decay` p; v += g^2, beginning at `initial_accumulator`;
/// p -= `learning_rate` / (1 + (t - 1) `learning_rate_decay`) g / (sqrt(v) + `epsilon`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Adagrad {
    /// The step; default 0.01.
    pub learning_rate: f64,
    /// How fast the rate falls, PyTorch's `lr_decay`; default 0.
    pub learning_rate_decay: f64,
    /// What the sum of squares begins with, PyTorch's `initial_accumulator_value`; default 0.
    pub initial_accumulator: f64,
    /// Keeps the quotient finite; default 1e-10.
    pub epsilon: f64,
    /// The factor of the L2 penalty p^2 / 2; default 0.
    pub weight_decay: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            learning_rate_decay: 0.0,
            initial_accumulator: 0.0,
            epsilon: 1e-10,
            weight_decay: 0.0,
        }
    }
}

settings!(Adagrad { learning_rate_decay, initial_accumulator, epsilon, weight_decay });

impl Rule for Adagrad {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn moments(&self) -> usize {
        1
    }

    /// Rate; what is added to the sum in the first step beside g^2.
    fn coefficients(&self, at: &At) -> [f64; 8] {
        let rate = at.rate / (1.0 + (at.step - 1) as f64 * self.learning_rate_decay);
        let initial = if at.step == 1 { self.initial_accumulator } else { 0.0 };
        [rate, 0.0, initial, 0.0, 0.0, 0.0, 0.0, 0.0]
    }

    fn constants(&self) -> [f64; 3] {
        [self.weight_decay, 0.0, self.epsilon]
    }

    #[inline(always)]
    fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        [sum, ..]: [&mut [f32]; 3],
    ) {
        let [rate, _, initial, ..] = *coefficients;
        let [decay, _, epsilon] = self.constants().map(|x| x as f32);
        for ((p, &g), v) in parameters.iter_mut().zip(gradients).zip(sum) {
            let g = g + decay * *p;
            *v += initial + g * g;
            *p -= rate * g / (v.sqrt() + epsilon);
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        vec![
            Domain::not_negative("learning rate decay", self.learning_rate_decay),
            Domain::not_negative("initial accumulator", self.initial_accumulator),
            Domain::epsilon(self.epsilon),
            Domain::not_negative("weight decay", self.weight_decay),
        ]
    }
}
