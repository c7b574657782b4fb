//! Data larger than one binding: 141 MB of features, where a software adapter binds 128 MiB.

use ndarray::Array1;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Sgd;
use wgrad::train::Metric;
use wgrad::{Device, Mlp, Trainer};

use super::support::{assert_near, is_cpu, matrix};
use crate::common::{Values, devices};

const ROWS: usize = 45_000;
const COLUMNS: usize = 784;

/// Rows that differ, and a target that depends on all parts of a row.
fn data() -> Dataset {
    let x = matrix(&mut Values::new(3), ROWS, COLUMNS);
    let target = |row: ndarray::ArrayView1<'_, f32>| (row[0] - row[400] + row[783]).tanh();
    let y: Array1<f32> = x.rows().into_iter().map(target).collect();
    Dataset::regression(&x, &y).unwrap()
}

/// The loss of an epoch, its first and last step's, and the trained network's on the same data.
fn train(device: &Device, data: &Dataset) -> [f64; 4] {
    let builder = Mlp::builder(COLUMNS).hidden(8, Activation::Tanh).output(1);
    let mut mlp = builder.seed(1).build(device).unwrap();
    let trainer = Trainer::new(Loss::Mse, Sgd::new(0.05)).batch_size(2_000).epochs(1).seed(2);
    let history = trainer.record_steps(true).fit(&mut mlp, data).unwrap();
    let (first, last) = (history.step_losses[0], history.step_losses[22]);
    let after = mlp.evaluate(data, Metric::Mse).unwrap();
    [history.final_loss(), first.into(), last.into(), after]
}

#[test]
fn data_in_several_bindings_train_as_in_one() {
    let others: Vec<&Device> = devices().iter().filter(|device| !is_cpu(device)).collect();
    if others.is_empty() {
        return;
    }
    let data = data();
    let want = train(&Device::cpu(), &data);
    for device in others {
        assert_near(format!("{device}"), &train(device, &data), &want, 1e-4, 0.0);
    }
}
