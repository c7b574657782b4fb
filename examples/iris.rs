//! Iris: petals from sepals. Four variants of a small network, and a loss every ten steps.
//!
//! Without setosa, 100 flowers; sepal length and width give petal length and width, all
//! standardised, half to train on and half to validate with, both kinds of flowers alike. 2-100-2
//! with ReLU: without biases and with weights of N(0, 1), or with PyTorch's initial weights and
//! biases; by plain descent of the sum of squares, or by Adam.
//!
//!     cargo run --release --example iris
//!     cargo run --release --example iris -- --epochs 500

mod common;

use clap::Parser;
use common::plot::{Chart, Column, Picture};
use serde_json::json;
use wgrad::data::{Dataset, StandardScaler};
use wgrad::nn::{Activation, Init, Loss, LossReduction};
use wgrad::optim::{Adam, Optimizer, Sgd};
use wgrad::{Device, Mlp, Trainer};

const STEPS: usize = 50;
const EVERY: usize = 10;
const HIDDEN: usize = 100;
const SETOSA: f32 = 0.0;

/// Learns petals from sepals.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,
}

fn main() -> common::Result {
    let args = Arguments::parse().common;
    let device = args.device()?;
    let plots = args.plots();
    let (train, validation) = flowers(args.seed)?;
    println!("{} flowers to train on, {} to validate with", train.len(), validation.len());

    let sgd: Optimizer = Sgd::new(1e-4).into();
    let adam: Optimizer = Adam::new(1e-3).into();
    let variants = [
        ("descent, no biases", false, sgd),
        ("Adam, no biases", false, adam),
        ("descent, biases", true, sgd),
        ("Adam, biases", true, adam),
    ];
    let mut results = serde_json::Map::new();
    let mut charts: Vec<Box<dyn Picture>> = Vec::new();
    for (name, biases, optimizer) in variants {
        let mut mlp = network(biases, args.seed, &device)?;
        let history = Trainer::new(Loss::Mse, optimizer)
            .reduction(LossReduction::Sum)
            .batch_size(train.len())
            .epochs(args.epochs(STEPS))
            .validation(&validation)
            .fit(&mut mlp, &train)?;
        // Validation losses are means: of 50 rows and two columns.
        let terms = (validation.len() * validation.outputs()) as f64;
        let (losses, held_out) = (history.train_losses(), history.validation_losses());
        let held_out: Vec<f64> = held_out.iter().map(|loss| loss * terms).collect();
        println!("{name}");
        for (i, (loss, held_out)) in losses.iter().zip(&held_out).enumerate() {
            if (i + 1) % EVERY == 0 {
                println!("  step {:>4}: loss {loss:9.3}, validation {held_out:9.3}", i + 1);
            }
        }
        let last = |curve: &[f64]| curve.last().copied().unwrap_or(f64::NAN);
        results.insert(name.to_owned(), json!([last(&losses), last(&held_out)]));
        let chart = Chart::new(format!("Sum of squares: {name}")).axes("step", "loss").log_y();
        let chart =
            chart.size(802, 280).epochs("training", &losses).epochs("validation", &held_out);
        charts.push(Box::new(chart));
    }
    plots.save("iris", &Column(charts))?;
    common::output::result(json!({ "losses": results }))
}

/// Sepals and petals of versicolor and virginica, standardised, in two halves.
fn flowers(seed: u64) -> common::Result<(Dataset, Dataset)> {
    let file = common::data_file("iris.csv");
    let columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
    let all = Dataset::from_csv(file, &columns, &["species"])?;
    let rows: Vec<usize> = (all.labels().unwrap_or_default().iter().enumerate())
        .filter(|(_, label)| **label as f32 != SETOSA)
        .map(|(row, _)| row)
        .collect();
    let (train, validation) = all.select(&rows)?.split_stratified(0.5, seed)?;
    let scaler = StandardScaler::fit(&train)?;
    let split = |flowers: &Dataset| {
        let scaled = scaler.transform(flowers)?;
        let x = scaled.features().slice(ndarray::s![.., ..2]).to_owned();
        let y = scaled.features().slice(ndarray::s![.., 2..]).to_owned();
        Dataset::regression(&x, &y)
    };
    Ok((split(&train)?, split(&validation)?))
}

fn network(biases: bool, seed: u64, device: &Device) -> wgrad::Result<Mlp> {
    let builder = Mlp::builder(2).hidden(HIDDEN, Activation::Relu).output(2).seed(seed);
    let builder = if biases { builder } else { builder.bias(false).weight_init(Init::Normal(1.0)) };
    builder.build(device)
}
