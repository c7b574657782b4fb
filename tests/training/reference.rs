//! A network in f64, written without the library's formulas: what its gradients and predictions
//! are held to.

use std::collections::BTreeMap;

use ndarray::Array2;
use wgrad::Mlp;
use wgrad::data::Dataset;
use wgrad::nn::{Layer, Loss};

use crate::common::activation::phi;

/// Layers and parameters, weights row-major (inputs, outputs).
pub struct Reference {
    layers: Vec<Layer>,
    pub parameters: BTreeMap<String, Vec<f64>>,
}

impl Reference {
    pub fn of(mlp: &Mlp) -> Self {
        let wide = mlp.parameters().unwrap().into_iter();
        let parameters =
            wide.map(|(name, array)| (name, array.iter().map(|&x| x.into()).collect()));
        Self { layers: mlp.layers().to_vec(), parameters: parameters.collect() }
    }

    /// The output for one row, and every pre-activation on the way.
    pub fn forward(&self, row: impl IntoIterator<Item = f32>) -> (Vec<f64>, Vec<f64>) {
        let mut x: Vec<f64> = row.into_iter().map(f64::from).collect();
        let mut sums = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let weight = &self.parameters[&format!("layers.{i}.weight")];
            let bias = self.parameters.get(&format!("layers.{i}.bias"));
            let z: Vec<f64> = (0..layer.outputs)
                .map(|j| {
                    let terms =
                        x.iter().enumerate().map(|(k, x)| x * weight[k * layer.outputs + j]);
                    terms.sum::<f64>() + bias.map_or(0.0, |bias| bias[j])
                })
                .collect();
            x = z.iter().map(|&z| phi(layer.activation, z)).collect();
            sums.extend(z);
        }
        (x, sums)
    }

    pub fn predict(&self, x: &Array2<f32>) -> Vec<f64> {
        x.rows().into_iter().flat_map(|row| self.forward(row.iter().copied()).0).collect()
    }

    pub fn loss(&self, loss: Loss, data: &Dataset) -> f64 {
        let features = data.features();
        let outputs = features.rows().into_iter().map(|row| self.forward(row.iter().copied()).0);
        let rows = data.len() as f64;
        match loss {
            Loss::Mse => {
                let values = data.values().unwrap();
                let square = |(y, t): (&f64, &f32)| (y - f64::from(*t)).powi(2);
                let by_row = outputs.zip(values.rows()).map(|(y, t)| -> f64 {
                    y.iter().zip(t).map(square).sum::<f64>() / y.len() as f64
                });
                by_row.sum::<f64>() / rows
            }
            Loss::CrossEntropy => {
                let log_sum = |y: &[f64]| y.iter().map(|y| y.exp()).sum::<f64>().ln();
                let by_row = outputs.zip(data.labels().unwrap());
                by_row.map(|(y, &label)| log_sum(&y) - y[label as usize]).sum::<f64>() / rows
            }
            _ => panic!("a new loss: write the formula of {loss} here"),
        }
    }
}
