//! Networks of explicit layers.

use ndarray::Array2;
use rand::rngs::ChaCha8Rng;
use wgrad::nn::{Activation, Init};
use wgrad::{Dense, Device, Mlp};

use crate::common::random::normal;

/// An explicit layer: phi(x.w + b).
#[derive(Clone)]
pub struct Layer {
    pub w: Array2<f32>,
    pub b: Array2<f32>,
    pub phi: Activation,
}

/// A network of the given layers.
pub fn network(layers: &[Layer], device: &Device) -> wgrad::Result<Mlp> {
    let inputs = layers.first().map_or(0, |layer| layer.w.nrows());
    let dense = |layer: &Layer| {
        let dense = Dense::new(layer.w.ncols(), layer.phi);
        dense.weight_init(Init::Array(layer.w.clone())).bias_init(Init::Array(layer.b.clone()))
    };
    layers.iter().fold(Mlp::builder(inputs), |net, layer| net.layer(dense(layer))).build(device)
}

/// Layers of normal weights and biases with tanh.
pub fn drawn(widths: &[usize], rng: &mut ChaCha8Rng) -> Vec<Layer> {
    let mut normals = |shape| Array2::from_shape_simple_fn(shape, || normal(rng) as f32);
    let layer = |pair: &[usize]| Layer {
        w: normals((pair[0], pair[1])),
        b: normals((1, pair[1])),
        phi: Activation::Tanh,
    };
    widths.windows(2).map(layer).collect()
}
