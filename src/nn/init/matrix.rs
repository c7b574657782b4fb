//! Initial values that are drawn as a matrix and not one by one.

use rand::rngs::ChaCha8Rng;

use crate::op::Shape;
use crate::random::{normal, permutation};

/// gain times a random matrix whose rows, or columns where those are fewer, are orthonormal.
///
/// Normal vectors are made orthogonal one after the other (Gram and Schmidt, modified, and twice, as
/// once leaves rounding behind), which is a QR decomposition with a positive diagonal of R: every
/// orthogonal matrix is equally likely.
pub(super) fn orthogonal(rng: &mut ChaCha8Rng, gain: f64, shape: Shape, values: &mut [f32]) {
    let (count, length) = (shape.rows.min(shape.cols), shape.rows.max(shape.cols));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| normal(rng)).collect();
        for other in vectors.iter().chain(&vectors) {
            let along = dot(&vector, other);
            vector.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
        }
        let norm = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|x| *x /= norm);
        vectors.push(vector);
    }
    let wide = shape.rows <= shape.cols;
    let at = |i: usize, j: usize| if wide { vectors[i][j] } else { vectors[j][i] };
    let cells = (0..shape.rows).flat_map(|i| (0..shape.cols).map(move |j| (i, j)));
    values.iter_mut().zip(cells).for_each(|(x, (i, j))| *x = (gain * at(i, j)) as f32);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// In each row ceil(sparsity cols) zeros at random places.
pub(super) fn sparse(rng: &mut ChaCha8Rng, sparsity: f64, shape: Shape, values: &mut [f32]) {
    let zeros = (sparsity * shape.cols as f64).ceil() as usize;
    for row in values.chunks_exact_mut(shape.cols) {
        for &col in permutation(rng, shape.cols).iter().take(zeros) {
            row[col as usize] = 0.0;
        }
    }
}
