//! L-BFGS over a network: values and gradients from the device, directions from the host.

use super::engine::{Engine, Setup};
use super::gradients;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::Loss;
use crate::optim::lbfgs::{History, LineSearch, Point, Verdict, dot, largest};
use crate::optim::{Lbfgs, Sgd};
use crate::persist::RunSettings;

/// Why a minimisation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// No entry of the gradient is larger than its tolerance.
    Gradient,
    /// The last step changed less than the tolerance.
    Change,
    /// No step along the direction of steepest descent makes the loss less: the precision of f32 is
    /// used up.
    Precision,
    /// All iterations were made.
    Iterations,
}

/// What a minimisation came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// The loss over all rows, at first and after each iteration.
    pub losses: Vec<f64>,
    /// How often loss and gradient were computed.
    pub evaluations: usize,
    /// The largest magnitude in the last gradient.
    pub largest_gradient: f64,
    /// Why it ended.
    pub ending: Ending,
}

impl Minimum {
    /// The loss at the end.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }
}

impl Lbfgs {
    /// Moves the network's parameters to a minimum of the loss over all rows of `data`.
    ///
    /// ```
    /// use ndarray::array;
    /// use wgrad::{Activation, Dataset, Device, Loss, Mlp, optim::Lbfgs};
    ///
    /// let x = array![[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    /// let xor = Dataset::regression(&x, &array![0.0f32, 1.0, 1.0, 0.0])?;
    /// let mut mlp =
    ///     Mlp::builder(2).hidden(8, Activation::Tanh).output(1).seed(1).build(&Device::cpu())?;
    /// let minimum = Lbfgs::default().fit(&mut mlp, &xor, Loss::Mse)?;
    /// assert!(minimum.loss() < 1e-6);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Targets`] and [`Error::Label`] where network, loss and data do not
    /// fit; [`Error::Argument`] for a history of 0 or a tolerance that is negative or not finite;
    /// [`Error::Diverged`] where the loss or a gradient is not finite at the start; and the device's.
    pub fn fit(&self, mlp: &mut Mlp, data: &Dataset, loss: Loss) -> Result<Minimum> {
        pollster::block_on(self.fit_async(mlp, data, loss))
    }

    /// [`fit`](Self::fit), without blocking.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub async fn fit_async(&self, mlp: &mut Mlp, data: &Dataset, loss: Loss) -> Result<Minimum> {
        self.check()?;
        let mut descent = Descent::new(mlp, data, loss, self.history).await?;
        let mut losses = vec![descent.at.value];
        let mut ending = Ending::Iterations;
        for _ in 0..self.max_iterations {
            if largest(&descent.at.gradient) <= self.tolerance_gradient {
                ending = Ending::Gradient;
                break;
            }
            let Some(change) = descent.iterate().await? else {
                ending = Ending::Precision;
                break;
            };
            let fallen = losses[losses.len() - 1] - descent.at.value;
            losses.push(descent.at.value);
            if change.max(fallen) <= self.tolerance_change {
                ending = Ending::Change;
                break;
            }
        }
        let Descent { at, evaluations, .. } = descent;
        mlp.buffer().write(0, &single(&at.x))?;
        Ok(Minimum { losses, evaluations, largest_gradient: largest(&at.gradient), ending })
    }
}

/// Parameters, laid out as in their buffer, with the loss and its gradient.
struct Evaluated {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A minimisation under way.
struct Descent<'a> {
    mlp: &'a Mlp,
    engine: Engine,
    history: History,
    at: Evaluated,
    evaluations: usize,
}

impl<'a> Descent<'a> {
    async fn new(mlp: &'a Mlp, data: &Dataset, loss: Loss, history: usize) -> Result<Self> {
        // An engine that computes gradients asks for no optimizer.
        let settings = RunSettings::new(loss, Sgd::default().into()).one_batch(data.len());
        let engine = Engine::new(mlp, data, Setup::gradients(&settings))?;
        let words: Vec<f32> = mlp.buffer().read_async().await?;
        let x: Vec<f64> = words.into_iter().map(f64::from).collect();
        let at = Evaluated { x: Vec::new(), value: f64::NAN, gradient: Vec::new() };
        let mut descent = Self { mlp, engine, history: History::new(history), at, evaluations: 0 };
        descent.at = descent.evaluate(&x).await?;
        let Evaluated { value, gradient, .. } = &descent.at;
        if !value.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
            let what = if value.is_finite() { "a gradient" } else { "the loss" };
            return Err(Error::Diverged { what: what.to_owned(), epoch: 1, step: 1 });
        }
        Ok(descent)
    }

    /// Takes one step: by how much it changed a parameter at most, or none if the loss cannot be
    /// made less.
    async fn iterate(&mut self) -> Result<Option<f64>> {
        loop {
            let direction = self.history.direction(&self.at.gradient);
            if let Some(next) = self.search(&direction).await?.filter(|next| self.improves(next)) {
                let difference =
                    |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
                let moved: Vec<f64> = difference(&next.x, &self.at.x);
                let change = largest(&moved);
                self.history.push(moved, difference(&next.gradient, &self.at.gradient));
                self.at = next;
                return Ok(Some(change));
            }
            if self.history.is_empty() {
                return Ok(None);
            }
            // What was learned of the curvature may be rounding: once more, straight down.
            self.history.clear();
        }
    }

    /// Whether the loss is less or, where f32 cannot tell, the gradient.
    fn improves(&self, next: &Evaluated) -> bool {
        next.value < self.at.value || largest(&next.gradient) < largest(&self.at.gradient)
    }

    /// The best point along a direction, if one is better than where we are.
    async fn search(&mut self, direction: &[f64]) -> Result<Option<Evaluated>> {
        let slope = dot(direction, &self.at.gradient);
        if !(slope < 0.0 && slope.is_finite()) {
            return Ok(None);
        }
        let mut search = LineSearch::new(self.at.value, slope);
        // Nothing is known of the scale at first.
        let size: f64 = direction.iter().map(|d| d.abs()).sum();
        let mut step = if self.history.is_empty() { f64::min(1.0, 1.0 / size) } else { 1.0 };
        loop {
            let next = self.along(direction, step).await?;
            let slope = dot(direction, &next.gradient);
            match search.judge(Point { step, value: next.value, slope }) {
                Verdict::Accept => return Ok(Some(next)),
                Verdict::Try(other) => step = other,
                Verdict::Settle(0.0) => return Ok(None),
                Verdict::Settle(best) => return self.along(direction, best).await.map(Some),
            }
        }
    }

    async fn along(&mut self, direction: &[f64], step: f64) -> Result<Evaluated> {
        let x: Vec<f64> = self.at.x.iter().zip(direction).map(|(x, d)| x + step * d).collect();
        self.evaluate(&x).await
    }

    /// Loss and gradient at `x`, or rather at the numbers next to it that f32 has.
    async fn evaluate(&mut self, x: &[f64]) -> Result<Evaluated> {
        let words = single(x);
        self.mlp.buffer().write(0, &words)?;
        self.evaluations += 1;
        let (value, gradient) = gradients::evaluate(&mut self.engine, self.mlp).await?;
        let wide = |words: Vec<f32>| words.into_iter().map(f64::from).collect();
        Ok(Evaluated { x: wide(words), value, gradient: wide(gradient) })
    }
}

fn single(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}
