//! A network as data flow and as statistics: what a minibatch is in every layer.
//!
//! 100-200-100-10 with tanh and relu, PyTorch's default weights, 500 rows of N(0, 1). First a trace of
//! all rows before the training: shapes, mean, deviation, zeros and saturated units of every layer's
//! input, sum, output, delta, weights and gradient. Drawn are histograms, outputs over sums, and
//! gradients over weights. Then a training that is traced every few steps, also as JSON and CSV: it
//! learns which of ten random directions a row points along most.
//!
//!     cargo run --release --example trace
//!     cargo run --release --example trace -- --every 1 --device gpu

mod common;

use clap::Parser;
use common::plot::{Chart, Column, Picture, Row};
use common::random::normal;
use ndarray::{Array, Array1, Array2, ArrayView1, Dimension};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::json;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Adam;
use wgrad::train::{LayerTrace, Summary, Trace, Traces};
use wgrad::{Dataset, Mlp, Trainer};

const ROWS: usize = 500;
const INPUTS: usize = 100;
const CLASSES: usize = 10;
const EPOCHS: usize = 30;
/// Width and height of each small chart.
const SIZE: (u32, u32) = (330, 300);
/// The points of a scatter plot; more would hide each other.
const DOTS: usize = 1500;

/// Looks into every layer of a network, before the training and in it.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// The steps from one trace of the training to the next.
    #[arg(long, default_value_t = 5)]
    every: usize,
}

fn main() -> common::Result {
    let Arguments { common: args, every } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();
    let data = data(args.seed)?;
    let mut mlp = Mlp::builder(INPUTS)
        .hidden(200, Activation::Tanh)
        .hidden(100, Activation::Relu)
        .output(CLASSES)
        .seed(args.seed)
        .build(&device)?;
    let trainer = Trainer::new(Loss::CrossEntropy, Adam::new(1e-3)).seed(args.seed).batch_size(50);

    let trace = trainer.trace(&mlp, &data)?;
    println!("{trace}");
    let values = trainer.layer_values(&mlp, &data)?;
    let gradients = trainer.gradients(&mlp, &data)?.by_name;
    let mut rows: Vec<Box<dyn Picture>> = Vec::new();
    for (i, (layer, values)) in trace.layers.iter().zip(&values).enumerate() {
        let name = format!("layers.{i}.weight");
        let (weight, gradient) = (mlp.parameter(&name)?, &gradients[&name]);
        let phi = layer.activation;
        let activation = Chart::new(format!("Layer {i}: {phi}")).axes("z", "y = φ(z)");
        let learning = Chart::new(format!("Layer {i}: gradients")).axes("w", "dL/dw");
        let mut charts = histograms(i, layer);
        charts.push(activation.points("", dots(&values.pre_activation, &values.output)));
        charts.push(learning.points("", dots(&weight, gradient)));
        let sized = charts
            .into_iter()
            .map(|chart| -> Box<dyn Picture> { Box::new(chart.size(SIZE.0, SIZE.1)) });
        rows.push(Box::new(Row(sized.collect())));
    }
    plots.save("trace", &Column(rows))?;

    let history = trainer.epochs(args.epochs(EPOCHS)).trace_every(every).fit(&mut mlp, &data)?;
    history.traces.write_json(plots.file("traces.json")?)?;
    history.traces.write_csv(plots.file("traces.csv")?)?;
    plots.save("training", &training(&history.traces))?;
    let last = history.traces.last().map(|trace| &trace.layers[..]).unwrap_or_default();
    common::output::result(json!({
        "loss_before": trace.loss,
        "loss": history.final_loss(),
        "traces": history.traces.len(),
        "saturated_before": trace.layers.iter().map(|layer| layer.saturated).collect::<Vec<_>>(),
        "saturated": last.iter().map(|layer| layer.saturated).collect::<Vec<_>>(),
    }))
}

/// Normal rows, labelled with the one of ten random directions that they point along most.
fn data(seed: u64) -> wgrad::Result<Dataset> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normals = |shape| Array2::from_shape_simple_fn(shape, || normal(&mut rng) as f32);
    let (x, directions) = (normals((ROWS, INPUTS)), normals((INPUTS, CLASSES)));
    let along = x.dot(&directions);
    let most = |row: ArrayView1<'_, f32>| {
        (0..CLASSES).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
    };
    let labels: Array1<usize> = along.rows().into_iter().map(most).collect();
    Dataset::classification(&x, &labels)
}

/// How often the inputs, weights and outputs of a layer have which value.
fn histograms(number: usize, layer: &LayerTrace) -> Vec<Chart> {
    let chart = |(name, axis, summary): (&str, &str, &Summary)| {
        let [rows, columns] = summary.shape;
        let edges = summary.edges();
        let middles = edges.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
        let counts = summary.histogram.iter().map(|&count| f64::from(count));
        Chart::new(format!("Layer {number}: {name} ({rows}, {columns})"))
            .axes(axis, "number of elements")
            .bars(&format!("σ = {:.3}", summary.std), middles.zip(counts))
    };
    let (x, w, y) = (&layer.input, &layer.weight, &layer.output);
    [("inputs", "x", x), ("weights", "w", w), ("outputs", "y", y)].map(chart).into()
}

/// Pairs of elements at the same places of two arrays, of some places only.
fn dots<D: Dimension>(x: &Array<f32, D>, y: &Array<f32, D>) -> Vec<(f64, f64)> {
    let step = x.len().div_ceil(DOTS);
    x.iter().zip(y).step_by(step).map(|(&x, &y)| (f64::from(x), f64::from(y))).collect()
}

/// What changes in the training, by layer.
fn training(traces: &Traces) -> Column {
    let number = |title: &str, y: &str, of: &dyn Fn(&LayerTrace) -> Option<f64>| {
        let chart = Chart::new(title).axes("step", y).size(802, 320);
        let first = traces.first().map(|trace| &trace.layers[..]).unwrap_or_default();
        first.iter().enumerate().fold(chart, |chart, (i, layer)| {
            let value = |trace: &Trace| Some((trace.step as f64, of(&trace.layers[i])?));
            let points: Vec<_> = traces.iter().filter_map(value).collect();
            let name = format!("layer {i}, {}", layer.activation);
            if points.is_empty() { chart } else { chart.line(&name, points) }
        })
    };
    let spread = "standard deviation";
    let deltas = number("Deltas while learning", spread, &|l| Some(l.delta.std));
    let gradients = number("Gradients while learning", spread, &|l| Some(l.weight_gradient.std));
    // A linear layer cannot be saturated.
    let curved = |l: &LayerTrace| l.saturated.filter(|_| l.activation != Activation::Identity);
    let title = "Units that do not respond: |φ′(z)| up to 0.01, of relu 0";
    let saturated = number(title, "share", &curved);
    Column(vec![Box::new(deltas.log_y()), Box::new(gradients.log_y()), Box::new(saturated)])
}
