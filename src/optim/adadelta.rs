//! Adadelta.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule};

/// Adadelta (Zeiler, 2012), PyTorch's `Adadelta`.
///
/// g += `weight_decay` p; v = `rho` v + (1 - `rho`) g^2;
/// d = sqrt(u + `epsilon`) / sqrt(v + `epsilon`) g; u = `rho` u + (1 - `rho`) d^2;
/// p -= `learning_rate` d.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Adadelta {
    /// The factor of the step; default 1.
    pub learning_rate: f64,
    /// The decay of the running means; default 0.9.
    pub rho: f64,
    /// Keeps the quotient finite and lets the first step move; default 1e-6.
    pub epsilon: f64,
    /// The factor of the L2 penalty p^2 / 2; default 0.
    pub weight_decay: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self { learning_rate: 1.0, rho: 0.9, epsilon: 1e-6, weight_decay: 0.0 }
    }
}

settings!(Adadelta { rho, epsilon, weight_decay });

impl Rule for Adadelta {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn moments(&self) -> usize {
        2
    }

    fn coefficients(&self, at: &At) -> [f64; 8] {
        [at.rate, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    }

    fn constants(&self) -> [f64; 3] {
        [self.weight_decay, 1.0 - self.rho, self.epsilon]
    }

    #[inline(always)]
    fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        [squares, steps, _]: [&mut [f32]; 3],
    ) {
        let rate = coefficients[0];
        let [decay, c, epsilon] = self.constants().map(|x| x as f32);
        let moments = squares.iter_mut().zip(steps);
        for ((p, &g), (v, u)) in parameters.iter_mut().zip(gradients).zip(moments) {
            let g = g + decay * *p;
            *v += c * (g * g - *v);
            let step = (*u + epsilon).sqrt() / (*v + epsilon).sqrt() * g;
            *u += c * (step * step - *u);
            *p -= rate * step;
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        vec![
            Domain::decay("rho", self.rho),
            Domain::epsilon(self.epsilon),
            Domain::not_negative("weight decay", self.weight_decay),
        ]
    }
}
