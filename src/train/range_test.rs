//! The learning-rate range test (Smith, 2015): one step at each of many rates, from small to large.

use serde::{Deserialize, Serialize};

use super::engine::{Engine, Setup};
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::device::Launch;
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::optim::Pace;
use crate::persist::RunSettings;
use crate::program::names;

/// The rates to try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeTest {
    /// The least rate; default 1e-6.
    pub from: f64,
    /// The largest rate; default 1.
    pub to: f64,
    /// The number of rates, spaced evenly by their logarithms; default 100.
    pub steps: usize,
    /// The test ends where a loss is more than this many times the first one; default 10.
    pub stop_factor: f64,
}

impl Default for RangeTest {
    fn default() -> Self {
        Self { from: 1e-6, to: 1.0, steps: 100, stop_factor: 10.0 }
    }
}

/// The loss before the step at each rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateScan {
    /// The rates that were tried, from the least on.
    pub rates: Vec<f64>,
    /// The loss of the minibatch that the step of each rate was taken on.
    pub losses: Vec<f64>,
}

/// How a rate is chosen from a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suggestion {
    /// Half of the rate with the least loss.
    HalfOfLeast,
    /// A tenth of the rate with the least loss: further from where the loss rises again.
    TenthOfLeast,
    /// The rate at which the loss falls most for a relative change of the rate, before its least:
    /// d loss / d ln rate by central differences.
    Steepest,
}

impl Suggestion {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::HalfOfLeast, Self::TenthOfLeast, Self::Steepest];
}

impl RateScan {
    /// The rate that a rule chooses; none if fewer than three rates were tried.
    #[must_use]
    pub fn suggest(&self, rule: Suggestion) -> Option<f64> {
        if self.losses.len() < 3 {
            return None;
        }
        let least = argmin(self.losses.iter().copied());
        match rule {
            Suggestion::HalfOfLeast => Some(self.rates[least] / 2.0),
            Suggestion::TenthOfLeast => Some(self.rates[least] / 10.0),
            Suggestion::Steepest => {
                let end = least.clamp(1, self.losses.len() - 2);
                let slope = |i: usize| {
                    let run = (self.rates[i + 1] / self.rates[i - 1]).ln();
                    (self.losses[i + 1] - self.losses[i - 1]) / run
                };
                Some(self.rates[1 + argmin((1..=end).map(slope))])
            }
        }
    }
}

/// The place of the least value.
fn argmin(values: impl Iterator<Item = f64>) -> usize {
    let start = (0, f64::INFINITY);
    values.enumerate().fold(start, |best, (i, x)| if x < best.1 { (i, x) } else { best }).0
}

impl Trainer {
    /// Tries learning rates, one minibatch each, on a copy of the network: neither its parameters
    /// nor anything else changes, and a training after it is bitwise the training without it.
    ///
    /// Minibatches are those that [`fit`](Self::fit) would take, in its order. The scan ends before
    /// the first loss that is not finite or too large by [`RangeTest::stop_factor`].
    ///
    /// ```
    /// # use ndarray::array;
    /// # use wgrad::{Activation, Adam, Dataset, Device, Loss, Mlp, Trainer};
    /// use wgrad::train::{RangeTest, Suggestion};
    /// # let x = array![[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    /// # let data = Dataset::regression(&x, &array![0.0f32, 1.0, 1.0, 0.0])?;
    /// # let mlp = Mlp::builder(2).hidden(8, Activation::Tanh).output(1).build(&Device::cpu())?;
    /// let trainer = Trainer::new(Loss::Mse, Adam::default());
    /// let scan = trainer.range_test(&mlp, &data, RangeTest::default())?;
    /// println!("{:?}", scan.suggest(Suggestion::Steepest));
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a range that is empty or not positive, no steps, or a factor that is
    /// not more than 1; else those of [`fit`](Self::fit), but for divergence.
    pub fn range_test(&self, mlp: &Mlp, data: &Dataset, range: RangeTest) -> Result<RateScan> {
        pollster::block_on(self.range_test_async(mlp, data, range))
    }

    /// [`range_test`](Self::range_test), without blocking.
    ///
    /// # Errors
    /// Those of [`range_test`](Self::range_test).
    pub async fn range_test_async(
        &self,
        mlp: &Mlp,
        data: &Dataset,
        range: RangeTest,
    ) -> Result<RateScan> {
        range.check()?;
        self.check()?;
        let settings = RunSettings { accumulate: 1, ..self.settings.clone() };
        let setup = Setup { epochs: 1, ..Setup::of(self, &settings) };
        let copy = mlp.to_device_async(mlp.device()).await?;
        let mut engine = Engine::new(&copy, data, setup)?;
        let plan = engine.plan;
        let mut pace = Pace::after(0, &self.settings.optimizer, |_| None);
        let epochs = range.steps.div_ceil(plan.steps);
        let (mut losses, mut launches) = (Vec::new(), Vec::<Launch>::new());
        for epoch in (0..epochs).step_by(plan.epochs) {
            let count = plan.epochs.min(epochs - epoch);
            engine.write_order(&plan.order(self.settings.seed, epoch, count))?;
            let step = (epoch * plan.steps) as u64;
            let coefficients =
                |step| pace.next(&self.settings.optimizer, range.rate(step as usize), None);
            plan.launches(&engine.epoch, count, step, coefficients, &mut launches);
            launches.truncate(range.steps - losses.len());
            engine.queue(&launches)?;
            if let Some(buffer) = engine.buffer(names::LOSSES) {
                losses.extend(buffer.read_range_async::<f32>(0..launches.len()).await?);
            }
        }
        Ok(range.scan(&losses))
    }
}

impl RangeTest {
    /// The rate of a step, from 0.
    fn rate(&self, step: usize) -> f64 {
        let share = step as f64 / (self.steps - 1).max(1) as f64;
        self.from * (self.to / self.from).powf(share)
    }

    /// The losses up to where the test ends, with their rates.
    fn scan(&self, losses: &[f32]) -> RateScan {
        let limit = self.stop_factor * losses.first().copied().map_or(f64::NAN, f64::from);
        let losses = losses.iter().map(|&loss| f64::from(loss));
        let losses: Vec<f64> = losses.take_while(|loss| *loss <= limit).collect();
        RateScan { rates: (0..losses.len()).map(|step| self.rate(step)).collect(), losses }
    }

    fn check(&self) -> Result<()> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let rates = "rates are finite and more than 0, and the largest is more than the least";
        if !(positive(self.from) && positive(self.to) && self.to > self.from) {
            let value = format!("{} to {}", self.from, self.to);
            return Err(Error::argument("the range of learning rates", value, rates));
        }
        if self.steps == 0 {
            return Err(Error::argument("the number of learning rates", 0, "at least 1"));
        }
        if !(self.stop_factor > 1.0) {
            let expected = "a test ends where the loss is larger than at first: more than 1";
            return Err(Error::argument("the stop factor", self.stop_factor, expected));
        }
        Ok(())
    }
}
