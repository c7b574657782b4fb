//! Epochs as launches: which rows each step takes, where its loss goes, what its optimizer needs.
//!
//! A flight is a number of epochs that are queued before anything is read back. For small networks
//! an epoch is a few microseconds, and a read-back for each would be most of the time.

use super::engine::Setup;
use crate::device::Launch;
use crate::error::{Error, Result};
use crate::op::StepArgs;
use crate::optim::Optimizer;
use crate::random::{Stream, permutation, stream};

/// The most row numbers, and the most losses, that a flight keeps on the device.
const FLIGHT_ROWS: usize = 1 << 20;
const FLIGHT_STEPS: usize = 1 << 14;

/// How the rows of an epoch are divided into minibatches, and epochs into flights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    pub(super) rows: usize,
    pub(super) batch: usize,
    /// Steps an epoch; the last may be shorter.
    pub(super) steps: usize,
    /// Whether each epoch has an order of its own. A single full batch needs none.
    shuffle: bool,
    /// The most epochs of a flight.
    pub(super) epochs: usize,
}

impl Plan {
    pub(super) fn new(rows: usize, setup: Setup<'_>) -> Result<Self> {
        if setup.batch_size == 0 {
            return Err(Error::argument("the batch size", 0, "a minibatch needs at least one row"));
        }
        if u32::try_from(rows).is_err() {
            return Err(Error::argument("the number of rows", rows, "at most 4,294,967,295"));
        }
        let batch = setup.batch_size.min(rows);
        let steps = rows.div_ceil(batch);
        let shuffle = setup.shuffle && steps > 1;
        let by_rows = if shuffle { FLIGHT_ROWS / rows } else { usize::MAX };
        let epochs = by_rows.min(FLIGHT_STEPS / steps).min(setup.most_epochs).max(1);
        Ok(Self { rows, batch, steps, shuffle, epochs })
    }

    /// The minibatch sizes that occur: the whole one, and the short last one if there is one.
    pub(super) fn batches(&self) -> Vec<usize> {
        let rest = self.rows % self.batch;
        [self.batch].into_iter().chain((rest != 0).then_some(rest)).collect()
    }

    /// The length of the row order of a flight, if epochs are shuffled.
    pub(super) fn order_words(&self) -> Option<usize> {
        self.shuffle.then_some(self.epochs * self.rows)
    }

    /// The losses of a flight.
    pub(super) fn slots(&self) -> usize {
        self.epochs * self.steps
    }

    /// The rows of a step of an epoch.
    pub(super) fn rows_of(&self, step: usize) -> usize {
        self.batch.min(self.rows - step * self.batch)
    }

    /// The row orders of `count` epochs from `first` on, one after the other.
    pub(super) fn order(&self, seed: u64, first: usize, count: usize) -> Vec<u32> {
        if !self.shuffle {
            return Vec::new();
        }
        let epoch =
            |epoch| permutation(&mut stream(seed, Stream::Shuffle, epoch as u64), self.rows);
        (first..first + count).flat_map(epoch).collect()
    }

    /// The launches of `count` epochs; `step` is the number of steps taken before, `rate` the
    /// learning rate of the step of a number, counted from 1.
    pub(super) fn launches(
        &self,
        count: usize,
        step: u64,
        optimizer: &Optimizer,
        rate: impl Fn(u64) -> f64,
        launches: &mut Vec<Launch>,
    ) {
        launches.clear();
        for slot in 0..count * self.steps {
            let (epoch, i) = (slot / self.steps, slot % self.steps);
            let from = if self.shuffle { epoch * self.rows } else { 0 };
            let number = step + slot as u64 + 1;
            launches.push(Launch {
                program: usize::from(self.rows_of(i) < self.batch),
                args: StepArgs {
                    first_row: (from + i * self.batch) as u32,
                    slot: slot as u32,
                    coefficients: optimizer.coefficients(number, rate(number)),
                    ..StepArgs::default()
                },
            });
        }
    }

    /// The mean of an epoch's losses, each weighted by its rows.
    pub(super) fn mean(&self, losses: &[f32]) -> f64 {
        let weighted = losses.iter().enumerate();
        let sum: f64 = weighted.map(|(i, &x)| f64::from(x) * self.rows_of(i) as f64).sum();
        sum / self.rows as f64
    }
}
