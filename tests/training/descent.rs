//! Learning what is known: xor, a line, a parabola; the last two against stored runs in float64.

use ndarray::{Array2, array};
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::{Adam, Sgd};
use wgrad::train::Metric;
use wgrad::{Device, Mlp, Trainer};

use super::support::{Golden, assert_near};
use crate::common::devices;

/// All rows as one batch, each step recorded.
fn batch_descent(learning_rate: f64, rows: usize, steps: usize) -> Trainer {
    let trainer = Trainer::new(Loss::Mse, Sgd::new(learning_rate));
    trainer.batch_size(rows).epochs(steps).record_steps(true)
}

#[test]
fn xor_is_learnt() {
    let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let values = Dataset::regression(&x, &array![0.0, 1.0, 1.0, 0.0]).unwrap();
    let labels = Dataset::classification(&x, [0, 1, 1, 0]).unwrap();
    for device in devices() {
        let build = |outputs| {
            let builder = Mlp::builder(2).hidden(8, Activation::Tanh).output(outputs);
            builder.seed(1).build(device).unwrap()
        };
        let mut mlp = build(1);
        Trainer::new(Loss::Mse, Adam::new(0.05)).epochs(300).fit(&mut mlp, &values).unwrap();
        let mse = mlp.evaluate(&values, Metric::Mse).unwrap();
        assert!(mse < 1e-3, "mean squared error {mse} on {device}");

        let mut mlp = build(2);
        let mut trainer = Trainer::new(Loss::CrossEntropy, Adam::new(0.05)).epochs(100);
        trainer.fit(&mut mlp, &labels).unwrap();
        let classes = mlp.predict_classes(&x.mapv(|x| x as f32)).unwrap();
        assert_eq!(classes.to_vec(), [0, 1, 1, 0], "{device}");
        assert_eq!(mlp.evaluate(&labels, Metric::Accuracy).unwrap(), 1.0, "{device}");
    }
}

/// The least-squares line through points, in f64: slope and intercept.
fn closed_form(x: &[f64], y: &[f64]) -> [f64; 2] {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let covariance: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let slope = covariance / x.iter().map(|x| (x - mx).powi(2)).sum::<f64>();
    [slope, my - slope * mx]
}

#[test]
fn a_line_is_met() {
    let golden = Golden::read("linear_1d");
    let (x, y) = (golden.matrix("x_train"), golden.matrix("y_train"));
    let data = Dataset::regression(&x, &y).unwrap();
    for device in devices() {
        let mut mlp = Mlp::builder(1).output(1).build(device).unwrap();
        let start = |name| golden.values(name)[0] as f32;
        mlp.set_parameter("layers.0.weight", &array![[start("w0")]]).unwrap();
        mlp.set_parameter("layers.0.bias", &array![start("b0")]).unwrap();
        let history = batch_descent(0.1, 80, 1000).fit(&mut mlp, &data).unwrap();

        assert_near(
            format!("losses on {device}"),
            &history.step_losses,
            &golden.values("loss"),
            1e-4,
            0.0,
        );
        let get = |name: &str| f64::from(mlp.parameter(name).unwrap().sum());
        let got = [get("layers.0.weight"), get("layers.0.bias")];
        let run = [golden.values("w")[0], golden.values("b")[0]];
        assert_near(format!("w, b of the stored run on {device}"), &got, &run, 0.0, 1e-5);
        let closed = closed_form(&golden.values("x_train"), &golden.values("y_train"));
        assert_near(format!("w, b in closed form on {device}"), &got, &closed, 0.0, 1e-5);
    }
}

/// The stored run minimises the mean of 1/2 (a - b)^2 with a rate of 0.001. That is half of MSE, so
/// its gradients are half of MSE's, and MSE takes the same steps with half the rate.
const HALF: f64 = 0.5;

fn parabola(golden: &Golden) -> Dataset {
    // Columns are samples in the file.
    let transposed = |name| golden.matrix(name).reversed_axes();
    Dataset::regression(&transposed("x"), &transposed("y")).unwrap()
}

fn parabola_net(golden: &Golden, device: &Device) -> Mlp {
    let weights = |name| golden.matrix(name).reversed_axes().as_standard_layout().into_owned();
    let layer = |width, activation, init: Array2<f32>| {
        wgrad::Dense::new(width, activation).weight_init(Init::Array(init))
    };
    let hidden = layer(4, Activation::Relu, weights("W1_init"));
    let output = layer(1, Activation::Identity, weights("W2_init"));
    Mlp::builder(2).layer(hidden).layer(output).bias(false).build(device).unwrap()
}

#[test]
fn a_parabola_is_descended_step_by_step() {
    let golden = Golden::read("parabola_relu");
    let data = parabola(&golden);
    for device in devices() {
        let mut mlp = parabola_net(&golden, device);
        let mut trainer = batch_descent(0.001 * HALF, 100, 1000);
        let history = trainer.fit(&mut mlp, &data).unwrap();
        let errors: Vec<f64> =
            history.step_losses.iter().map(|&loss| HALF * f64::from(loss)).collect();
        let want = &golden.values("error")[..1000];
        assert_near(format!("errors on {device}"), &errors, want, 1e-3, 0.0);
    }
}

/// Plain descent keeps nothing between steps, so a fit of one epoch is the next step.
#[test]
fn a_parabolas_gradients_are_the_stored_ones() {
    let golden = Golden::read("parabola_relu");
    let data = parabola(&golden);
    for device in devices() {
        let mut mlp = parabola_net(&golden, device);
        let mut trainer = batch_descent(0.001 * HALF, 100, 1);
        for step in 0..200 {
            let gradients = trainer.gradients(&mlp, &data).unwrap();
            for (layer, key) in [(0, "grad_W1"), (1, "grad_W2")] {
                let got = &gradients.by_name[&format!("layers.{layer}.weight")];
                // (in, out) here, (out, in) there.
                let got: Vec<f64> = got.t().iter().map(|&g| HALF * f64::from(g)).collect();
                let want = golden.get(key).index_axis(ndarray::Axis(0), step);
                let want: Vec<f64> = want.iter().copied().collect();
                // In the valley an entry is what remains of terms as large as the first steps'.
                let scale = golden.get(key).iter().fold(0.0, |scale: f64, g| scale.max(g.abs()));
                let what = format!("{key} of step {step} on {device}");
                assert_near(what, &got, &want, 1e-4, 1e-6 * scale);
            }
            trainer.fit(&mut mlp, &data).unwrap();
            let after = mlp.parameter("layers.1.weight").unwrap();
            let after: Vec<f32> = after.iter().copied().collect();
            let want = golden.get("W2").index_axis(ndarray::Axis(0), step);
            let want: Vec<f64> = want.iter().copied().collect();
            assert_near(format!("W2 after step {step} on {device}"), &after, &want, 1e-4, 0.0);
        }
    }
}
