//! What the Rust peers share: a workload from the command line, its data, and the clock.
//!
//!     peer WIDTHS ROWS BATCH ACTIVATION LOSS OPTIMIZER SECONDS
//!
//! as in `peer 784,50,10 5000 64 relu cross_entropy momentum 2`; prints microseconds a step.

use std::time::Instant;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

pub type Rng = rand::rngs::StdRng;

/// A network and how it is trained.
pub struct Workload {
    pub widths: Vec<usize>,
    pub rows: usize,
    pub batch: usize,
    pub tanh: bool,
    pub labels: bool,
    /// `sgd`, `momentum` or `adam`.
    pub optimizer: String,
    seconds: f64,
}

impl Workload {
    pub fn from_args() -> Self {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [widths, rows, batch, activation, loss, optimizer, seconds] = &args[..] else {
            panic!("peer WIDTHS ROWS BATCH ACTIVATION LOSS OPTIMIZER SECONDS");
        };
        Self {
            widths: widths.split(',').map(|width| width.parse().unwrap()).collect(),
            rows: rows.parse().unwrap(),
            batch: batch.parse().unwrap(),
            tanh: activation == "tanh",
            labels: loss == "cross_entropy",
            optimizer: optimizer.clone(),
            seconds: seconds.parse().unwrap(),
        }
    }

    pub fn outputs(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// N(0, 1), as many as the features of all rows.
    pub fn features(&self) -> Vec<f32> {
        let mut rng = Rng::seed_from_u64(0);
        (0..self.rows * self.widths[0]).map(|_| normal(&mut rng)).collect()
    }

    /// One value for each output of each row.
    pub fn values(&self) -> Vec<f32> {
        let mut rng = Rng::seed_from_u64(1);
        (0..self.rows * self.outputs()).map(|_| normal(&mut rng)).collect()
    }

    /// One class for each row.
    pub fn classes(&self) -> Vec<u32> {
        let mut rng = Rng::seed_from_u64(1);
        (0..self.rows).map(|_| rng.random_range(0..self.outputs() as u32)).collect()
    }

    /// Runs epochs of minibatches, given by their row numbers, and prints the median time of a
    /// step, after warming up for a third of the time. `finish` waits for what is queued.
    pub fn time(&self, mut step: impl FnMut(&[u32]), mut finish: impl FnMut()) {
        let mut rng = Rng::seed_from_u64(2);
        let mut order: Vec<u32> = (0..self.rows as u32).collect();
        let mut epoch = || {
            let start = Instant::now();
            order.shuffle(&mut rng);
            order.chunks(self.batch).for_each(&mut step);
            finish();
            start.elapsed().as_secs_f64()
        };
        let start = Instant::now();
        while start.elapsed().as_secs_f64() < self.seconds / 3.0 {
            epoch();
        }
        // Whoever measures on a busy machine can make it quiet from here on.
        eprintln!("warm");
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed().as_secs_f64() < self.seconds || times.len() < 3 {
            times.push(epoch());
        }
        times.sort_by(f64::total_cmp);
        println!("{}", 1e6 * times[times.len() / 2] / self.rows.div_ceil(self.batch) as f64);
    }
}

/// A standard normal number, by the transform of Box and Muller (1958).
fn normal(rng: &mut Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()) as f32
}
