//! Which learning rate? One minibatch at each of a hundred rates tells (Smith, 2015).
//!
//! The range test runs on a copy of the network: its weights, the optimizer's state and the random
//! streams stay as they were. Draws the loss over the rate, and what several rules make of it, then
//! trains with half of the rate of the least loss, the notebook's rule.
//!
//!     cargo run --release --example lr_scan

mod common;

use clap::Parser;
use common::plot::Chart;
use serde_json::json;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Adam;
use wgrad::train::{Metric, RangeTest, Suggestion};
use wgrad::{Mlp, Trainer};

const EPOCHS: usize = 20;

/// Scans learning rates on handwritten digits, and trains with the one it suggests.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,
}

fn main() -> common::Result {
    let args = Arguments::parse().common;
    let device = args.device()?;
    let plots = args.plots();

    let digits = Dataset::from_npz(common::data_file("digits.npz"))?.scaled(1.0 / 16.0)?;
    let (train, test) = digits.shuffled(args.seed).split(0.2)?;
    let mut mlp = Mlp::builder(digits.inputs())
        .hidden(100, Activation::Relu)
        .output(digits.outputs())
        .seed(args.seed)
        .build(&device)?;
    let before = mlp.parameters()?;
    let trainer = |rate| Trainer::new(Loss::CrossEntropy, Adam::new(rate)).batch_size(32);
    let scan = trainer(0.001).seed(args.seed).range_test(&mlp, &train, RangeTest::default())?;
    let unchanged = mlp.parameters()? == before;
    println!("{} rates tried; the network is as it was: {unchanged}", scan.rates.len());

    let mut suggestions = serde_json::Map::new();
    for rule in Suggestion::ALL {
        let rate = scan.suggest(rule);
        println!("{rule:?}: {}", rate.map_or("none".to_owned(), |rate| format!("{rate:.2e}")));
        suggestions.insert(format!("{rule:?}"), json!(rate));
    }
    let points: Vec<(f64, f64)> =
        scan.rates.iter().copied().zip(scan.losses.iter().copied()).collect();
    let chart = Chart::new("Loss of one minibatch at each learning rate")
        .axes("learning rate", "cross-entropy")
        .log_x()
        .log_y()
        .size(802, 420)
        .line("loss before the step", points);
    let bounds = |f: fn(f64, f64) -> f64, start| scan.losses.iter().copied().fold(start, f);
    let (least, most) = (bounds(f64::min, f64::INFINITY), bounds(f64::max, 0.0));
    let chart = Suggestion::ALL.into_iter().fold(chart, |chart, rule| match scan.suggest(rule) {
        Some(rate) => chart.line(label(rule), [(rate, least), (rate, most)]),
        None => chart,
    });
    plots.save("lr_scan", &chart)?;

    let rate = scan.suggest(Suggestion::HalfOfLeast).unwrap_or(0.001);
    trainer(rate)
        .seed(args.seed)
        .epochs(args.epochs(EPOCHS))
        .progress(true)
        .fit(&mut mlp, &train)?;
    let accuracy = mlp.evaluate(&test, Metric::Accuracy)?;
    println!(
        "{:.2} % of the test digits are read right with a rate of {rate:.2e}",
        100.0 * accuracy
    );
    common::output::result(json!({
        "suggestions": suggestions,
        "unchanged": unchanged,
        "learning_rate": rate,
        "test_accuracy": accuracy,
    }))
}

/// What a rule is called in the picture.
fn label(rule: Suggestion) -> &'static str {
    match rule {
        Suggestion::HalfOfLeast => "half of the best rate",
        Suggestion::TenthOfLeast => "a tenth of it",
        Suggestion::Steepest => "where it falls fastest",
        _ => "another rule",
    }
}
