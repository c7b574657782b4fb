//! MNIST: handwritten digits of 28 x 28 pixels, and what the first layer looks for in them.
//!
//! Trains 784-50-10 by gradient descent with momentum on 5,000 digits and tests it on 5,000 others,
//! of which some 92 % are read right after ten epochs. `--net linear` leaves out the hidden
//! activation: two layers then say no more than one, and it shows. Draws the loss of each epoch,
//! and the weights of sixteen hidden units as images.
//!
//!     cargo run --release --example mnist
//!     cargo run --release --example mnist -- --net linear
//!     cargo run --release --example mnist -- --data ~/mnist     all 70,000, as IDX files

mod common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use common::Failure;
use common::plot::{Chart, ColourMap, ImageGrid};
use ndarray::Ix2;
use serde_json::json;
use wgrad::data::{Dataset, StandardScaler};
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Sgd;
use wgrad::train::{EpochRecord, Metric};
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
    let epochs = args.epochs(EPOCHS);

    let (train, test) = load(data.as_deref())?;
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
    let history = Trainer::new(Loss::CrossEntropy, Sgd::new(0.01).momentum(momentum))
        .batch_size(BATCH)
        .epochs(epochs)
        .seed(args.seed)
        .validation(&test)
        .metric(Metric::Accuracy)
        .on_epoch(move |record| {
            println!("{}", line(record, epochs));
            ControlFlow::Continue(())
        })
        .fit(&mut mlp, &train)?;

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
        "test_accuracy": mlp.evaluate(&test, Metric::Accuracy)?,
        "seconds": history.seconds(),
    }))
}

/// The whole of MNIST from a folder, or the 10,000 digits of the repository in two halves.
fn load(folder: Option<&Path>) -> common::Result<(Dataset, Dataset)> {
    if let Some(folder) = folder {
        return Ok(Dataset::mnist_idx(folder)?);
    }
    let file = common::data_file("mnist_10k.npz");
    if !file.exists() {
        return Err(Failure::new(format!(
            "{} is missing: the published package leaves it out. Take it from wgrad's repository, \
             or give MNIST's own four files with `--data DIR`",
            file.display()
        )));
    }
    Ok(Dataset::from_npz(file)?.split_at(5000)?)
}

/// One line about an epoch.
fn line(record: &EpochRecord, epochs: usize) -> String {
    let metric = |name: &str| record.metrics.iter().find(|(n, _)| n == name).map(|(_, x)| *x);
    format!(
        "epoch {:>2}/{epochs}: loss {:.4}, test loss {:.4}, test accuracy {:.4}, {:.2} s",
        record.epoch,
        record.train_loss,
        record.validation_loss.unwrap_or(f64::NAN),
        metric("accuracy").unwrap_or(f64::NAN),
        record.seconds
    )
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
