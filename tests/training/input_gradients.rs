//! Gradients with respect to inputs against central differences in f64 and closed forms.

use ndarray::{Array2, array};
use wgrad::nn::{Activation, Init};
use wgrad::{Dense, Device, Error, Mlp};

use super::support::{assert_near, matrix};
use crate::common::{Values, devices};

/// The step of central differences.
const H: f64 = 1e-4;

/// The output of a network for a row of inputs in f64, from its parameters by name.
fn forward(mlp: &Mlp, row: &[f64]) -> Vec<f64> {
    let parameters = mlp.parameters().unwrap();
    let value = |name: String| parameters.get(&name).map(|array| array.mapv(f64::from));
    let mut x = ndarray::Array1::from(row.to_vec());
    for (i, layer) in mlp.layers().iter().enumerate() {
        let weight = value(format!("layers.{i}.weight")).unwrap();
        let weight: Array2<f64> = weight.into_dimensionality().unwrap();
        let mut z = x.dot(&weight);
        if let Some(bias) = value(format!("layers.{i}.bias")) {
            z += &bias.into_dimensionality::<ndarray::Ix1>().unwrap();
        }
        let total = z.iter().map(|z| z.exp()).sum::<f64>();
        x = match layer.activation {
            Activation::Softmax => z.mapv(|z| z.exp() / total),
            Activation::LogSoftmax => z.mapv(|z| z - total.ln()),
            Activation::Prelu => {
                let slope = value(format!("layers.{i}.slope")).unwrap()[0];
                z.mapv(|z| if z > 0.0 { z } else { slope * z })
            }
            phi => z.mapv(|z| phi.value(z)),
        };
    }
    x.to_vec()
}

/// d (upstream . y) / dx by central differences.
fn differences(mlp: &Mlp, x: &Array2<f32>, upstream: &Array2<f32>) -> Vec<f64> {
    let mut all = Vec::new();
    for (row, upstream) in x.rows().into_iter().zip(upstream.rows()) {
        let at = |j: usize, step: f64| {
            let mut row: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
            row[j] += step;
            let y = forward(mlp, &row);
            y.iter().zip(upstream).map(|(y, &u)| y * f64::from(u)).sum::<f64>()
        };
        all.extend((0..row.len()).map(|j| (at(j, H) - at(j, -H)) / (2.0 * H)));
    }
    all
}

fn assert_gradients(context: &str, mlp: &Mlp, rows: usize) {
    let mut numbers = Values::new(rows as u64);
    let x = matrix(&mut numbers, rows, mlp.network().inputs());
    let upstream = matrix(&mut numbers, rows, mlp.network().outputs());
    let got = mlp.input_gradients(&x, &upstream).unwrap();
    assert_eq!(got.dim(), x.dim());
    let got: Vec<f32> = got.iter().copied().collect();
    assert_near(context, &got, &differences(mlp, &x, &upstream), 2e-5, 2e-6);
}

#[test]
fn they_are_central_differences_for_every_activation() {
    // Functions with kinks are differentiable at random points all the same.
    for phi in Activation::ALL.into_iter().chain(Activation::MAPS) {
        for device in devices() {
            let context = format!("{phi} on {device}");
            let inner = Mlp::builder(5).hidden(7, phi).output(3).seed(2).build(device).unwrap();
            assert_gradients(&format!("hidden {context}"), &inner, 9);
            let net = Mlp::builder(5).hidden(7, Activation::Tanh).layer(Dense::new(3, phi));
            assert_gradients(&format!("last {context}"), &net.seed(3).build(device).unwrap(), 9);
        }
    }
}

#[test]
fn they_are_exact_for_a_plane_wave() {
    // f = tanh(a . x): df/dx = (1 - f^2) a.
    let a = array![[0.3f32], [-0.7], [0.2]];
    for device in devices() {
        let layer = Dense::new(1, Activation::Tanh).bias(false).weight_init(Init::Array(a.clone()));
        let mlp = Mlp::builder(3).layer(layer).build(device).unwrap();
        // More rows than one launch takes, and some that are left.
        let x = matrix(&mut Values::new(5), 2_500, 3);
        let got = mlp.input_gradients(&x, &Array2::ones((2_500, 1))).unwrap();
        let want: Vec<f64> = (x.rows().into_iter())
            .flat_map(|x| {
                let f = x.iter().zip(&a).map(|(&x, &a)| f64::from(x) * f64::from(a)).sum::<f64>();
                let slope = 1.0 - f.tanh().powi(2);
                a.iter().map(|&a| slope * f64::from(a)).collect::<Vec<f64>>()
            })
            .collect();
        let got: Vec<f32> = got.iter().copied().collect();
        assert_near(format!("on {device}"), &got, &want, 1e-6, 1e-7);
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let mlp = Mlp::builder(3).output(2).build(&Device::cpu()).unwrap();
    let gradients = |x: [usize; 2], upstream: [usize; 2]| {
        mlp.input_gradients(&Array2::zeros(x), &Array2::zeros(upstream)).unwrap_err()
    };
    for (error, parts) in [
        (gradients([4, 2], [4, 2]), ["(4, 2)", "(3, 2)"]),
        (gradients([4, 3], [4, 1]), ["(4, 1)", "(4, 2)"]),
        (gradients([4, 3], [5, 2]), ["(5, 2)", "(4, 2)"]),
    ] {
        assert!(matches!(error, Error::Shape { .. }), "{error}");
        assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
    }
    assert!(matches!(gradients([0, 3], [0, 2]), Error::Empty { .. }));
}
