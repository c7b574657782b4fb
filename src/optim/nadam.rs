//! NAdam.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule, move_means};

/// Adam with Nesterov's momentum (Dozat, 2016), PyTorch's `NAdam`.
///
/// g += `weight_decay` p; m and v as in [`Adam`](super::Adam);
/// `mu_t` = b1 (1 - 0.96^(t `momentum_decay`) / 2), M the product of `mu_1` to `mu_t`;
/// p -= `learning_rate` ((1 - `mu_t`) / (1 - M) g + `mu_t+1` / (1 - M `mu_t+1`) m)
/// / (sqrt(v / (1 - b2^t)) + `epsilon`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NAdam {
    /// The step; default 0.002.
    pub learning_rate: f64,
    /// The decay b1 of the gradient's running mean; default 0.9.
    pub beta1: f64,
    /// The decay b2 of the squared gradient's running mean; default 0.999.
    pub beta2: f64,
    /// Keeps the quotient finite; default 1e-8.
    pub epsilon: f64,
    /// The factor of the L2 penalty p^2 / 2; default 0.
    pub weight_decay: f64,
    /// How fast the momentum grows to b1; default 0.004.
    pub momentum_decay: f64,
}

impl Default for NAdam {
    fn default() -> Self {
        let (beta1, beta2, epsilon, weight_decay) = (0.9, 0.999, 1e-8, 0.0);
        Self { learning_rate: 0.002, beta1, beta2, epsilon, weight_decay, momentum_decay: 0.004 }
    }
}

settings!(NAdam { beta1, beta2, epsilon, weight_decay, momentum_decay });

impl Rule for NAdam {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn momentum(&self) -> f64 {
        self.beta1
    }

    fn shrinkage(&self, step: u64, momentum: f64) -> f64 {
        momentum * (1.0 - 0.5 * 0.96f64.powf(step as f64 * self.momentum_decay))
    }

    fn moments(&self) -> usize {
        2
    }

    /// The rates along m and g; the gradient's share in its mean; the correction of sqrt(v).
    fn coefficients(&self, at: &At) -> [f64; 8] {
        let now = self.shrinkage(at.step, at.momentum);
        let next = self.shrinkage(at.step + 1, at.momentum);
        let along_mean = at.rate * next / (1.0 - at.product * next);
        let along_gradient = at.rate * (1.0 - now) / (1.0 - at.product);
        let change = at.root_correction(self.beta2);
        [along_mean, along_gradient, 1.0 - at.momentum, change, 0.0, 0.0, 0.0, 0.0]
    }

    fn constants(&self) -> [f64; 3] {
        [self.weight_decay, 1.0 - self.beta2, self.epsilon]
    }

    #[inline(always)]
    fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        [first, second, _]: [&mut [f32]; 3],
    ) {
        let [along_mean, along_gradient, c1, change, ..] = *coefficients;
        let [decay, c2, epsilon] = self.constants().map(|x| x as f32);
        let moments = first.iter_mut().zip(second);
        for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradients).zip(moments) {
            let g = g + decay * *p;
            move_means(m, v, g, [c1, c2]);
            *p -= (along_mean * *m + along_gradient * g) / (v.sqrt() * change + epsilon);
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        let mut domains = Domain::adam([self.beta1, self.beta2], self.epsilon, self.weight_decay);
        domains.push(Domain::not_negative("momentum decay", self.momentum_decay));
        domains
    }
}
