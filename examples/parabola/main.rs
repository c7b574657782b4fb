//! Watching gradient descent: a parabola, learned by batch, stochastic and minibatch descent.
//!
//! 2-4-1 without biases on (1, x), ReLU in the hidden layer, 9,100 steps of each kind; error,
//! gradients and weights are recorded at every step. Draws fit, error, gradient norms and weights;
//! `--frames N` draws batch descent as it goes, as an animated picture of N frames.
//!
//!     cargo run --release --example parabola
//!     cargo run --release --example parabola -- --frames 60
//!     cargo run --release --example parabola -- --hidden 16,16 --rate 0.0001

#[path = "../common/mod.rs"]
mod common;
mod descent;
mod pictures;

use clap::Parser;
use common::plot::{Chart, Column, Picture};
use descent::{Descent, POINTS, Points, network};
use pictures::{animate, errors, gradient_norms, losses, norms, pairs, thinned, weights};
use serde_json::json;
use wgrad::nn::Loss;

const STEPS: usize = 9_100;
const SHORT_STEPS: usize = 200;
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

    /// The frames of an animated picture of batch descent; 0 for none.
    #[arg(long, default_value_t = 0)]
    frames: usize,
}

fn main() -> common::Result {
    let Arguments { common: args, hidden, rate, frames } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();
    let points = Points::new(args.seed);
    let data = points.dataset()?;
    let steps = if args.short { SHORT_STEPS } else { args.epochs(STEPS) };
    let descent = Descent { steps, rate, seed: args.seed };

    let mut results = serde_json::Map::new();
    let (mut error_chart, mut norm_chart) = (errors().size(802, 340), norms().size(802, 340));
    let mut fits = Chart::new("Fit").axes("x", "y").size(802, 420);
    for (name, batch) in KINDS {
        let mut mlp = network(&hidden, args.seed + FIRST_SEED, &device)?;
        let history = descent.run(&mut mlp, &data, batch)?;
        let error = mlp.evaluate(&data, Loss::HalfSquared)?;
        println!("{name:>10} descent: error {error:.4} after {steps} steps");
        results.insert(name.to_owned(), json!(error));

        error_chart = error_chart.line(name, thinned(&losses(&history)));
        norm_chart = norm_chart.line(name, thinned(&gradient_norms(&history)));
        fits = fits.line(name, pairs(&points.x, &points.learned(&mlp)?));
        if batch == POINTS {
            plots.save("weights", &weights(&history))?;
            if frames > 0 {
                animate(&plots, frames, &mut mlp, &history, &points)?;
            }
        }
    }
    let fits = fits.points("data", pairs(&points.x, &points.y));
    let column: [Box<dyn Picture>; 3] =
        [Box::new(fits), Box::new(error_chart), Box::new(norm_chart)];
    plots.save("parabola", &Column(column.into()))?;
    common::output::result(json!({ "errors": results }))
}
