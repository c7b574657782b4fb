//! The last steps, and the direction that they tell.

use std::collections::VecDeque;

use super::dot;

/// One step: how the parameters and the gradient changed.
#[derive(Debug)]
struct Change {
    x: Vec<f64>,
    gradient: Vec<f64>,
    /// 1 / their inner product.
    rho: f64,
}

/// The last steps of a minimisation.
#[derive(Debug)]
pub(crate) struct History {
    changes: VecDeque<Change>,
    length: usize,
}

impl History {
    pub(crate) fn new(length: usize) -> Self {
        Self { changes: VecDeque::new(), length }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.changes.clear();
    }

    /// Remembers a step, unless the curvature along it is not positive beyond rounding.
    pub(crate) fn push(&mut self, x: Vec<f64>, gradient: Vec<f64>) {
        let curvature = dot(&x, &gradient);
        if !(curvature > 1e-10 * dot(&gradient, &gradient).sqrt() * dot(&x, &x).sqrt()) {
            return;
        }
        if self.changes.len() == self.length {
            self.changes.pop_front();
        }
        self.changes.push_back(Change { x, gradient, rho: 1.0 / curvature });
    }

    /// Minus the gradient times the approximate inverse of the Hessian: two loops over the steps
    /// (Nocedal and Wright, 2006, algorithm 7.4).
    pub(crate) fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.changes.len());
        for change in self.changes.iter().rev() {
            let share = change.rho * dot(&change.x, &direction);
            add(&mut direction, -share, &change.gradient);
            shares.push(share);
        }
        if let Some(last) = self.changes.back() {
            let scale = 1.0 / (last.rho * dot(&last.gradient, &last.gradient));
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for (change, share) in self.changes.iter().zip(shares.iter().rev()) {
            let back = change.rho * dot(&change.gradient, &direction);
            add(&mut direction, share - back, &change.x);
        }
        direction
    }
}

fn add(to: &mut [f64], factor: f64, values: &[f64]) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to += factor * value);
}
