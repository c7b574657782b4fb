//! Multinomial logistic regression on MNIST, and what it looks for in each digit.
//!
//! A network of one layer, 784-10, with softmax cross-entropy and an L2 or an L1 penalty, trained on
//! 5,000 digits with standardised pixels. Draws the coefficients of each digit as an image: red
//! pixels speak for it, blue ones against it. L1 leaves few of them.
//!
//!     cargo run --release --example logistic_mnist
//!     cargo run --release --example logistic_mnist -- --penalty l1

mod common;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use common::plot::{ColourMap, ImageGrid};
use ndarray::Ix2;
use serde_json::json;
use wgrad::data::StandardScaler;
use wgrad::nn::Loss;
use wgrad::optim::Adam;
use wgrad::train::Metric;
use wgrad::{Mlp, Trainer};

const EPOCHS: usize = 20;
const BATCH: usize = 64;
const TRAIN: usize = 5000;
/// The height and the width of an image.
const EDGE: usize = 28;
/// A coefficient nearer to 0 counts as none.
const NONE: f32 = 1e-3;

/// Reads digits by logistic regression.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// A folder with the whole of MNIST as four IDX files, plain or gzipped.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// The penalty on the coefficients.
    #[arg(long, value_enum, default_value_t = Penalty::L2)]
    penalty: Penalty,

    /// Its strength: the factor of sum |w|, or of half the sum of w².
    #[arg(long)]
    strength: Option<f64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Penalty {
    L1,
    L2,
}

fn main() -> common::Result {
    let Arguments { common: args, data, penalty, strength } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();

    let (train, test) = common::mnist(data.as_deref())?;
    let train = train.take(TRAIN)?;
    let scaler = StandardScaler::fit(&train)?;
    let (train, test) = (scaler.transform(&train)?, scaler.transform(&test)?);

    let trainer = Trainer::new(Loss::CrossEntropy, Adam::default());
    let trainer = match penalty {
        Penalty::L1 => trainer.l1(strength.unwrap_or(0.003)),
        Penalty::L2 => trainer.l2(strength.unwrap_or(0.02)),
    };
    let mut mlp = Mlp::builder(train.inputs()).output(10).seed(args.seed).build(&device)?;
    let history = { trainer }
        .batch_size(BATCH)
        .epochs(args.epochs(EPOCHS))
        .seed(args.seed)
        .progress(true)
        .fit(&mut mlp, &train)?;

    let accuracy = mlp.evaluate(&test, Metric::Accuracy)?;
    let coefficients = mlp.parameter("layers.0.weight")?.into_dimensionality::<Ix2>()?;
    let none = coefficients.iter().filter(|w| w.abs() < NONE).count();
    let sparsity = none as f64 / coefficients.len() as f64;
    println!("{:.2} % of the test digits are read right", 100.0 * accuracy);
    println!("{:.1} % of the coefficients are 0 to within {NONE}", 100.0 * sparsity);

    let title = format!("What speaks for each digit ({penalty:?} penalty)");
    let mut grid = ImageGrid::new(title, 5, ColourMap::Diverging)
        .subtitle("Coefficients of standardised pixels: red for the digit, blue against it")
        .edge(112)
        .scale_bar();
    for (digit, column) in coefficients.columns().into_iter().enumerate() {
        let image = column.to_owned().into_shape_with_order((EDGE, EDGE))?;
        grid = grid.tile(image, digit.to_string());
    }
    plots.save("logistic_mnist", &grid)?;

    common::output::result(json!({
        "penalty": format!("{penalty:?}").to_lowercase(),
        "train_loss": history.final_loss(),
        "test_accuracy": accuracy,
        "sparsity": sparsity,
    }))
}
