//! LAMB.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule, move_means};

/// LAMB (You et al., 2020, algorithm 2): Adam's direction, scaled for each weight and each bias to
/// the parameter's norm.
///
/// m and v as in [`Adam`](super::Adam);
/// d = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + `epsilon`) + `weight_decay` p;
/// p -= `learning_rate` |p| / |d| d, where the quotient is 1 if a norm is 0.
///
/// The norms need all of a parameter, so a step has several instructions:
/// [`Op::Direction`](crate::op::Op::Direction), which leaves d in place of the gradients, two norms
/// and an [`Op::TrustStep`](crate::op::Op::TrustStep) for each weight and bias.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lamb {
    /// The step relative to a parameter's norm; default 0.001.
    pub learning_rate: f64,
    /// The decay b1 of the gradient's running mean; default 0.9.
    pub beta1: f64,
    /// The decay b2 of the squared gradient's running mean; default 0.999.
    pub beta2: f64,
    /// Keeps the quotient finite; default 1e-6.
    pub epsilon: f64,
    /// The share of a parameter in the direction; default 0.01.
    pub weight_decay: f64,
}

impl Default for Lamb {
    fn default() -> Self {
        let (beta1, beta2, epsilon, weight_decay) = (0.9, 0.999, 1e-6, 0.01);
        Self { learning_rate: 0.001, beta1, beta2, epsilon, weight_decay }
    }
}

settings!(Lamb { beta1, beta2, epsilon, weight_decay });

impl Lamb {
    /// Replaces the gradients by the direction.
    #[inline(always)]
    pub(crate) fn direction(
        &self,
        coefficients: &[f32; 8],
        parameters: &[f32],
        gradients: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let [_, _, c1, change, correction, ..] = *coefficients;
        let [decay, c2, epsilon] = self.constants().map(|x| x as f32);
        let moments = first.iter_mut().zip(second);
        for ((&p, g), (m, v)) in parameters.iter().zip(gradients).zip(moments) {
            move_means(m, v, *g, [c1, c2]);
            *g = correction * *m / (v.sqrt() * change + epsilon) + decay * p;
        }
    }
}

impl Rule for Lamb {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn momentum(&self) -> f64 {
        self.beta1
    }

    fn moments(&self) -> usize {
        2
    }

    /// Rate; the gradient's share in its mean; the corrections of sqrt(v) and of m.
    fn coefficients(&self, at: &At) -> [f64; 8] {
        let change = at.root_correction(self.beta2);
        let correction = 1.0 / at.correction(at.momentum);
        [at.rate, 0.0, 1.0 - at.momentum, change, correction, 0.0, 0.0, 0.0]
    }

    fn constants(&self) -> [f64; 3] {
        [self.weight_decay, 1.0 - self.beta2, self.epsilon]
    }

    /// Does nothing: `Op::check` lets no update of one instruction through.
    fn update(&self, _: &[f32; 8], _: &mut [f32], _: &[f32], _: [&mut [f32]; 3]) {}

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        Domain::adam([self.beta1, self.beta2], self.epsilon, self.weight_decay)
    }
}
