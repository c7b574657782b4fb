//! Epochs as launches: which rows each step takes, where its loss goes, what its optimizer needs.
//!
//! A flight is a number of epochs that are queued before anything is read back. For small networks
//! an epoch is a few microseconds, and a read-back for each would be most of the time.

use super::engine::Setup;
use crate::device::Launch;
use crate::error::{Error, Result};
use crate::nn::{LossReduction, Network};
use crate::op::StepArgs;
use crate::program::Share;
use crate::random::{Stream, permutation, stream};

/// The most row numbers, and the most losses, that a flight keeps on the device.
const FLIGHT_ROWS: usize = 1 << 20;
const FLIGHT_STEPS: usize = 1 << 14;

/// The most numbers of records that a flight keeps on the device: 64 MiB.
const FLIGHT_RECORDS: usize = 1 << 24;

/// Whether an update, counted from 1, is recorded: the first one, and every so many after it.
fn is_recorded(update: u64, every: usize) -> bool {
    (update - 1).is_multiple_of(every as u64)
}

/// A step of every epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct EpochStep {
    /// The program of its kind of minibatch.
    program: usize,
    /// Where its rows begin in the epoch.
    first_row: usize,
    /// The number of its update in the epoch, from 0.
    update: u64,
    /// Whether it ends with the update.
    updates: bool,
}

/// How the rows of an epoch are divided into minibatches, and epochs into flights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    pub(super) rows: usize,
    pub(super) batch: usize,
    /// Steps an epoch; the last may be shorter.
    pub(super) steps: usize,
    /// The steps that share an update; the last ones of an epoch may be fewer.
    accumulate: usize,
    /// The updates from one record to the next, if there are records.
    record_every: Option<usize>,
    /// Whether each epoch has an order of its own. A single full batch needs none.
    shuffle: bool,
    /// The most epochs of a flight.
    pub(super) epochs: usize,
}

impl Plan {
    pub(super) fn new(rows: usize, network: &Network, setup: Setup<'_>) -> Result<Self> {
        let settings = setup.settings;
        if settings.batch_size == 0 {
            return Err(Error::argument("the batch size", 0, "a minibatch needs at least one row"));
        }
        if settings.accumulate == 0 {
            let expected = "an update needs at least one minibatch";
            return Err(Error::argument("the minibatches of an update", 0, expected));
        }
        if u32::try_from(rows).is_err() {
            return Err(Error::argument("the number of rows", rows, "at most 4,294,967,295"));
        }
        let batch = settings.batch_size.min(rows);
        let steps = rows.div_ceil(batch);
        let shuffle = settings.shuffle && steps > 1;
        let by_rows = if shuffle { FLIGHT_ROWS / rows } else { usize::MAX };
        let accumulate = settings.accumulate.min(steps);
        let by_records = setup.recorder.map_or(usize::MAX, |recorder| {
            let records = FLIGHT_RECORDS / recorder.words(network).max(1);
            records.saturating_mul(recorder.every) / steps.div_ceil(accumulate)
        });
        let most = by_rows.min(FLIGHT_STEPS / steps).min(by_records);
        let epochs = most.min(setup.most_epochs).max(1);
        let record_every = setup.recorder.map(|recorder| recorder.every);
        Ok(Self { rows, batch, steps, accumulate, record_every, shuffle, epochs })
    }

    /// The kinds of minibatches that occur, each with a program of its own: the rows, and the part
    /// of an update. The first one is the largest.
    pub(super) fn minibatches(&self) -> Vec<(usize, Share)> {
        let mut kinds = Vec::new();
        // All updates but the last are alike.
        let last = (self.steps - 1) / self.accumulate * self.accumulate;
        for step in (0..self.accumulate).chain(last..self.steps) {
            let kind = self.minibatch(step);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    /// The rows of a step of an epoch, and the part of an update that it is.
    fn minibatch(&self, step: usize) -> (usize, Share) {
        let first = step / self.accumulate * self.accumulate;
        let end = (first + self.accumulate).min(self.steps);
        let rows = (end * self.batch).min(self.rows) - first * self.batch;
        let share = Share { rows, first: step == first, last: step + 1 == end };
        (self.rows_of(step), share)
    }

    /// The records that a flight may have.
    pub(super) fn record_rows(&self) -> usize {
        self.record_every.map_or(0, |every| (self.epochs * self.updates()).div_ceil(every))
    }

    /// The updates, counted from 1, that are recorded in `count` epochs after a number of steps.
    pub(super) fn recorded(&self, step: u64, count: usize) -> Vec<u64> {
        let Some(every) = self.record_every else { return Vec::new() };
        let done = self.updates_after(step);
        let updates = done + 1..=done + (count * self.updates()) as u64;
        updates.filter(|update| is_recorded(*update, every)).collect()
    }

    /// The steps of an epoch, each with its kind of minibatch by number.
    pub(super) fn epoch(&self) -> Vec<EpochStep> {
        let kinds = self.minibatches();
        let step = |i| {
            let kind = self.minibatch(i);
            EpochStep {
                program: kinds.iter().position(|other| *other == kind).unwrap_or(0),
                first_row: i * self.batch,
                update: (i / self.accumulate) as u64,
                updates: kind.1.last,
            }
        };
        (0..self.steps).map(step).collect()
    }

    /// The updates of the first `step` steps, which are whole epochs.
    pub(super) fn updates_after(&self, step: u64) -> u64 {
        step / self.steps as u64 * self.updates() as u64
    }

    /// The updates of an epoch.
    pub(super) fn updates(&self) -> usize {
        self.steps.div_ceil(self.accumulate)
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

    /// The launches of `count` epochs of these steps; `step` is the number of steps taken before, in
    /// whole epochs, `coefficients` gives those of each update in turn, counted from 0.
    pub(super) fn launches(
        &self,
        steps: &[EpochStep],
        count: usize,
        step: u64,
        mut coefficients: impl FnMut(u64) -> [f32; 8],
        launches: &mut Vec<Launch>,
    ) {
        launches.clear();
        let mut updates = self.updates_after(step);
        let (mut records, mut slot) = (0, 0);
        for epoch in 0..count {
            let from = if self.shuffle { epoch * self.rows } else { 0 };
            for at in steps {
                let update = updates + at.update;
                let keeps = at.updates
                    && self.record_every.is_some_and(|every| is_recorded(update + 1, every));
                let keep = if keeps { records } else { StepArgs::KEEP_NOTHING };
                records += u32::from(keeps);
                launches.push(Launch {
                    program: at.program,
                    args: StepArgs {
                        first_row: (from + at.first_row) as u32,
                        slot,
                        // The numbers of random masks may come again after 2^32 steps.
                        number: (step + u64::from(slot)) as u32,
                        keep,
                        coefficients: if at.updates { coefficients(update) } else { [0.0; 8] },
                    },
                });
                slot += 1;
            }
            updates += self.updates() as u64;
        }
    }

    /// The loss of an epoch of rows that count once, from those of its steps.
    pub(super) fn loss(&self, reduction: LossReduction, losses: &[f32]) -> f64 {
        match reduction {
            LossReduction::Sum => losses.iter().map(|&loss| f64::from(loss)).sum(),
            _ => self.mean(losses),
        }
    }

    /// The mean of an epoch's losses, each weighted by its rows.
    fn mean(&self, losses: &[f32]) -> f64 {
        let weighted = losses.iter().enumerate();
        let sum: f64 = weighted.map(|(i, &x)| f64::from(x) * self.rows_of(i) as f64).sum();
        sum / self.rows as f64
    }
}
