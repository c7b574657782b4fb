//! Predictions of more rows than one launch takes, against f64 and against themselves row by row.

use ndarray::{Array2, s};
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss};
use wgrad::{Device, Mlp};

use super::reference::Reference;
use super::support::{assert_near, is_cpu, matrix};
use crate::common::{Values, devices};

fn mlp(device: &Device) -> Mlp {
    let builder = Mlp::builder(6).hidden(9, Activation::Tanh).hidden(5, Activation::Relu);
    builder.output(3).seed(1).build(device).unwrap()
}

/// The rows at both ends, and on both sides of every launch's end.
fn ends(rows: usize) -> Vec<usize> {
    let near = |row: &usize| *row == 0 || row % 1024 < 2 || row % 1024 > 1021 || row + 2 >= rows;
    (0..rows).filter(near).collect()
}

#[test]
fn rows_are_predicted_in_any_number() {
    for device in devices() {
        let mlp = mlp(device);
        for rows in [1, 1023, 1024, 1025, 2500] {
            let context = format!("{rows} rows on {device}");
            let x = matrix(&mut Values::new(rows as u64), rows, 6);
            let all = mlp.predict(&x).unwrap();
            assert_eq!(all.dim(), (rows, 3), "{context}");
            let want = Reference::of(&mlp).predict(&x);
            assert_near(&context, all.as_slice().unwrap(), &want, 1e-5, 1e-6);

            // On a GPU each call is a submission of its own: there a few rows have to do.
            let single = if is_cpu(device) { (0..rows).collect() } else { ends(rows) };
            for row in single {
                let one = mlp.predict(&x.slice(s![row..=row, ..])).unwrap();
                let got: Vec<f32> = all.row(row).to_vec();
                let what = format!("row {row} of {context}");
                assert_near(what, one.as_slice().unwrap(), &got, 1e-6, 1e-6);
            }
        }
    }
}

#[test]
fn the_memory_order_of_the_rows_does_not_matter() {
    for device in devices() {
        let mlp = mlp(device);
        let x = matrix(&mut Values::new(5), 40, 6);
        let mut columns_first = Array2::zeros((6, 40)).reversed_axes();
        columns_first.assign(&x);
        let twice = ndarray::concatenate![ndarray::Axis(1), x, x];
        let want = mlp.predict(&x).unwrap();
        assert_eq!(mlp.predict(&columns_first).unwrap(), want, "columns first on {device}");
        assert_eq!(mlp.predict(&twice.slice(s![.., 6..])).unwrap(), want, "a view on {device}");
    }
}

#[test]
fn a_network_moves_between_devices_with_its_parameters() {
    let x = matrix(&mut Values::new(6), 30, 6);
    let home = mlp(&Device::cpu());
    let want = home.predict(&x).unwrap();
    for device in devices() {
        let moved = home.to_device(device).unwrap();
        assert_eq!(moved.parameters().unwrap(), home.parameters().unwrap());
        let got = moved.predict(&x).unwrap();
        let what = format!("predictions on {device}");
        assert_near(what, got.as_slice().unwrap(), want.as_slice().unwrap(), 1e-5, 1e-6);
        let back = moved.to_device(&Device::cpu()).unwrap();
        assert_eq!(back.predict(&x).unwrap(), want);
    }
}

#[test]
fn a_loss_is_evaluated_over_every_row() {
    let mut numbers = Values::new(9);
    let data = Dataset::regression(&matrix(&mut numbers, 1500, 6), &matrix(&mut numbers, 1500, 3))
        .unwrap();
    for device in devices() {
        let mlp = mlp(device);
        let want = Reference::of(&mlp).loss(Loss::Mse, &data);
        let got = mlp.evaluate(&data, Loss::Mse).unwrap();
        assert_near(format!("mse on {device}"), &[got], &[want], 1e-6, 0.0);
    }
}
