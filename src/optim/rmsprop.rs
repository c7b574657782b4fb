//! RMSprop.

use serde::{Deserialize, Serialize};

use super::rule::{At, Domain, Rule};

/// RMSprop (Tieleman and Hinton, 2012; centered: Graves, 2013), PyTorch's `RMSprop`.
///
/// g += `weight_decay` p; v = `alpha` v + (1 - `alpha`) g^2; s = sqrt(v) + `epsilon`, or centered, with
/// the gradient's running mean m, sqrt(v - m^2) + `epsilon`. p -= `learning_rate` g / s, or with
/// momentum b = `momentum` b + g / s; p -= `learning_rate` b.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RmsProp {
    /// The step; default 0.01.
    pub learning_rate: f64,
    /// The decay of the running means; default 0.99.
    pub alpha: f64,
    /// Keeps the quotient finite; default 1e-8.
    pub epsilon: f64,
    /// How much of the last step is kept; default 0.
    pub momentum: f64,
    /// Whether to divide by the deviation instead of the root mean square; default false.
    pub centered: bool,
    /// The factor of the L2 penalty p^2 / 2; default 0.
    pub weight_decay: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        let (alpha, epsilon, momentum, weight_decay) = (0.99, 1e-8, 0.0, 0.0);
        Self { learning_rate: 0.01, alpha, epsilon, momentum, centered: false, weight_decay }
    }
}

settings!(RmsProp { alpha, epsilon, momentum, weight_decay });

impl RmsProp {
    /// The same with the deviation instead of the root mean square.
    #[must_use]
    pub fn centered(self) -> Self {
        Self { centered: true, ..self }
    }
}

impl Rule for RmsProp {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn momentum(&self) -> f64 {
        self.momentum
    }

    fn moments(&self) -> usize {
        1 + usize::from(self.centered) + usize::from(self.momentum != 0.0)
    }

    fn variant(&self) -> u32 {
        u32::from(self.centered)
    }

    /// Rate; the share of the last step.
    fn coefficients(&self, at: &At) -> [f64; 8] {
        [at.rate, 0.0, at.momentum, 0.0, 0.0, 0.0, 0.0, 0.0]
    }

    fn constants(&self) -> [f64; 3] {
        [self.weight_decay, 1.0 - self.alpha, self.epsilon]
    }

    #[inline(always)]
    fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        [squares, second, third]: [&mut [f32]; 3],
    ) {
        let [rate, _, kept, ..] = *coefficients;
        let [decay, c, epsilon] = self.constants().map(|x| x as f32);
        let root = |g: f32, v: &mut f32| {
            *v += c * (g * g - *v);
            v.sqrt() + epsilon
        };
        // Rounding may leave the mean of squares below the square of the mean.
        let deviation = |g: f32, v: &mut f32, m: &mut f32| {
            *v += c * (g * g - *v);
            *m += c * (g - *m);
            (*v - *m * *m).max(0.0).sqrt() + epsilon
        };
        let all = parameters.iter_mut().zip(gradients).zip(squares);
        match (self.centered, self.momentum != 0.0) {
            (false, false) => {
                for ((p, &g), v) in all {
                    let g = g + decay * *p;
                    *p -= rate * g / root(g, v);
                }
            }
            (true, false) => {
                for (((p, &g), v), m) in all.zip(second) {
                    let g = g + decay * *p;
                    *p -= rate * g / deviation(g, v, m);
                }
            }
            (false, true) => {
                for (((p, &g), v), b) in all.zip(second) {
                    let g = g + decay * *p;
                    *b = kept * *b + g / root(g, v);
                    *p -= rate * *b;
                }
            }
            (true, true) => {
                for (((p, &g), v), (m, b)) in all.zip(second.iter_mut().zip(third)) {
                    let g = g + decay * *p;
                    *b = kept * *b + g / deviation(g, v, m);
                    *p -= rate * *b;
                }
            }
        }
    }

    fn without_weight_decay(&self) -> Self {
        self.weight_decay(0.0)
    }

    fn domains(&self) -> Vec<Domain> {
        vec![
            Domain::decay("alpha", self.alpha),
            Domain::epsilon(self.epsilon),
            Domain::share("momentum", self.momentum),
            Domain::not_negative("weight decay", self.weight_decay),
        ]
    }
}
