//! What the nodes of a layer make of the plane, drawn.

use ndarray::{Array2, ArrayView1};
use wgrad::nn::Activation;
use wgrad::{Device, Tensor};

use crate::common;
use crate::common::plot::{Chart, Field, Picture};
use crate::graph::{Layer, network};

/// The plane is drawn from -SIDE to SIDE.
const SIDE: f64 = 3.0;
/// The width and height of a map in pixels.
const EDGE: u32 = 200;
const BINS: usize = 30;

/// The maps of the nodes of the last layer, and the histograms of their sums.
pub fn pictures(
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
        let field = field.limits(-1.0, 1.0).scale(EDGE / grid as u32);
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
