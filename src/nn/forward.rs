//! A network's forward pass on the host, over any [`Real`]: what gradient checks differentiate.

use super::loss::softmax;
use super::{Activation, Network, ParameterKind, Real};

/// The output of a network for one row of inputs, from its flat parameters.
///
/// Written for being right, not for speed: layer by layer, y = phi(x . W + b).
pub(crate) fn forward<T: Real>(network: &Network, parameters: &[T], row: &[T]) -> Vec<T> {
    let mut x = row.to_vec();
    let named = network.parameters();
    for (i, layer) in network.layers().iter().enumerate() {
        let mut z = vec![T::of(0.0); layer.outputs];
        let mut slope = T::of(1.0);
        for parameter in named.iter().filter(|parameter| parameter.layer == i) {
            let values = &parameters[parameter.range()];
            match parameter.kind {
                ParameterKind::Weight => {
                    let rows = values.chunks_exact(layer.outputs);
                    x.iter().zip(rows).for_each(|(&x, weights)| add_scaled(&mut z, x, weights));
                }
                ParameterKind::Bias => add_scaled(&mut z, T::of(1.0), values),
                ParameterKind::Slope => slope = values[0],
            }
        }
        x = map(layer.activation, slope, z);
    }
    x
}

/// y from z, for a whole row.
fn map<T: Real>(activation: Activation, slope: T, z: Vec<T>) -> Vec<T> {
    let zero = T::of(0.0);
    match activation {
        Activation::Prelu => z.into_iter().map(|z| if z > zero { z } else { slope * z }).collect(),
        Activation::Softmax | Activation::LogSoftmax => {
            let mut probabilities = z.clone();
            let (largest, total) = softmax(&z, &mut probabilities);
            match activation {
                Activation::Softmax => probabilities,
                _ => z.into_iter().map(|z| (z - largest) - total.ln()).collect(),
            }
        }
        _ => z.into_iter().map(|z| activation.value(z)).collect(),
    }
}

/// sum += factor values
fn add_scaled<T: Real>(sum: &mut [T], factor: T, values: &[T]) {
    sum.iter_mut().zip(values).for_each(|(sum, &value)| *sum = *sum + factor * value);
}
