//! The data, the network, and the descent.

use ndarray::{Array1, Array2, ArrayD, Axis, stack};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::Sgd;
use wgrad::train::History;
use wgrad::{Dense, Device, Mlp, Trainer};

use crate::common::random::normal;

pub const POINTS: usize = 100;

/// Points of a parabola.
pub struct Points {
    pub x: Array1<f64>,
    pub y: Array1<f64>,
    /// (1, x), as the network takes them.
    pub inputs: Array2<f32>,
}

impl Points {
    /// x from -10 to 10, and x^2 with normal noise of deviation 0.1.
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = Array1::linspace(-10.0, 10.0, POINTS);
        let inputs = stack![Axis(1), Array1::ones(POINTS), x].mapv(|x: f64| x as f32);
        let y = x.mapv(|x| x * x + 0.1 * normal(&mut rng));
        Self { x, y, inputs }
    }

    pub fn dataset(&self) -> wgrad::Result<Dataset> {
        Dataset::regression(&self.inputs, &self.y)
    }

    /// What a network makes of the inputs.
    pub fn learned(&self, mlp: &Mlp) -> wgrad::Result<Array1<f64>> {
        Ok(mlp.predict(&self.inputs)?.column(0).mapv(f64::from))
    }
}

/// Weights of N(0, 1) over the number of inputs, no biases.
pub fn network(hidden: &[usize], seed: u64, device: &Device) -> wgrad::Result<Mlp> {
    let (mut builder, mut inputs) = (Mlp::builder(2).bias(false).seed(seed), 2);
    let hidden = hidden.iter().map(|&width| (width, Activation::Relu));
    for (width, activation) in hidden.chain([(1, Activation::Identity)]) {
        let init = Init::Normal(1.0 / inputs as f32);
        builder = builder.layer(Dense::new(width, activation).weight_init(init));
        inputs = width;
    }
    builder.build(device)
}

/// How a descent goes.
#[derive(Clone, Copy)]
pub struct Descent {
    pub steps: usize,
    pub rate: f64,
    pub seed: u64,
}

impl Descent {
    /// Descends with minibatches of a size, and records all weights and the first gradients.
    pub fn run(&self, mlp: &mut Mlp, data: &Dataset, batch: usize) -> wgrad::Result<History> {
        let gradients = ["layers.0.weight.grad", "layers.1.weight.grad"].map(str::to_owned);
        Trainer::new(Loss::HalfSquared, Sgd::new(self.rate))
            .batch_size(batch)
            .epochs(self.steps.div_ceil(POINTS / batch))
            .seed(self.seed)
            .record_steps(true)
            .record(mlp.parameter_names().into_iter().chain(gradients), 1)
            .fit(mlp, data)
    }
}

/// Gives the network the weights that it had before a step.
pub fn go_back(mlp: &mut Mlp, history: &History, step: usize) -> wgrad::Result<()> {
    for name in mlp.parameter_names() {
        let series = &history.recording.by_name[&name];
        let weight: ArrayD<f32> = series.get(step).map(|w| w.to_owned()).unwrap_or_default();
        mlp.set_parameter(&name, &weight)?;
    }
    Ok(())
}
