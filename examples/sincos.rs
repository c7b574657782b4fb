//! sin(t) cos(t) from sin t and cos t: a network of thirteen parameters learns a product.
//!
//! 2-3-1 with tanh in both layers, Adam, minibatches of 10, 500 epochs; t has 100 values from 0 to
//! 10, of which the last 20 % are held out.
//!
//!     cargo run --release --example sincos

mod common;

use clap::Parser;
use common::plot::{Chart, Column};
use ndarray::{Array1, stack};
use serde_json::json;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Adam;
use wgrad::{Mlp, Trainer};

const EPOCHS: usize = 500;
const POINTS: usize = 100;
const TRAIN: usize = 80;

/// Learns sin(t) cos(t).
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// How many seeds to train, from --seed on; the plots are of the first.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
}

fn main() -> common::Result {
    let Arguments { common: args, seeds } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();

    let t = Array1::linspace(0.0, 10.0, POINTS);
    let (sin, cos) = (t.mapv(f64::sin), t.mapv(f64::cos));
    let x = stack![ndarray::Axis(1), sin, cos];
    let y = &sin * &cos;
    let data = Dataset::regression(&x, &y)?;
    let (train, validation) = data.split_at(TRAIN)?;

    let mut losses = Vec::new();
    for seed in args.seed..args.seed + seeds.max(1) {
        let mut mlp = Mlp::builder(2)
            .hidden(3, Activation::Tanh)
            .hidden(1, Activation::Tanh)
            .seed(seed)
            .build(&device)?;
        let history = Trainer::new(Loss::Mse, Adam::default())
            .batch_size(10)
            .epochs(args.epochs(EPOCHS))
            .seed(seed)
            .validation(&validation)
            .progress(true)
            .fit(&mut mlp, &train)?;
        let loss = mlp.evaluate(&validation, Loss::Mse)?;
        println!("seed {seed}: validation loss {loss:.5}");
        losses.push(loss);
        if seed > args.seed {
            continue;
        }
        let learned = mlp.predict(&x.mapv(|x| x as f32))?;
        let over = |y: Vec<f64>| t.iter().copied().zip(y).collect::<Vec<_>>();
        let curve = Chart::new("sin(t) cos(t); trained up to t = 8")
            .axes("t", "value")
            .size(802, 340)
            .points("data", over(y.to_vec()))
            .line("network", over(learned.column(0).mapv(f64::from).to_vec()));
        let losses = Chart::new("Mean squared error")
            .axes("epoch", "error")
            .log_y()
            .size(802, 340)
            .epochs("training points", &history.train_losses())
            .epochs("held-out points", &history.validation_losses());
        plots.save("sincos", &Column(vec![Box::new(curve), Box::new(losses)]))?;
    }
    common::output::result(json!({ "validation_loss": losses[0], "validation_losses": losses }))
}
