//! A network's forward pass on the host, over any [`Real`]: what gradient checks differentiate.

use super::{Network, Real};

/// The output of a network for one row of inputs, from its flat parameters.
///
/// Written for being right, not for speed: layer by layer, y = phi(x . W + b).
pub(crate) fn forward<T: Real>(network: &Network, parameters: &[T], row: &[T]) -> Vec<T> {
    let mut x = row.to_vec();
    let named = network.parameters();
    for (i, layer) in network.layers().iter().enumerate() {
        let mut z = vec![T::of(0.0); layer.outputs];
        for parameter in named.iter().filter(|parameter| parameter.layer == i) {
            let values = &parameters[parameter.range()];
            if parameter.is_bias() {
                add_scaled(&mut z, T::of(1.0), values);
            } else {
                let rows = values.chunks_exact(layer.outputs);
                x.iter().zip(rows).for_each(|(&x, weights)| add_scaled(&mut z, x, weights));
            }
        }
        x = z.into_iter().map(|z| layer.activation.value(z)).collect();
    }
    x
}

/// sum += factor values
fn add_scaled<T: Real>(sum: &mut [T], factor: T, values: &[T]) {
    sum.iter_mut().zip(values).for_each(|(sum, &value)| *sum = *sum + factor * value);
}
