//! The Reynolds number of a turbulent wake from one picture of it.
//!
//! Reads velocity fields behind a cylinder, or simulates them (the example `vortex_street`: under a
//! minute, once), turns them into vorticity windows of 64 x 64 cells, and trains networks to tell
//! the Reynolds number: 4096-10-10-1 and 4096-100-100-1, ReLU, Adam, scikit-learn's stopping rule.
//! Beside them ridge regression, whose penalty is cross-validated. Draws samples, class balance,
//! principal components, loss curves, and predictions against the truth.
//!
//! Behind a cylinder in a steady inflow all three reach an R2 above 0.998: the wake runs on a closed
//! orbit for each Reynolds number, as the principal components show, and test fields have close
//! neighbours to train on. Fields of `vortex_street --turbulence 0.05` do not repeat themselves, and
//! are harder.
//!
//!     cargo run --release --example reynolds
//!     cargo run --release --example reynolds -- --net 10 --device gpu
//!     cargo run --release --example reynolds -- --data my_fields/ --every 5 --stride 2
//!     cargo run --release --example reynolds -- --study batch      and lr, and diverge

#[path = "../common/mod.rs"]
mod common;
mod figures;
mod linear;
mod studies;
mod wake;

use std::path::PathBuf;

use clap::Parser;
use common::plot::{Chart, Column, Picture};
use linear::Linear;
use serde_json::{Map, json};
use studies::{Study, targets};
use wgrad::data::StandardScaler;
use wgrad::estimator::MlpRegressor;

const EPOCHS: usize = 1000;
const STUDY_EPOCHS: usize = 60;
const BATCH: usize = 32;
const LEARNING_RATE: f64 = 0.001;

/// Trains networks to tell the Reynolds number of a wake.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    #[command(flatten)]
    wake: wake::Wake,

    /// The width of the two hidden layers; may be given more than once [default: 10 and 100].
    #[arg(long, value_name = "WIDTH")]
    net: Vec<usize>,

    /// Whether features are scaled to mean 0 and variance 1, as fitted on the training part.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    standardize: bool,

    /// Trains several networks to see what matters, instead of the two.
    #[arg(long, value_enum)]
    study: Option<Study>,

    /// Writes the training and the test part as `.npy` files, for other programs to compare with.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

fn main() -> common::Result {
    let Arguments { common: args, wake, net, standardize, study, export } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();
    let nets = if net.is_empty() { vec![10, 100] } else { net };

    let windows = wake.windows(args.short)?;
    let (train, test) = wake::dataset(&windows)?.shuffled(args.seed).split(0.2)?;
    let scaler = StandardScaler::fit(&train)?;
    let (train, test) = match standardize {
        true => (scaler.transform(&train)?, scaler.transform(&test)?),
        false => (train, test),
    };
    if study == Some(Study::Diverge) {
        let error = studies::diverge(&device, &train, args.seed)?;
        println!("{error}");
        return common::output::result(json!({ "study": "diverge", "error": error.to_string() }));
    }
    println!(
        "{} fields of {} values to train on, {} to test with",
        train.len(),
        train.inputs(),
        test.len()
    );
    if let Some(folder) = &export {
        wake::export(folder, [("train", &train), ("test", &test)])?;
    }
    if let Some(study) = study {
        let epochs = args.epochs(STUDY_EPOCHS);
        let (chart, losses) = study.run(&device, &train, (nets[0], epochs, args.seed))?;
        let name = format!("{study:?}").to_lowercase();
        plots.save(&format!("study_{name}"), &chart)?;
        return common::output::result(json!({ "study": name, "losses": losses }));
    }

    let (y_train, y_test) = (targets(&train)?, targets(&test)?);
    let reynolds: Vec<u32> = windows.iter().map(|(re, _)| *re).collect();
    let linear = Linear::new(train.features());
    let ridge = linear.ridge(y_train);
    let ridge_r2 = ridge.r2(test.features(), y_test);
    println!("ridge regression: R2 {ridge_r2:.4} on the test fields, penalty {}", ridge.penalty);
    let (y_train_rows, y_test_rows) = (y_train.to_vec(), y_test.to_vec());
    plots.save("samples", &figures::samples(&windows))?;
    plots.save("balance", &figures::balance(&reynolds, &y_train_rows, &y_test_rows))?;
    let components = linear.components();
    plots.save("pca", &figures::components(&reynolds, &y_train_rows, &components))?;

    let mut losses = Chart::new("Learning the Reynolds number")
        .axes("epoch", "half the mean squared error")
        .log_y()
        .size(640, 420);
    let mut pictures: Vec<Box<dyn Picture>> = Vec::new();
    let mut results = Map::new();
    for width in nets {
        let name = format!("{}-{width}-{width}-1", train.inputs());
        let model = MlpRegressor::builder()
            .hidden_layer_sizes([width, width])
            .batch_size(BATCH)
            .learning_rate_init(LEARNING_RATE)
            .max_iter(args.epochs(EPOCHS))
            .random_state(args.seed)
            .verbose(true)
            .device(&device)
            .fit(&train.features(), &y_train)?;
        let r2 = model.score(&test.features(), &y_test)?;
        println!("{name}: R2 {r2:.5} on the test fields after {} epochs", model.n_iter());
        let predicted = model.predict(&test.features())?.to_vec();
        losses = losses.epochs(&name, model.loss_curve());
        pictures.push(Box::new(figures::predictions(
            format!("{name}: R² = {r2:.4}"),
            &y_test_rows,
            &predicted,
        )));
        results.insert(format!("r2_{width}"), json!(r2));
        results.insert(format!("epochs_{width}"), json!(model.n_iter()));
        results.insert("r2".into(), json!(r2));
    }
    plots.save("loss", &losses)?;
    plots.save("predictions", &Column(pictures))?;

    results.insert("device".into(), json!(device.to_string()));
    results.insert("ridge_r2".into(), json!(ridge_r2));
    results.insert("ridge_penalty".into(), json!(ridge.penalty));
    common::output::result(results.into())
}
