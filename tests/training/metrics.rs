//! Metrics against closed forms, through [`Metric::compute`] and through a network.

use ndarray::{Array2, array};
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::train::Metric;
use wgrad::{Dense, Device, Mlp};

use super::support::assert_near;
use crate::common::devices;

/// A network that gives out what it is given.
fn identity(width: usize, device: &Device) -> Mlp {
    let builder = Mlp::builder(width).output(width).bias(false);
    builder.weight_init(Init::Array(Array2::eye(width))).build(device).unwrap()
}

#[test]
fn metrics_have_their_closed_forms() {
    let outputs: Array2<f32> = array![[1.0, 0.0], [2.0, -1.0], [4.0, 3.0], [5.0, 2.0]];
    let values = array![[0.0, 0.5], [2.0, -2.0], [3.0, 3.0], [7.0, 2.5]];
    let values = Dataset::regression(&outputs, &values).unwrap();
    let labels = Dataset::classification(&outputs, [0, 1, 0, 1]).unwrap();
    // Differences (1, -.5), (0, 1), (1, 0), (-2, -.5). Column 1: mean 3, total 26, residual 6.
    // Column 2: mean 1, total .25 + 9 + 4 + 2.25, residual 1.5.
    let r2 = (1.0 - 6.0 / 26.0 + 1.0 - 1.5 / 15.5) / 2.0;
    // Row losses of softmax: ln(1 + e^-d) where the label's output leads by d.
    let softplus = |d: f64| (1.0 + (-d).exp()).ln();
    let cross_entropy = [1.0, -3.0, 1.0, -3.0].map(softplus).iter().sum::<f64>() / 4.0;
    let table: [(Metric, &Dataset, f64); 6] = [
        (Metric::Mse, &values, (1.0 + 0.25 + 1.0 + 1.0 + 4.0 + 0.25) / 8.0),
        (Metric::Mae, &values, (1.0 + 0.5 + 1.0 + 1.0 + 2.0 + 0.5) / 8.0),
        (Metric::R2, &values, r2),
        (Metric::Loss(Loss::Mse), &values, 7.5 / 8.0),
        (Metric::Accuracy, &labels, 0.5),
        (Metric::Loss(Loss::CrossEntropy), &labels, cross_entropy),
    ];
    for (metric, data, want) in table {
        let got = metric.compute(outputs.view(), data).unwrap();
        assert_near(metric.name(), &[got], &[want], 1e-12, 0.0);
        for device in devices() {
            let got = identity(2, device).evaluate(data, metric).unwrap();
            assert_near(format!("{} on {device}", metric.name()), &[got], &[want], 1e-6, 0.0);
        }
    }
}

#[test]
fn r2_of_a_constant_target_is_scikit_learns() {
    let constant = Dataset::regression(&array![[0.0], [1.0]], &array![2.0, 2.0]).unwrap();
    let r2 = |outputs: Array2<f32>| Metric::R2.compute(outputs.view(), &constant).unwrap();
    assert_eq!(r2(array![[2.0], [2.0]]), 1.0);
    assert_eq!(r2(array![[2.0], [3.0]]), 0.0);
}

#[test]
fn a_tie_goes_to_the_first_class() {
    let outputs: Array2<f32> = array![[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]];
    let data = Dataset::classification(&outputs, [0, 2]).unwrap();
    assert_eq!(Metric::Accuracy.compute(outputs.view(), &data).unwrap(), 0.5);
    for device in devices() {
        let classes = identity(3, device).predict_classes(&outputs).unwrap();
        assert_eq!(classes.to_vec(), [0, 1], "{device}");
    }
}

#[test]
fn softmax_of_large_logits_stays_finite() {
    let outputs: Array2<f32> = array![[1e30, 0.0], [-200.0, 200.0]];
    let data = Dataset::classification(&outputs, [0, 0]).unwrap();
    let loss = Metric::from(Loss::CrossEntropy).compute(outputs.view(), &data).unwrap();
    assert_near("cross-entropy", &[loss], &[(0.0 + 400.0) / 2.0], 1e-12, 0.0);
    for device in devices() {
        let proba = identity(2, device).predict_proba(&outputs).unwrap();
        assert_eq!(proba, array![[1.0, 0.0], [0.0, 1.0]], "{device}");
    }
}

#[test]
fn probabilities_are_softmax_or_the_sigmoid_itself() {
    let softmax = [0.265_387_93, 0.013_212_89, 0.721_399_18];
    for device in devices() {
        let proba = identity(3, device).predict_proba(&array![[2.0, -1.0, 3.0]]).unwrap();
        assert_near(format!("softmax on {device}"), proba.as_slice().unwrap(), &softmax, 1e-6, 0.0);

        let sigmoid = wgrad::Dense::new(1, wgrad::nn::Activation::Sigmoid).bias(false);
        let sigmoid = sigmoid.weight_init(Init::Constant(1.0));
        let mlp = Mlp::builder(1).layer(sigmoid).build(device).unwrap();
        let proba = mlp.predict_proba(&array![[1.0], [-2.0]]).unwrap();
        let want = [0.731_058_58, 0.119_202_92];
        assert_near(format!("sigmoid on {device}"), proba.as_slice().unwrap(), &want, 1e-6, 0.0);
    }
}

/// A last layer that gives probabilities, or their logarithms, is not mapped once more.
#[test]
fn probabilities_of_a_softmax_are_taken_as_they_are() {
    let x = array![[2.0f32, -1.0, 3.0], [0.5, 0.25, -4.0]];
    for device in devices() {
        let build = |last| {
            let layer = Dense::new(3, last).bias(false).weight_init(Init::Array(Array2::eye(3)));
            Mlp::builder(3).layer(layer).build(device).unwrap()
        };
        let softmax = build(Activation::Softmax);
        let proba = softmax.predict_proba(&x).unwrap();
        assert_eq!(proba, softmax.predict(&x).unwrap(), "{device}");
        // softmax([2, -1, 3]), from the course.
        let want = [0.26538793, 0.01321289, 0.72139918];
        assert_near("softmax", proba.row(0).as_slice().unwrap(), &want, 1e-6, 0.0);
        let logarithms = build(Activation::LogSoftmax).predict_proba(&x).unwrap();
        assert_near("log-softmax", logarithms.row(0).as_slice().unwrap(), &want, 1e-6, 0.0);
    }
}
