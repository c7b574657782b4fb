//! The networks whose training is timed, by the example `benchmark` and by the benches.
//!
//! Data is synthetic and the same everywhere: features and values N(0, 1), labels uniform.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss, TargetKind};
use wgrad::optim::{Adam, Optimizer, Sgd};
use wgrad::{Device, Mlp, Result, Trainer};

/// A network, the size of its data, and how it is trained.
#[derive(Debug, Clone)]
pub struct Workload {
    pub id: &'static str,
    /// The widths, from the inputs to the outputs.
    pub layers: &'static [usize],
    pub rows: usize,
    pub batch: usize,
    pub hidden: Activation,
    pub loss: Loss,
    pub optimizer: Optimizer,
    /// Whether a CPU would need minutes.
    pub gpu_only: bool,
}

/// Every workload, the quickest first.
pub fn all() -> Vec<Workload> {
    let workload = |id, layers, (rows, batch), hidden, loss, optimizer| Workload {
        id,
        layers,
        rows,
        batch,
        hidden,
        loss,
        optimizer,
        gpu_only: id == "wide_4096",
    };
    let sgd = |momentum| Optimizer::from(Sgd::new(0.01).momentum(momentum));
    let adam = Optimizer::from(Adam::default());
    let (tanh, relu) = (Activation::Tanh, Activation::Relu);
    let (mse, entropy) = (Loss::Mse, Loss::CrossEntropy);
    vec![
        workload("tiny", &[2, 4, 1], (100, 100), tanh, mse, sgd(0.0)),
        workload("five_points", &[2, 8, 8, 1], (5, 5), tanh, mse, sgd(0.0)),
        workload("reynolds_10", &[4096, 10, 10, 1], (1920, 32), relu, mse, adam),
        workload("reynolds_100", &[4096, 100, 100, 1], (1920, 32), relu, mse, adam),
        workload("reynolds_100_b512", &[4096, 100, 100, 1], (1920, 512), relu, mse, adam),
        workload("mnist_50", &[784, 50, 10], (5000, 64), relu, entropy, sgd(0.5)),
        workload("wide_2048", &[784, 2048, 2048, 10], (4096, 1024), relu, entropy, adam),
        workload("wide_4096", &[784, 4096, 4096, 10], (16384, 4096), relu, entropy, adam),
    ]
}

impl Workload {
    pub fn inputs(&self) -> usize {
        self.layers[0]
    }

    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1]
    }

    /// Steps an epoch; the last may be shorter.
    pub fn steps(&self) -> usize {
        self.rows.div_ceil(self.batch)
    }

    /// Floating-point operations for each row of a step: the matrix products of forward, weight
    /// gradients and deltas. The first layer's input needs no delta.
    pub fn flops_per_row(&self) -> f64 {
        let products: Vec<usize> = self.layers.windows(2).map(|pair| pair[0] * pair[1]).collect();
        2.0 * (3 * products.iter().sum::<usize>() - products[0]) as f64
    }

    /// The data.
    ///
    /// # Errors
    /// None for the workloads above.
    pub fn data(&self) -> Result<Dataset> {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut normals =
            |count: usize| -> Vec<f32> { (0..count).map(|_| normal(&mut rng)).collect() };
        let features = normals(self.rows * self.inputs());
        if self.loss.accepts(TargetKind::Labels) {
            let labels: Vec<u32> =
                (0..self.rows).map(|_| rng.random_range(0..self.outputs() as u32)).collect();
            Dataset::classification_from_vec(features, self.inputs(), labels)?
                .with_classes(self.outputs())
        } else {
            let values = normals(self.rows * self.outputs());
            Dataset::regression_from_vec(features, self.inputs(), values, self.outputs())
        }
    }

    /// The network before training.
    ///
    /// # Errors
    /// The device's.
    pub fn network(&self, device: &Device) -> Result<Mlp> {
        let hidden = &self.layers[1..self.layers.len() - 1];
        let inputs = Mlp::builder(self.inputs());
        hidden
            .iter()
            .fold(inputs, |builder, &width| builder.hidden(width, self.hidden))
            .output(self.outputs())
            .build(device)
    }

    /// What trains it, for a number of epochs.
    pub fn trainer(&self, epochs: usize) -> Trainer {
        Trainer::new(self.loss, self.optimizer).batch_size(self.batch).epochs(epochs)
    }
}

/// A standard normal number, by the transform of Box and Muller (1958).
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()) as f32
}
