//! Stochastic gradient descent.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule};

/// Stochastic gradient descent, PyTorch's `SGD`.
///
/// g += `weight_decay` p; v = `momentum` v + (1 - `dampening`) g (v = g in the first step); g = v,
/// or with Nesterov's form g + `momentum` v; p -= `learning_rate` g.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sgd {
    /// The step along the gradient; default 0.001.
    pub learning_rate: f64,
    /// How much of the last step's velocity is kept; default 0.
    pub momentum: f64,
    /// How much of the gradient is kept out of the velocity; default 0.
    #[serde(default)]
    pub dampening: f64,
    /// Whether to look ahead along the velocity (Sutskever et al., 2013), which needs a momentum
    /// and no dampening; default false.
    pub nesterov: bool,
    /// The factor of the L2 penalty p^2 / 2; default 0.
    pub weight_decay: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        let (momentum, dampening, weight_decay) = (0.0, 0.0, 0.0);
        Self { learning_rate: 0.001, momentum, dampening, nesterov: false, weight_decay }
    }
}

settings!(Sgd { momentum, dampening, weight_decay });

impl Sgd {
    /// The same in Nesterov's form.
    #[must_use]
    pub fn nesterov(self) -> Self {
        Self { nesterov: true, ..self }
    }
}

impl Rule for Sgd {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn momentum(&self) -> f64 {
        self.momentum
    }

    fn moments(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    /// Rate; the shares of old velocity and gradient in the new velocity, and of velocity and
    /// gradient in the step.
    fn coefficients(&self, at: &At) -> [f64; 8] {
        let (kept, new) =
            if at.step == 1 { (0.0, 1.0) } else { (at.momentum, 1.0 - self.dampening) };
        let (ahead, beside) = if self.nesterov { (at.momentum, 1.0) } else { (1.0, 0.0) };
        [at.rate, 0.0, kept, new, ahead, beside, 0.0, 0.0]
    }

    fn constants(&self) -> [f64; 3] {
        [self.weight_decay, 0.0, 0.0]
    }

    #[inline(always)]
    fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        [velocity, ..]: [&mut [f32]; 3],
    ) {
        let [rate, _, kept, new, ahead, beside, ..] = *coefficients;
        let decay = self.weight_decay as f32;
        if velocity.is_empty() {
            for (p, &g) in parameters.iter_mut().zip(gradients) {
                *p -= rate * (g + decay * *p);
            }
            return;
        }
        for ((p, &g), v) in parameters.iter_mut().zip(gradients).zip(velocity) {
            let g = g + decay * *p;
            *v = kept * *v + new * g;
            *p -= rate * (ahead * *v + beside * g);
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        let alone = !self.nesterov || (self.momentum > 0.0 && self.dampening == 0.0);
        let expected = "Nesterov's form needs a momentum above 0 and no dampening";
        vec![
            Domain::share("momentum", self.momentum),
            Domain::share("dampening", self.dampening),
            Domain::not_negative("weight decay", self.weight_decay),
            Domain::that(alone, "momentum", self.momentum, expected),
        ]
    }
}
