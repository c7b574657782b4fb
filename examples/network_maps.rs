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

mod common;

use clap::Parser;
use common::plot::{Chart, Column, Field, Picture, Row};
use common::random::normal;
use ndarray::{Array2, ArrayView1, array};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::json;
use wgrad::nn::{Activation, Init};
use wgrad::{Dense, Device, Mlp, Tensor};

/// The plane is drawn from -SIDE to SIDE, in GRID x GRID cells.
const SIDE: f64 = 3.0;
const GRID: usize = 50;
const SHORT_GRID: usize = 10;
const CELLS: u32 = 200;
const BINS: usize = 30;

/// Draws the nodes of a network over the plane.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// The widths of the hidden layers of the network that is drawn.
    #[arg(long, value_delimiter = ',', default_values_t = [4, 3])]
    hidden: Vec<usize>,
}

/// An explicit layer: phi(x.w + b).
#[derive(Clone)]
struct Layer {
    w: Array2<f32>,
    b: Array2<f32>,
    phi: Activation,
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
        let [maps, histograms] = pictures(&layers[..depth], grid, &device)?;
        rows.push(Box::new(Row(maps)));
        if depth > 1 {
            rows.push(Box::new(Row(histograms)));
        }
    }
    args.plots().save("network_maps", &Column(rows))?;
    common::output::result(json!({ "nodes": widths[1..].iter().sum::<usize>(), "errors": errors }))
}

/// A network of the given layers.
fn network(layers: &[Layer], device: &Device) -> wgrad::Result<Mlp> {
    let inputs = layers.first().map_or(0, |layer| layer.w.nrows());
    let dense = |layer: &Layer| {
        let dense = Dense::new(layer.w.ncols(), layer.phi);
        dense.weight_init(Init::Array(layer.w.clone())).bias_init(Init::Array(layer.b.clone()))
    };
    layers.iter().fold(Mlp::builder(inputs), |net, layer| net.layer(dense(layer))).build(device)
}

/// Layers of normal weights and biases with tanh.
fn drawn(widths: &[usize], rng: &mut ChaCha8Rng) -> Vec<Layer> {
    let mut normals = |shape| Array2::from_shape_simple_fn(shape, || normal(rng) as f32);
    let layer = |pair: &[usize]| Layer {
        w: normals((pair[0], pair[1])),
        b: normals((1, pair[1])),
        phi: Activation::Tanh,
    };
    widths.windows(2).map(layer).collect()
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

/// The maps of the nodes of the last layer, and the histograms of their sums.
fn pictures(
    layers: &[Layer],
    grid: usize,
    device: &Device,
) -> common::Result<[Vec<Box<dyn Picture>>; 2]> {
    let at = |i: usize| (SIDE * (2.0 * (i as f64 + 0.5) / grid as f64 - 1.0)) as f32;
    let point = |(i, axis)| at(if axis == 0 { i / grid } else { i % grid });
    let plane = Array2::from_shape_fn((grid * grid, 2), point);
    let depth = layers.len();
    let mut layers = layers.to_vec();
    let phi = std::mem::replace(&mut layers[depth - 1].phi, Activation::Identity);
    let sums = network(&layers, device)?.predict(&plane)?;
    let outputs = Tensor::from_array(device, &sums)?.activate(phi)?.to_array()?;

    let (mut maps, mut histograms) =
        (Vec::<Box<dyn Picture>>::new(), Vec::<Box<dyn Picture>>::new());
    for node in 0..outputs.ncols() {
        let name = format!("Layer {depth}, node {}", node + 1);
        let values = outputs.column(node).to_owned().into_shape_with_order((grid, grid))?;
        let side = (-SIDE, SIDE);
        let field = Field::new(&name, values).axes("x₁", "x₂").extent(side, side);
        let field = field.limits(-1.0, 1.0).scale(CELLS / grid as u32);
        let Layer { w, b, .. } = &layers[depth - 1];
        let field = if depth == 1 { arrow(field, w.column(node), b[[0, node]]) } else { field };
        let width = field.size().0;
        maps.push(Box::new(field));
        histograms.push(Box::new(histogram(&name, sums.column(node), phi).size(width, 320)));
    }
    Ok([maps, histograms])
}

/// Adds the weights as an arrow that stands on the line where x.w + b = 0.
fn arrow(field: Field, w: ArrayView1<'_, f32>, b: f32) -> Field {
    let (w1, w2, b) = (f64::from(w[0]), f64::from(w[1]), f64::from(b));
    let foot = -b / (w1 * w1 + w2 * w2);
    // A line that passes the picture by leaves the origin to stand on.
    let seen = (foot * w1).abs().max((foot * w2).abs()) < SIDE;
    let foot = if seen { foot } else { 0.0 };
    field.arrow((foot * w1, foot * w2), ((foot + 1.0) * w1, (foot + 1.0) * w2))
}

/// How often a node's sums have which value, and what its activation makes of them.
fn histogram(name: &str, sums: ArrayView1<'_, f32>, phi: Activation) -> Chart {
    let sums = sums.mapv(f64::from);
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = sums.iter().fold(start, |(low, high), &s| (low.min(s), high.max(s)));
    let width = ((high - low) / BINS as f64).max(1e-6);
    let mut counts = [0.0f64; BINS];
    for s in &sums {
        counts[(((s - low) / width) as usize).min(BINS - 1)] += 1.0;
    }
    let most = counts.iter().copied().fold(1.0, f64::max);
    let bars = (0..BINS).map(|bin| (low + (bin as f64 + 0.5) * width, counts[bin] / most));
    let curve = (0..=100).map(|i| low + (high - low) * f64::from(i) / 100.0);
    Chart::new(format!("{name}: sums"))
        .axes("s", "relative frequency")
        .bars("s = x·w + b", bars)
        .line(&phi.to_string(), curve.map(|s| (s, phi.value(s))))
}
