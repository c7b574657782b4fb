//! L-BFGS against closed forms and against PyTorch's.

use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Lbfgs;
use wgrad::train::Ending;
use wgrad::{Device, Error, Mlp};

use super::optimizers::Problem;
use super::support::{Golden, assert_near, parameter_bits};
use crate::common::devices;

#[test]
fn least_squares_come_to_their_closed_form() {
    let golden = Golden::read("lbfgs");
    let matrix = |name: &str| golden.matrix(&format!("least_squares/{name}"));
    let data = Dataset::regression(&matrix("x"), &matrix("y")).unwrap();
    for device in devices() {
        let mut mlp = Mlp::builder(5).output(2).seed(1).build(device).unwrap();
        let minimum = Lbfgs::default().fit(&mut mlp, &data, Loss::Mse).unwrap();
        assert!(minimum.losses.len() < 60, "{minimum:?} on {device}");
        assert!(minimum.ending != Ending::Iterations, "{minimum:?} on {device}");
        for (name, stored) in [("layers.0.weight", "weight"), ("layers.0.bias", "bias")] {
            let got: Vec<f32> = mlp.parameter(name).unwrap().iter().copied().collect();
            let want = golden.values(&format!("least_squares/{stored}"));
            // The loss is flat to f32 within the root of its resolution.
            assert_near(format!("{name} on {device}"), &got, &want, 0.0, 5e-5);
        }
    }
}

#[test]
fn a_network_comes_to_a_loss_as_low_as_pytorchs() {
    let (problem, golden) = (Problem::read(), Golden::read("lbfgs"));
    let theirs = golden.values("losses");
    for device in devices() {
        let mut mlp = problem.mlp(device);
        let iterations = golden.values("iterations");
        let most = *iterations.last().unwrap() as usize;
        let lbfgs = Lbfgs::default().max_iterations(most + most / 10);
        let minimum = lbfgs.fit(&mut mlp, &problem.data(), Loss::Mse).unwrap();
        // On the way now one is ahead and now the other; in the end it takes a few steps more.
        for (&at, &theirs) in iterations.iter().zip(&theirs) {
            let ours = minimum.losses[at as usize];
            assert!((ours / theirs - 1.0).abs() < 0.1, "{ours}, {theirs} after {at} on {device}");
        }
        let (ours, theirs) = (minimum.loss(), theirs[theirs.len() - 1]);
        assert!(ours <= theirs, "{ours}, PyTorch has {theirs}, on {device}");
        assert!(minimum.evaluations < 3 * most / 2, "{} on {device}", minimum.evaluations);
        // What it says is what the network has.
        let loss = mlp.evaluate(&problem.data(), Loss::Mse).unwrap();
        assert_near(format!("the loss on {device}"), &[loss], &[ours], 1e-5, 0.0);
        assert!(minimum.losses.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-6)));
    }
}

#[test]
fn the_same_run_twice_is_bitwise_the_same() {
    let problem = Problem::read();
    for device in devices() {
        let run = || {
            let mut mlp = problem.mlp(device);
            Lbfgs::default().max_iterations(15).fit(&mut mlp, &problem.data(), Loss::Mse).unwrap();
            parameter_bits(&mlp)
        };
        assert!(run() == run(), "on {device}");
    }
}

#[test]
fn its_ends_are_told() {
    let problem = Problem::read();
    let fit = |lbfgs: Lbfgs| {
        let mut mlp = problem.mlp(&Device::cpu());
        lbfgs.fit(&mut mlp, &problem.data(), Loss::Mse).unwrap()
    };
    let none = fit(Lbfgs::default().max_iterations(0));
    assert_eq!((none.ending, none.losses.len(), none.evaluations), (Ending::Iterations, 1, 1));
    let loose = fit(Lbfgs::default().tolerance_gradient(0.01));
    assert_eq!(loose.ending, Ending::Gradient);
    assert!(loose.largest_gradient <= 0.01 && loose.losses.len() > 1);
    assert_eq!(fit(Lbfgs::default().tolerance_change(10.0)).losses.len(), 2);
    let exact = Lbfgs::default().tolerance_gradient(0.0).tolerance_change(0.0);
    assert_ne!(fit(exact.max_iterations(5000)).ending, Ending::Iterations);
}

#[test]
fn what_cannot_be_is_refused() {
    let problem = Problem::read();
    let mut mlp = problem.mlp(&Device::cpu());
    let mut refused = |lbfgs: Lbfgs, data: &Dataset, loss: Loss, part: &str| {
        let error = lbfgs.fit(&mut mlp, data, loss).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        error
    };
    let data = problem.data();
    let bad = [
        (Lbfgs::default().history(0), "history"),
        (Lbfgs::default().tolerance_gradient(f64::NAN), "gradient"),
        (Lbfgs::default().tolerance_change(-1.0), "change"),
    ];
    for (lbfgs, part) in bad {
        assert!(matches!(refused(lbfgs, &data, Loss::Mse, part), Error::Argument { .. }));
    }
    refused(Lbfgs::default(), &data, Loss::CrossEntropy, "cross_entropy");
    let far = ndarray::Array2::from_elem((2, 7), 1.0f32);
    let targets = ndarray::Array2::from_elem((2, 3), 1e30f32);
    let data = Dataset::regression(&far, &targets).unwrap();
    let error = refused(Lbfgs::default(), &data, Loss::Mse, "the loss is not finite");
    assert!(matches!(error, Error::Diverged { .. }));
}

#[test]
fn classes_are_told_apart() {
    let digits = super::support::digits(200);
    for device in devices() {
        let builder = Mlp::builder(64).hidden(10, Activation::Tanh).output(10);
        let mut mlp = builder.seed(3).build(device).unwrap();
        let lbfgs = Lbfgs::default().max_iterations(60);
        let minimum = lbfgs.fit(&mut mlp, &digits, Loss::CrossEntropy).unwrap();
        assert!(minimum.loss() < 0.02, "{} on {device}", minimum.loss());
    }
}
