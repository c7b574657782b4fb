//! The example `iris` against numpy: the loss of every step, from the same weights.

use ndarray::s;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss, LossReduction};
use wgrad::optim::{Adam, Optimizer, Sgd};
use wgrad::{Mlp, Trainer};

use super::support::{Golden, assert_near};
use crate::common::devices;

const STEPS: usize = 50;

/// Sepals and petals of the flowers under a name.
fn flowers(golden: &Golden, name: &str) -> Dataset {
    let all = golden.matrix(name);
    Dataset::regression(&all.slice(s![.., ..2]), &all.slice(s![.., 2..])).unwrap()
}

#[test]
fn iris_losses_are_numpys() {
    let golden = Golden::read("iris");
    let (train, validation) = (flowers(&golden, "train"), flowers(&golden, "validation"));
    let variants: [(&str, bool, Optimizer); 2] =
        [("descent", false, Sgd::new(1e-4).into()), ("adam", true, Adam::new(1e-3).into())];
    for device in devices() {
        for (name, biases, optimizer) in variants {
            let builder = Mlp::builder(2).hidden(100, Activation::Relu).output(2).bias(biases);
            let mut mlp = builder.build(device).unwrap();
            for (parameter, values) in golden.under(&format!("{name}/init/")) {
                let values = values.mapv(|x| x as f32);
                mlp.set_parameter(&parameter, &values).unwrap();
            }
            let history = Trainer::new(Loss::Mse, optimizer)
                .reduction(LossReduction::Sum)
                .batch_size(train.len())
                .epochs(STEPS)
                .validation(&validation)
                .fit(&mut mlp, &train)
                .unwrap();

            let want = golden.values(&format!("{name}/losses"));
            assert_near(format!("{name} on {device}"), &history.train_losses(), &want, 1e-5, 0.0);
            // A validation loss is the mean over rows and columns.
            let terms = (validation.len() * validation.outputs()) as f64;
            let sums: Vec<f64> = history.validation_losses().iter().map(|x| x * terms).collect();
            let want = golden.values(&format!("{name}/validation"));
            assert_near(format!("{name}, validation on {device}"), &sums, &want, 1e-5, 0.0);
        }
    }
}
