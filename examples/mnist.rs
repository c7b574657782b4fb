//! MNIST: handwritten digits of 28 x 28 pixels, and what the first layer looks for in them.
//!
//! Trains 784-50-10 by gradient descent with momentum on 5,000 digits and tests it on 5,000 others,
//! of which some 92 % are read right after ten epochs. The first network has a ReLU, an L2 penalty
//! and a log like scikit-learn's; `--net linear` leaves out the hidden activation, so that two
//! layers say no more than one, and logs like PyTorch's examples. Draws the loss of each epoch, and
//! the weights of sixteen hidden units as images.
//!
//!     cargo run --release --example mnist
//!     cargo run --release --example mnist -- --net linear
//!     cargo run --release --example mnist -- --data ~/mnist     all 70,000, as IDX files

mod common;

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use common::plot::{Chart, ColourMap, ImageGrid};
use ndarray::Ix2;
use serde_json::json;
use wgrad::data::StandardScaler;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Sgd;
use wgrad::train::{EpochRecord, History, Metric};
use wgrad::{Mlp, Trainer};

const EPOCHS: usize = 10;
const BATCH: usize = 64;
const HIDDEN: usize = 50;
/// The height and the width of an image.
const EDGE: usize = 28;

/// Trains a network to read handwritten digits of 28 x 28 pixels.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// A folder with the whole of MNIST as four IDX files, plain or gzipped.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// The network: with a ReLU in the hidden layer, or without an activation.
    #[arg(long, value_enum, default_value_t = Net::Relu)]
    net: Net,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Net {
    Relu,
    Linear,
}

fn main() -> common::Result {
    let Arguments { common: args, data, net } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();

    let (train, test) = common::mnist(data.as_deref())?;
    let scaler = StandardScaler::fit(&train)?;
    let (train, test) = (scaler.transform(&train)?, scaler.transform(&test)?);
    println!("{} digits to train on, {} to test with", train.len(), test.len());

    let (activation, momentum) = match net {
        Net::Relu => (Activation::Relu, 0.9),
        Net::Linear => (Activation::Identity, 0.5),
    };
    let mut mlp = Mlp::builder(train.inputs())
        .hidden(HIDDEN, activation)
        .output(train.outputs())
        .seed(args.seed)
        .build(&device)?;
    let trainer = Trainer::new(Loss::CrossEntropy, Sgd::new(0.01).momentum(momentum))
        .batch_size(BATCH)
        .epochs(args.epochs(EPOCHS))
        .seed(args.seed)
        .validation(&test)
        .metric(Metric::Accuracy);
    let history = match net {
        Net::Relu => trainer.l2(1e-4).on_epoch(|record| {
            iteration(record);
            ControlFlow::Continue(())
        }),
        Net::Linear => trainer.record_steps(true),
    }
    .fit(&mut mlp, &train)?;
    if let Net::Linear = net {
        log(&history, train.len(), test.len());
    }
    let [train_score, test_score] =
        [&train, &test].map(|data| mlp.evaluate(data, Metric::Accuracy));
    let (train_score, test_score) = (train_score?, test_score?);
    println!("train score {train_score:.4}, test score {test_score:.4}");

    let net = format!("{net:?}").to_lowercase();
    let chart = Chart::new(format!("Learning to read MNIST, {net} network"))
        .axes("epoch", "cross-entropy")
        .epochs("training digits", &history.train_losses())
        .epochs("test digits", &history.validation_losses());
    plots.save("mnist_loss", &chart)?;
    plots.save("mnist_weights", &weights(&mlp)?)?;

    common::output::result(json!({
        "device": device.to_string(),
        "net": net,
        "epochs": history.epochs.len(),
        "train_loss": history.final_loss(),
        "train_accuracy": train_score,
        "test_accuracy": test_score,
        "seconds": history.seconds(),
    }))
}

/// The line of an epoch, as scikit-learn's `verbose` has it, and the test score.
fn iteration(record: &EpochRecord) {
    let score = record.metric(Metric::Accuracy).unwrap_or(f64::NAN);
    println!(
        "Iteration {}, loss = {:.8}, test score = {score:.4}",
        record.epoch, record.train_loss
    );
}

/// A line for every ten minibatches, and two for the test after each epoch, as is usual with
/// PyTorch. The losses have stayed on the device until now: no step waited for its line.
fn log(history: &History, train: usize, test: usize) {
    let steps = train.div_ceil(BATCH);
    for (record, losses) in history.epochs.iter().zip(history.step_losses.chunks(steps)) {
        for (batch, loss) in losses.iter().enumerate().step_by(10) {
            let (epoch, seen) = (record.epoch, batch * BATCH);
            let percent = 100.0 * batch as f64 / steps as f64;
            println!("Train epoch {epoch} [{seen}/{train} ({percent:.0} %)], loss {loss:.6}");
        }
        let accuracy = record.metric(Metric::Accuracy).unwrap_or(f64::NAN);
        let correct = (accuracy * test as f64).round();
        let loss = record.validation_loss.unwrap_or(f64::NAN);
        let percent = 100.0 * accuracy;
        println!("Test set: average loss {loss:.4}, accuracy {correct}/{test} ({percent:.2} %)\n");
    }
}

/// The weights from all pixels to each of the first sixteen hidden units.
fn weights(mlp: &Mlp) -> common::Result<ImageGrid> {
    let weights = mlp.parameter("layers.0.weight")?.into_dimensionality::<Ix2>()?;
    let mut grid = ImageGrid::new("What sixteen hidden units look for", 4, ColourMap::Grey)
        .subtitle("First-layer weights: light pixels excite a unit, dark ones inhibit it")
        .edge(112)
        .scale_bar();
    for unit in weights.columns().into_iter().take(16) {
        grid = grid.tile(unit.to_owned().into_shape_with_order((EDGE, EDGE))?, "");
    }
    Ok(grid)
}
