//! Gradient descent on a line, and on a plane in five dimensions, against the closed form.
//!
//! A network without hidden layers is linear regression. A thousand steps down the gradient of the
//! mean squared error, over all rows at once, end where the normal equations say.
//!
//!     cargo run --release --example linear_regression
//!     cargo run --release --example linear_regression -- --features 5

mod common;

use clap::Parser;
use common::plot::{Chart, Column};
use common::random::normal;
use ndarray::{Array1, Array2, Axis, concatenate};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use wgrad::data::Dataset;
use wgrad::nn::Loss;
use wgrad::optim::Sgd;
use wgrad::{Mlp, Trainer};

const STEPS: usize = 1000;
const ROWS: usize = 100;
const TRAIN: usize = 80;
const NOISE: f64 = 0.1;

/// Fits a line by gradient descent and compares it with the closed form.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// The number of features: 1, with the notebook's data, or 5, with random ones.
    #[arg(long, default_value_t = 1)]
    features: usize,
}

fn main() -> common::Result {
    let Arguments { common: args, features } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();

    let (x, y) = if features == 1 { notebook()? } else { random(features, args.seed) };
    let data = Dataset::regression(&x, &y)?;
    let (train, validation) = data.split_at(TRAIN)?;

    let mut mlp = Mlp::builder(features).output(1).seed(args.seed).build(&device)?;
    let history = Trainer::new(Loss::Mse, Sgd::new(0.1))
        .batch_size(TRAIN)
        .epochs(args.epochs(STEPS))
        .fit(&mut mlp, &train)?;

    let weight = mlp.parameter("layers.0.weight")?;
    let bias = mlp.parameter("layers.0.bias")?;
    let got: Vec<f64> = weight.iter().chain(&bias).map(|&p| f64::from(p)).collect();
    let rows = ndarray::s![..TRAIN, ..];
    let want = closed_form(&x.slice(rows).to_owned(), &y.slice(rows).column(0).to_owned());
    println!("{:>12} {:>14} {:>14}", "", "descent", "closed form");
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let name = if i < features { format!("w{i}") } else { "b".to_owned() };
        println!("{name:>12} {got:>14.8} {want:>14.8}");
    }
    let error = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);

    let curve = Chart::new("Mean squared error")
        .axes("step", "error")
        .log_y()
        .size(802, 340)
        .epochs("training rows", &history.train_losses());
    let fitted = mlp.predict(&x.mapv(|x| x as f32))?;
    let against = Chart::new("What was fitted")
        .axes(if features == 1 { "x" } else { "target" }, "value")
        .size(802, 420);
    let abscissa = if features == 1 { x.column(0) } else { y.column(0) };
    let pairs = |values: Vec<f64>| abscissa.iter().copied().zip(values).collect::<Vec<_>>();
    let targets = pairs(y.column(0).to_vec());
    let predictions = pairs(fitted.column(0).mapv(f64::from).to_vec());
    let against = match features {
        1 => against.points("rows", targets).line("fitted line", predictions),
        _ => against.points("prediction", predictions).line("prediction = target", targets),
    };
    plots.save("linear_regression", &Column(vec![Box::new(against), Box::new(curve)]))?;

    common::output::result(json!({
        "weights": got[..features],
        "bias": got[features],
        "difference_from_closed_form": error,
        "validation_loss": mlp.evaluate(&validation, Loss::Mse)?,
    }))
}

/// y = 1 + 2 x + 0.1 n on 100 points, as the notebook drew and shuffled them.
fn notebook() -> common::Result<(Array2<f64>, Array2<f64>)> {
    let data = Dataset::from_csv(common::data_file("linear_1d.csv"), &["x"], &["y"])?;
    let values = data.values().ok_or_else(|| common::Failure::new("the file has no values"))?;
    Ok((data.features().mapv(f64::from), values.mapv(f64::from)))
}

/// y = 1 + x . (1, 2, ...) + 0.1 n on points of the cube from -1 to 1. From 0 to 1, as the notebook
/// has them, the error is twelve times less curved along some directions, a thousand steps do not
/// get there, and steps in f32 come to rest 2e-5 away.
fn random(features: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let x = Array2::from_shape_simple_fn((ROWS, features), || rng.random_range(-1.0..1.0));
    let slopes = Array1::from_shape_fn(features, |i| (i + 1) as f64);
    let y = x.dot(&slopes).mapv(|y| 1.0 + y + NOISE * normal(&mut rng));
    (x, y.insert_axis(Axis(1)))
}

/// The least-squares solution (w, b): the normal equations, by Gaussian elimination in f64.
fn closed_form(x: &Array2<f64>, y: &Array1<f64>) -> Vec<f64> {
    let ones = Array2::ones((x.nrows(), 1));
    let design = concatenate![Axis(1), x.view(), ones.view()];
    let (mut a, mut b) = (design.t().dot(&design), design.t().dot(y));
    let n = b.len();
    for i in 0..n {
        for j in i + 1..n {
            let factor = a[[j, i]] / a[[i, i]];
            for k in i..n {
                a[[j, k]] -= factor * a[[i, k]];
            }
            b[j] -= factor * b[i];
        }
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| a[[i, k]] * b[k]).sum();
        b[i] = (b[i] - known) / a[[i, i]];
    }
    b.to_vec()
}
