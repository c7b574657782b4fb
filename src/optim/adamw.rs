//! AdamW.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule, move_means};

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), PyTorch's `AdamW`.
///
/// p -= `learning_rate` `weight_decay` p; then [`Adam`](super::Adam)'s step without a penalty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdamW {
    /// The step; default 0.001.
    pub learning_rate: f64,
    /// The decay b1 of the gradient's running mean; default 0.9.
    pub beta1: f64,
    /// The decay b2 of the squared gradient's running mean; default 0.999.
    pub beta2: f64,
    /// Keeps the quotient finite; default 1e-8.
    pub epsilon: f64,
    /// The share of a parameter that a step of rate 1 takes away; default 0.01.
    pub weight_decay: f64,
    /// Whether to divide by the largest running mean so far; default false.
    pub amsgrad: bool,
}

impl Default for AdamW {
    fn default() -> Self {
        let (beta1, beta2, epsilon, weight_decay) = (0.9, 0.999, 1e-8, 0.01);
        Self { learning_rate: 0.001, beta1, beta2, epsilon, weight_decay, amsgrad: false }
    }
}

settings!(AdamW { beta1, beta2, epsilon, weight_decay });

impl AdamW {
    /// The same with the largest running mean so far.
    #[must_use]
    pub fn amsgrad(self) -> Self {
        Self { amsgrad: true, ..self }
    }
}

impl Rule for AdamW {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn momentum(&self) -> f64 {
        self.beta1
    }

    fn moments(&self) -> usize {
        2 + usize::from(self.amsgrad)
    }

    /// Corrected rate; rate; the gradient's share in its mean; the correction of sqrt(v).
    fn coefficients(&self, at: &At) -> [f64; 8] {
        let rate = at.rate / at.correction(at.momentum);
        let change = at.root_correction(self.beta2);
        [rate, at.rate, 1.0 - at.momentum, change, 0.0, 0.0, 0.0, 0.0]
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
        [first, second, largest]: [&mut [f32]; 3],
    ) {
        let [rate, plain_rate, c1, change, ..] = *coefficients;
        let [decay, c2, epsilon] = self.constants().map(|x| x as f32);
        let decay = plain_rate * decay;
        let moments = first.iter_mut().zip(second);
        let all = parameters.iter_mut().zip(gradients).zip(moments);
        if self.amsgrad {
            for (((p, &g), (m, v)), most) in all.zip(largest) {
                move_means(m, v, g, [c1, c2]);
                *most = most.max(*v);
                *p -= decay * *p + rate * *m / (most.sqrt() * change + epsilon);
            }
            return;
        }
        for ((p, &g), (m, v)) in all {
            move_means(m, v, g, [c1, c2]);
            *p -= decay * *p + rate * *m / (v.sqrt() * change + epsilon);
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        Domain::adam([self.beta1, self.beta2], self.epsilon, self.weight_decay)
    }
}
