//! RAdam.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule, move_means};

/// Rectified Adam (Liu et al., 2020), PyTorch's `RAdam`: no division by sqrt(v) while too few
/// gradients were seen for it.
///
/// g += `weight_decay` p; m and v as in [`Adam`](super::Adam); R = 2 / (1 - b2) - 1;
/// r = R - 2 t b2^t / (1 - b2^t). Where r > 5,
/// p -= `learning_rate` m / (1 - b1^t) sqrt((r - 4)(r - 2) R / ((R - 4)(R - 2) r))
/// sqrt(1 - b2^t) / (sqrt(v) + `epsilon`); before, p -= `learning_rate` m / (1 - b1^t).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RAdam {
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

impl Default for RAdam {
    fn default() -> Self {
        let (beta1, beta2, epsilon, weight_decay) = (0.9, 0.999, 1e-8, 0.0);
        Self { learning_rate: 0.001, beta1, beta2, epsilon, weight_decay }
    }
}

settings!(RAdam { beta1, beta2, epsilon, weight_decay });

impl RAdam {
    /// The factor of the rectified step, if it can be taken yet.
    fn rectification(&self, at: &At) -> Option<f64> {
        let known = at.correction(self.beta2);
        let most = 2.0 / (1.0 - self.beta2) - 1.0;
        let length = most - 2.0 * at.step as f64 * (1.0 - known) / known;
        let variance =
            (length - 4.0) * (length - 2.0) * most / ((most - 4.0) * (most - 2.0) * length);
        (length > 5.0).then(|| (variance * known).sqrt())
    }
}

impl Rule for RAdam {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn momentum(&self) -> f64 {
        self.beta1
    }

    fn moments(&self) -> usize {
        2
    }

    /// The rates along m / sqrt(v) and along m, one of them 0; the gradient's share in its mean.
    fn coefficients(&self, at: &At) -> [f64; 8] {
        let rate = at.rate / at.correction(at.momentum);
        let (adaptive, plain) = match self.rectification(at) {
            Some(factor) => (rate * factor, 0.0),
            None => (0.0, rate),
        };
        [adaptive, plain, 1.0 - at.momentum, 0.0, 0.0, 0.0, 0.0, 0.0]
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
        let [adaptive, plain, c1, ..] = *coefficients;
        let [decay, c2, epsilon] = self.constants().map(|x| x as f32);
        let moments = first.iter_mut().zip(second);
        for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradients).zip(moments) {
            let g = g + decay * *p;
            move_means(m, v, g, [c1, c2]);
            *p -= adaptive * *m / (v.sqrt() + epsilon) + plain * *m;
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        Domain::adam([self.beta1, self.beta2], self.epsilon, self.weight_decay)
    }
}
