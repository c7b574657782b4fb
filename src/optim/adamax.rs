//! Adamax.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule};

/// Adam with the infinity norm (Kingma and Ba, 2015, section 7), PyTorch's `Adamax`.
///
/// g += `weight_decay` p; m = b1 m + (1 - b1) g; u = max(b2 u, |g| + `epsilon`);
/// p -= `learning_rate` / (1 - b1^t) m / u.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Adamax {
    /// The step; default 0.002.
    pub learning_rate: f64,
    /// The decay b1 of the gradient's running mean; default 0.9.
    pub beta1: f64,
    /// The decay b2 of the gradient's largest magnitude; default 0.999.
    pub beta2: f64,
    /// Keeps the quotient finite; default 1e-8.
    pub epsilon: f64,
    /// The factor of the L2 penalty p^2 / 2; default 0.
    pub weight_decay: f64,
}

impl Default for Adamax {
    fn default() -> Self {
        let (beta1, beta2, epsilon, weight_decay) = (0.9, 0.999, 1e-8, 0.0);
        Self { learning_rate: 0.002, beta1, beta2, epsilon, weight_decay }
    }
}

settings!(Adamax { beta1, beta2, epsilon, weight_decay });

impl Rule for Adamax {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn momentum(&self) -> f64 {
        self.beta1
    }

    fn moments(&self) -> usize {
        2
    }

    /// Corrected rate; the gradient's share in its mean.
    fn coefficients(&self, at: &At) -> [f64; 8] {
        let rate = at.rate / at.correction(at.momentum);
        [rate, 0.0, 1.0 - at.momentum, 0.0, 0.0, 0.0, 0.0, 0.0]
    }

    fn constants(&self) -> [f64; 3] {
        [self.weight_decay, self.beta2, self.epsilon]
    }

    #[inline(always)]
    fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        [first, largest, _]: [&mut [f32]; 3],
    ) {
        let [rate, _, c1, ..] = *coefficients;
        let [decay, beta2, epsilon] = self.constants().map(|x| x as f32);
        let moments = first.iter_mut().zip(largest);
        for ((p, &g), (m, u)) in parameters.iter_mut().zip(gradients).zip(moments) {
            let g = g + decay * *p;
            *m += c1 * (g - *m);
            *u = (beta2 * *u).max(g.abs() + epsilon);
            *p -= rate * *m / *u;
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        Domain::adam([self.beta1, self.beta2], self.epsilon, self.weight_decay)
    }
}
