//! A network in f64, written without the library's formulas: what its gradients and predictions
//! are held to.

use std::collections::BTreeMap;

use ndarray::Array2;
use wgrad::Mlp;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Layer, Loss, LossReduction};

use crate::common::activation::phi;
use crate::common::losses::{self, Target};

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
            let slope = self.parameters.get(&format!("layers.{i}.slope"));
            x = mapped(layer.activation, slope.map_or(f64::NAN, |slope| slope[0]), &z);
            sums.extend(z);
        }
        (x, sums)
    }

    pub fn predict(&self, x: &Array2<f32>) -> Vec<f64> {
        x.rows().into_iter().flat_map(|row| self.forward(row.iter().copied()).0).collect()
    }

    /// The mean of the loss's terms.
    pub fn loss(&self, loss: Loss, data: &Dataset) -> f64 {
        self.reduced(loss, LossReduction::Mean, data)
    }

    pub fn reduced(&self, loss: Loss, reduction: LossReduction, data: &Dataset) -> f64 {
        let features = data.features();
        let rows = features.rows().into_iter().enumerate().map(|(i, row)| {
            let y = self.forward(row.iter().copied()).0;
            let values: Vec<f64>;
            let target = match (data.labels(), data.values()) {
                (Some(labels), _) => Target::Label(labels[i] as usize),
                (_, found) => {
                    values = found.unwrap().row(i).iter().map(|&t| t.into()).collect();
                    Target::Values(&values)
                }
            };
            losses::row(loss, &y, target, None)
        });
        let sum: f64 = rows.sum();
        let (rows, outputs) = (data.len() as f64, self.layers.last().unwrap().outputs as f64);
        match reduction {
            LossReduction::Sum => sum,
            LossReduction::BatchMean => sum / rows,
            LossReduction::Mean if loss.is_rowwise() => sum / rows,
            LossReduction::Mean => sum / rows / outputs,
        }
    }
}

/// y from z, for a whole row.
fn mapped(activation: Activation, slope: f64, z: &[f64]) -> Vec<f64> {
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    match activation {
        Activation::Prelu => z.iter().map(|&z| z.max(0.0) + slope * z.min(0.0)).collect(),
        Activation::Softmax => z.iter().map(|z| z.exp() / sum).collect(),
        Activation::LogSoftmax => z.iter().map(|z| z - sum.ln()).collect(),
        _ => z.iter().map(|&z| phi(activation, z)).collect(),
    }
}
