//! Watching gradient descent: a parabola, learned by batch, stochastic and minibatch descent.
//!
//! 2-4-1 without biases on (1, x), ReLU in the hidden layer, 9,100 steps of each kind; error, all
//! gradients and the weights of the second layer are recorded at every step. Draws fit, error,
//! gradient norms and weights; `--frames N` draws the fit as it comes about, in N pictures.
//!
//!     cargo run --release --example parabola
//!     cargo run --release --example parabola -- --hidden 16,16 --rate 0.0001 --frames 20

mod common;

use clap::Parser;
use common::plot::{Chart, Column, Picture};
use common::random::normal;
use ndarray::{Array1, Array2, Axis, stack};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::json;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::Sgd;
use wgrad::train::History;
use wgrad::{Dense, Device, Mlp, Trainer};

const STEPS: usize = 9_100;
const SHORT_STEPS: usize = 200;
const POINTS: usize = 100;
const RATE: f64 = 0.001;
/// Minibatches of each kind of descent.
const KINDS: [(&str, usize); 3] = [("stochastic", 1), ("minibatch", 20), ("batch", POINTS)];
/// What the seed of the weights is more than `--seed`: with 0 no unit is active left of x = 0, and
/// a ReLU that is not active learns nothing.
const FIRST_SEED: u64 = 2;

/// Learns a parabola by three kinds of gradient descent.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// The widths of the hidden layers.
    #[arg(long, value_delimiter = ',', default_values_t = [4])]
    hidden: Vec<usize>,

    /// The learning rate. With single samples and two hidden layers the default is too much: all
    /// units fall silent, and 0.0001 is enough.
    #[arg(long, default_value_t = RATE)]
    rate: f64,

    /// How many pictures to draw of the fit on its way.
    #[arg(long, default_value_t = 0)]
    frames: usize,
}

fn main() -> common::Result {
    let Arguments { common: args, hidden, rate, frames } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();
    let (x, inputs, y) = parabola(args.seed);
    let data = Dataset::regression(&inputs, &y)?;

    let steps = if args.short { SHORT_STEPS } else { args.epochs(STEPS) };
    let mut results = serde_json::Map::new();
    let mut errors = Chart::new("Error, the mean of (a − b)² / 2").axes("step", "error");
    errors = errors.log_y().size(802, 340);
    let mut norms = Chart::new("Norm of the first layer's gradient")
        .axes("step", "norm")
        .log_y()
        .size(802, 340);
    let mut fits = Chart::new("Fit").axes("x", "y").size(802, 420);
    for (name, batch) in KINDS {
        let mut mlp = network(&hidden, args.seed + FIRST_SEED, &device)?;
        let history = descend(&mut mlp, &data, batch, steps, rate, args.seed)?;
        let error = mlp.evaluate(&data, Loss::HalfSquared)?;
        println!("{name:>10} descent: error {error:.4} after {steps} steps");
        results.insert(name.to_owned(), json!(error));

        let losses: Vec<f64> = history.step_losses.iter().map(|&loss| f64::from(loss)).collect();
        errors = errors.line(name, thinned(&losses));
        let gradients = &history.recording.by_name["layers.0.weight.grad"];
        norms = norms.line(name, thinned(&gradients.norms()));
        let learned = mlp.predict(&inputs.mapv(|x| x as f32))?.column(0).mapv(f64::from);
        fits = fits.line(name, pairs(&x, &learned));
        if batch == POINTS {
            plots.save("weights", &weights(&history))?;
        }
    }
    let fits = fits.points("data", pairs(&x, &y));
    let column: [Box<dyn Picture>; 3] = [Box::new(fits), Box::new(errors), Box::new(norms)];
    plots.save("parabola", &Column(column.into()))?;
    for frame in 1..=frames {
        let mut mlp = network(&hidden, args.seed + FIRST_SEED, &device)?;
        let steps = steps * frame / frames;
        descend(&mut mlp, &data, POINTS, steps, rate, args.seed)?;
        let learned = mlp.predict(&inputs.mapv(|x| x as f32))?.column(0).mapv(f64::from);
        let chart = Chart::new(format!("Batch descent after {steps} steps")).axes("x", "y");
        let chart = chart.points("data", pairs(&x, &y)).line("network", pairs(&x, &learned));
        plots.save(&format!("frame_{frame:03}"), &chart)?;
    }
    common::output::result(json!({ "errors": results }))
}

/// x from -10 to 10, the inputs (1, x), and x^2 with normal noise of deviation 0.1.
fn parabola(seed: u64) -> (Array1<f64>, Array2<f64>, Array1<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let x = Array1::linspace(-10.0, 10.0, POINTS);
    let inputs = stack![Axis(1), Array1::ones(POINTS), x];
    let y = x.mapv(|x| x * x + 0.1 * normal(&mut rng));
    (x, inputs, y)
}

/// Weights of N(0, 1) over the number of inputs, no biases.
fn network(hidden: &[usize], seed: u64, device: &Device) -> wgrad::Result<Mlp> {
    let (mut builder, mut inputs) = (Mlp::builder(2).bias(false).seed(seed), 2);
    let hidden = hidden.iter().map(|&width| (width, Activation::Relu));
    for (width, activation) in hidden.chain([(1, Activation::Identity)]) {
        let init = Init::Normal(1.0 / inputs as f32);
        builder = builder.layer(Dense::new(width, activation).weight_init(init));
        inputs = width;
    }
    builder.build(device)
}

fn descend(
    mlp: &mut Mlp,
    data: &Dataset,
    batch: usize,
    steps: usize,
    rate: f64,
    seed: u64,
) -> wgrad::Result<History> {
    Trainer::new(Loss::HalfSquared, Sgd::new(rate))
        .batch_size(batch)
        .epochs(steps.div_ceil(POINTS / batch))
        .seed(seed)
        .record_steps(true)
        .record(["layers.0.weight.grad", "layers.1.weight.grad", "layers.1.weight"], 1)
        .fit(mlp, data)
}

/// The weights of the second layer over the steps.
fn weights(history: &History) -> Chart {
    let series = &history.recording.by_name["layers.1.weight"];
    let count = series.get(0).map_or(0, |record| record.len()).min(8);
    let chart = Chart::new("Weights of the second layer, batch descent").axes("step", "weight");
    (0..count).fold(chart, |chart, i| {
        let values: Vec<f64> = series.element(i).into_iter().map(f64::from).collect();
        chart.line(&format!("w{i}"), thinned(&values))
    })
}

/// At most about five hundred points of a long curve, each the mean of as many steps.
fn thinned(values: &[f64]) -> Vec<(f64, f64)> {
    let count = values.len().div_ceil(500).max(1);
    let point = |(i, chunk): (usize, &[f64])| {
        let middle = (i * count) as f64 + 0.5 * (chunk.len() + 1) as f64;
        (middle, chunk.iter().sum::<f64>() / chunk.len() as f64)
    };
    values.chunks(count).enumerate().map(point).collect()
}

fn pairs(x: &Array1<f64>, y: &Array1<f64>) -> Vec<(f64, f64)> {
    x.iter().copied().zip(y.iter().copied()).collect()
}
