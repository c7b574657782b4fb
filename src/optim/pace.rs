//! The host's part of an optimizer's state: how many steps were taken, and what depends on all of
//! them.

use super::Optimizer;
use super::rule::At;

/// Where an optimizer is in its steps.
///
/// Everything in it follows from the number of steps and the momentum of each, so that it need not
/// be stored with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    step: u64,
    product: f64,
}

impl Pace {
    /// After `steps` steps whose momenta are given by number, counted from 0; none is the
    /// optimizer's own.
    pub(crate) fn after(
        steps: u64,
        optimizer: &Optimizer,
        momentum: impl Fn(u64) -> Option<f64>,
    ) -> Self {
        let mut pace = Self { step: 0, product: 1.0 };
        if optimizer.has_product() {
            for step in 0..steps {
                pace.advance(optimizer, momentum(step));
            }
        }
        Self { step: steps, ..pace }
    }

    /// Takes a step: its coefficients.
    pub(crate) fn next(
        &mut self,
        optimizer: &Optimizer,
        rate: f64,
        momentum: Option<f64>,
    ) -> [f32; 8] {
        let momentum = self.advance(optimizer, momentum);
        let Self { step, product } = *self;
        optimizer.coefficients_at(&At { step, rate, momentum, product })
    }

    fn advance(&mut self, optimizer: &Optimizer, momentum: Option<f64>) -> f64 {
        let momentum = momentum.unwrap_or(optimizer.momentum());
        self.step += 1;
        self.product *= optimizer.shrinkage(self.step, momentum);
        momentum
    }
}
