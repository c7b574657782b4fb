//! Networks with given weights, and what each of their nodes makes of the plane.
//!
//! First by numbers: a unit, a layer, a softmax, and a graph of explicit layers, against f64. Then
//! by pictures: every node of a network of two inputs as a map over the plane. On the first layer an
//! arrow of length |w| stands on each node's zero line, at the point nearest to the origin, where
//! -w b / |w|² is. Below deeper nodes is the histogram of their sums s = x·w + b, with the activation
//! that they go through.
//!
//!     cargo run --release --example network_maps
//!     cargo run --release --example network_maps -- --hidden 6,4,4 --seed 3

#[path = "../common/mod.rs"]
mod common;
mod graph;
mod maps;

use clap::Parser;
use common::plot::{Column, Picture, Row};
use common::random::normal;
use graph::{Layer, drawn, network};
use ndarray::{Array2, array};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::json;
use wgrad::nn::Activation;
use wgrad::{Device, Tensor};

/// The plane is drawn in GRID x GRID cells.
const GRID: usize = 50;
const SHORT_GRID: usize = 10;

/// Draws the nodes of a network over the plane.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// The widths of the hidden layers of the network that is drawn.
    #[arg(long, value_delimiter = ',', default_values_t = [4, 3])]
    hidden: Vec<usize>,
}

fn main() -> common::Result {
    let Arguments { common: args, hidden } = Arguments::parse();
    let device = args.device()?;
    let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
    let errors = numbers(&device, &mut rng)?;

    let widths: Vec<usize> = [2].into_iter().chain(hidden).chain([1]).collect();
    let layers = drawn(&widths, &mut rng);
    let grid = if args.short { SHORT_GRID } else { GRID };
    let mut rows: Vec<Box<dyn Picture>> = Vec::new();
    for depth in 1..=layers.len() {
        let [maps, histograms] = maps::pictures(&layers[..depth], grid, &device)?;
        rows.push(Box::new(Row(maps)));
        if depth > 1 {
            rows.push(Box::new(Row(histograms)));
        }
    }
    args.plots().save("network_maps", &Column(rows))?;
    common::output::result(json!({ "nodes": widths[1..].iter().sum::<usize>(), "errors": errors }))
}

/// Prints known values as the device computes them; their differences from f64.
fn numbers(device: &Device, rng: &mut ChaCha8Rng) -> common::Result<serde_json::Value> {
    let w = array![[1.0], [2.0], [3.0]];
    let unit = [Layer { w, b: array![[-1.0]], phi: Activation::Tanh }];
    let unit = network(&unit, device)?.predict(&array![[0.0, 1.0, -1.0]])?;
    println!("unit: {:.8}", unit[[0, 0]]);

    let w = array![[1.0, -1.0, 1.0], [2.0, 0.0, 1.0]];
    let layer = [Layer { w, b: array![[-1.0, 1.0, 0.0]], phi: Activation::Sigmoid }];
    let layer = network(&layer, device)?.predict(&array![[1.0, 0.5], [-1.0, 1.0]])?;
    println!("layer:\n{layer:.8}");
    let layer_want = array![[0.7310585786, 0.5, 0.8175744762], [0.5, 0.8807970780, 0.5]];

    let softmax = Tensor::from_slice(device, 1, 3, &[2.0, -1.0, 3.0])?.softmax()?.to_array()?;
    println!("softmax: {softmax:.8}");
    let softmax_want = array![[0.2653879288, 0.0132128870, 0.7213991843]];

    let mut graph = drawn(&[8, 4, 3, 2], rng);
    graph[1].phi = Activation::Relu;
    graph[2].phi = Activation::Sigmoid;
    let x = Array2::from_shape_simple_fn((5, 8), || normal(rng) as f32);
    let outputs = network(&graph, device)?.predict(&x)?;
    let forward = |x: Array2<f64>, layer: &Layer| {
        let sums = x.dot(&layer.w.mapv(f64::from)) + &layer.b.mapv(f64::from);
        sums.mapv(|s| layer.phi.value(s))
    };
    let graph_want = graph.iter().fold(x.mapv(f64::from), forward);
    println!("graph 8-4-3-2, of five rows:\n{outputs:.8}");

    Ok(json!({
        "unit": difference(&unit, &array![[-0.9640275800758169]]),
        "layer": difference(&layer, &layer_want),
        "softmax": difference(&softmax, &softmax_want),
        "graph": difference(&outputs, &graph_want),
    }))
}

fn difference(got: &Array2<f32>, want: &Array2<f64>) -> f64 {
    let off = got.iter().zip(want).map(|(&got, want)| (f64::from(got) - want).abs());
    off.fold(0.0, f64::max)
}
