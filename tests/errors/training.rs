//! Networks, data, losses and settings that do not fit each other, and training that diverges.

use ndarray::Array2;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss, TargetKind};
use wgrad::optim::{Adam, Clip, Sgd};
use wgrad::train::{EarlyStopping, Metric, Monitor, RangeTest};
use wgrad::{Device, Error, Mlp, Trainer};

use crate::common::devices;

use super::{net, refused, regression, zeros};

#[test]
fn data_that_do_not_fit_the_network() {
    let mut trainer = Trainer::new(Loss::Mse, Adam::default()).epochs(1);
    for device in devices() {
        let mut mlp = net(2, 1, device);
        let error =
            refused(trainer.fit(&mut mlp, &regression(4, 3, 1)), &["fit", "(4, 3)", "(2, 1)"]);
        assert!(matches!(error, Error::Shape { .. }));
        refused(
            trainer.fit(&mut mlp, &regression(4, 2, 3)),
            &["loss", "(4, 1)", "(4, 3)", "target"],
        );
        refused(trainer.gradients(&mlp, &regression(4, 3, 1)), &["(4, 3)", "(2, 1)"]);
        refused(mlp.predict(&zeros(4, 3)), &["predict", "(4, 3)", "(2, 1)", "columns"]);
        refused(mlp.predict_classes(&zeros(4, 1)), &["predict", "(4, 1)", "(2, 1)"]);
        refused(mlp.predict_proba(&zeros(4, 1)), &["predict", "(4, 1)", "(2, 1)"]);
        refused(mlp.predict(&zeros(0, 2)), &["predict", "no data", "(0, 2)"]);
        refused(mlp.evaluate(&regression(4, 3, 1), Metric::R2), &["predict", "(4, 3)"]);
        refused(mlp.evaluate(&regression(4, 2, 3), Metric::R2), &["r2", "(4, 1)", "(4, 3)"]);
        let mut validated =
            Trainer::new(Loss::Mse, Adam::default()).validation(&regression(4, 3, 1));
        refused(validated.fit(&mut mlp, &regression(4, 2, 1)), &["validation", "(4, 3)", "(2, 1)"]);
    }
}

#[test]
fn labels_and_targets_that_do_not_fit_the_loss() {
    let x = zeros(5, 2);
    let labels = Dataset::classification(&x, [0, 1, 0, 7, 9]).unwrap();
    for device in devices() {
        let mut mlp = net(2, 3, device);
        let mut by_label = Trainer::new(Loss::CrossEntropy, Adam::default());
        let parts = ["label 7", "row 3", "3 outputs", "0 to 2"];
        let error = refused(by_label.fit(&mut mlp, &labels), &parts);
        assert_eq!(error, Error::Label { row: 3, label: 7, classes: 3 });
        refused(by_label.gradients(&mlp, &labels), &parts);
        refused(mlp.evaluate(&labels, Loss::CrossEntropy), &parts);

        let mut by_value = Trainer::new(Loss::Mse, Adam::default());
        let help = ["mse", "class labels", "Dataset::regression", "Loss::CrossEntropy"];
        refused(by_value.fit(&mut mlp, &labels), &help);
        for (metric, data, part) in [
            (Metric::Accuracy, &regression(5, 2, 3), "Dataset::classification"),
            (Metric::R2, &labels, "Dataset::regression"),
            (Metric::Mse, &labels, "Dataset::regression"),
            (Metric::Loss(Loss::Nll), &regression(5, 2, 3), "Dataset::classification"),
        ] {
            let error = refused(mlp.evaluate(data, metric), &[metric.name(), part]);
            assert!(matches!(error, Error::Targets { .. }));
        }
    }
}

/// What is wrong with a validation set is said before the first epoch, not after it.
#[test]
fn validation_sets_that_do_not_fit() {
    let x = zeros(5, 2);
    let good = Dataset::classification(&x, [0, 1, 2, 1, 0]).unwrap();
    let beyond = Dataset::classification(&x, [0, 1, 5, 1, 0]).unwrap();
    let mut mlp = net(2, 3, &Device::cpu());
    let before = mlp.parameters().unwrap();
    let trainer = || Trainer::new(Loss::CrossEntropy, Adam::default()).epochs(1);
    refused(trainer().validation(&beyond).fit(&mut mlp, &good), &["label 5", "row 2"]);
    let narrow = regression(5, 2, 2);
    refused(trainer().validation(&narrow).fit(&mut mlp, &good), &["cross_entropy", "(5, 2)"]);
    let metric = trainer().validation(&good).metric(Metric::R2);
    refused({ metric }.fit(&mut mlp, &good), &["r2", "class labels"]);
    assert_eq!(mlp.parameters().unwrap(), before, "the network was trained before the check");
}

#[test]
fn settings_outside_their_domain() {
    let data = regression(4, 2, 1);
    let mut mlp = net(2, 1, &Device::cpu());
    let mut fit = |trainer: Trainer, parts: &[&str]| {
        refused({ trainer }.fit(&mut mlp, &data), parts);
    };
    let adam = || Trainer::new(Loss::Mse, Adam::default());
    fit(adam().batch_size(0), &["batch size is 0", "at least one row"]);
    for rate in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1] {
        let is = format!("learning rate is {rate}");
        fit(Trainer::new(Loss::Mse, Sgd::new(rate)), &[&is, "finite"]);
        fit(Trainer::new(Loss::Mse, Adam::new(rate)), &[&is, "finite"]);
    }

    let labels = Dataset::classification(&zeros(4, 2), [0, 1, 2, 0]).unwrap();
    for activation in Activation::ALL {
        let builder = Mlp::builder(2).hidden(3, activation);
        let mut mlp = builder.build(&Device::cpu()).unwrap();
        let result = Trainer::new(Loss::CrossEntropy, Sgd::default()).fit(&mut mlp, &labels);
        if activation == Activation::Identity {
            result.unwrap();
        } else {
            let parts =
                ["last layer's activation is", activation.name(), "logits", ".output(width)"];
            refused(result, &parts);
        }
    }
}

/// Every pairing of a loss and a last activation either trains or is refused with what to use.
#[test]
fn losses_that_cannot_follow_the_last_layer() {
    let values = regression(4, 2, 3);
    let labels = Dataset::classification(&zeros(4, 2), [0, 1, 2, 0]).unwrap();
    for (loss, remedy) in [
        (Loss::CrossEntropy, ".output(width)"),
        (Loss::SmoothedCrossEntropy(0.1), ".output(width)"),
        (Loss::BceWithLogits, ".output(width)"),
        (Loss::Bce, "sigmoid"),
        (Loss::Bce, "Loss::BceWithLogits"),
        (Loss::Nll, "Loss::CrossEntropy"),
        (Loss::KlDivergence, "Loss::CrossEntropy"),
        (Loss::Mse, "any"),
    ] {
        let data = if loss == Loss::Nll { &labels } else { &values };
        let mut refusals = 0;
        for activation in Activation::ALL {
            let mlp = Mlp::builder(2).hidden(3, activation).build(&Device::cpu()).unwrap();
            let result = Trainer::new(loss, Sgd::default()).gradients(&mlp, data);
            if result.is_err() {
                refusals += 1;
                refused(result, &["last layer's activation is", activation.name(), remedy]);
            }
        }
        let most = Activation::ALL.len();
        assert_eq!(refusals == 0, loss == Loss::Mse, "{loss}: {refusals} of {most}");
    }
}

#[test]
fn values_that_are_no_targets_of_the_loss() {
    let mlp = net(2, 1, &Device::cpu());
    for (loss, target, parts) in [
        (Loss::BceWithLogits, 1.5, ["1.5 in row 2, column 0", "from 0, for no, to 1"]),
        (Loss::CrossEntropy, -0.5, ["-0.5 in row 2, column 0", "probabilities"]),
        (Loss::Hinge, 0.0, ["0 in row 2, column 0", "-1 and +1"]),
        (Loss::SquaredHinge, 0.5, ["0.5 in row 2, column 0", "-1 and +1"]),
        (Loss::Poisson, -1.0, ["-1 in row 2, column 0", "at least 0"]),
    ] {
        let targets = ndarray::array![[1.0f32], [1.0], [target], [1.0]];
        let data = Dataset::regression(&zeros(4, 2), &targets).unwrap();
        let trainer = Trainer::new(loss, Sgd::default());
        refused(trainer.gradients(&mlp, &data), &parts);
        assert!(trainer.gradients(&mlp, &data.take(2).unwrap()).is_ok());
        assert!(!loss.takes_target(f32::NAN) && loss.takes_target(1.0));
    }
    assert!(Loss::Mse.takes_target(f32::NAN));
}

#[test]
fn losses_whose_constants_are_none() {
    let mlp = net(2, 1, &Device::cpu());
    let data = regression(4, 2, 1);
    for (loss, parts) in [
        (Loss::Huber(0.0), ["delta of huber is 0", "more than 0"]),
        (Loss::Huber(f32::INFINITY), ["delta of huber is inf", "finite"]),
        (Loss::SmoothL1(-1.0), ["beta of smooth_l1 is -1", "more than 0"]),
        (Loss::Quantile(1.0), ["tau of quantile is 1", "between 0 and 1"]),
        (Loss::Quantile(f32::NAN), ["tau of quantile is NaN", "between 0 and 1"]),
        (Loss::SmoothedCrossEntropy(1.5), ["label smoothing is 1.5", "from 0 to 1"]),
    ] {
        refused(Trainer::new(loss, Sgd::default()).gradients(&mlp, &data), &parts);
        refused(mlp.evaluate(&data, loss), &parts);
    }
}

/// Whatever the loss makes of it, an output that is no number ends the training.
#[test]
fn outputs_that_are_none_are_seen_by_every_loss() {
    for device in devices() {
        for loss in Loss::ALL {
            let fits = |activation: &Activation| loss.domain().accepts(*activation);
            let Some(last) = Activation::ALL.into_iter().find(fits) else { continue };
            let (builder, x) = (Dataset::builder().allow_non_finite(), ndarray::array![[f32::NAN]]);
            let data = match loss.accepts(TargetKind::Values) {
                true => builder.regression(&x, &ndarray::array![[1.0, 1.0]]),
                false => builder.classification(&x, [1]).unwrap().with_classes(2),
            };
            let mut mlp = Mlp::builder(1).hidden(2, last).build(device).unwrap();
            let result = Trainer::new(loss, Sgd::default()).fit(&mut mlp, &data.unwrap());
            let error = refused(result, &["diverged"]);
            assert!(matches!(error, Error::Diverged { .. }), "{error}: {loss} on {device}");
        }
    }
}

/// Rows 0 to 15 in order, four a step; row 9 is in the third.
#[test]
fn numbers_that_are_none_but_were_let_in() {
    for device in devices() {
        for hidden in Activation::ALL {
            for value in [f32::NAN, f32::INFINITY] {
                let mut x = zeros(16, 2);
                x.fill(0.5);
                x[[9, 1]] = value;
                let data = Dataset::builder().allow_non_finite();
                let data = data.regression(&x, &zeros(16, 1)).unwrap();
                let builder = Mlp::builder(2).hidden(3, hidden).output(1);
                let mut mlp = builder.build(device).unwrap();
                let trainer = Trainer::new(Loss::Mse, Sgd::default()).batch_size(4);
                let result = trainer.shuffle(false).fit(&mut mlp, &data);
                // An infinity saturates tanh and sigmoid and dies in relu where its weight is
                // negative: then it shows only in the first layer's gradient.
                let parts = ["diverged", "layers.0.weight is not finite in epoch 1"];
                let error = refused(result, &parts);
                if value.is_nan() {
                    assert!(matches!(error, Error::Diverged { step: 3, .. }), "{error} {hidden}");
                }
            }
        }
    }
}

/// The network of the course that diverged silently: weights of N(0, 0.01^2), plain descent, targets
/// of 300 to 1200.
#[test]
fn divergence_names_layer_step_and_remedy() {
    let x = Array2::from_shape_fn((64, 10), |(i, j)| ((i * 7 + j * 3) % 11) as f32);
    let y = Array2::from_shape_fn((64, 1), |(i, _)| 300.0 * (i % 4 + 1) as f32);
    let data = Dataset::regression(&x, &y).unwrap();
    for device in devices() {
        let builder = Mlp::builder(10).hidden(10, Activation::Relu).hidden(10, Activation::Relu);
        let mut mlp = builder.output(1).weight_init(Init::Normal(0.01)).build(device).unwrap();
        let trainer = Trainer::new(Loss::Mse, Sgd::new(0.1)).batch_size(4).epochs(50);
        let remedies = ["learning rate", "StandardScaler", "smaller weights"];
        let error = refused({ trainer }.fit(&mut mlp, &data), &remedies);
        let Error::Diverged { what, epoch, step } = &error else { panic!("{error:?}") };
        assert!(what.starts_with("layers."), "{error} on {device}");
        assert_eq!(*epoch as u64, (step - 1) / 16 + 1, "{error} on {device}");
        let named = error.to_string();
        assert!(named.contains(&format!("epoch {epoch}, step {step}")), "{named}");
    }
}

#[test]
fn regularisation_outside_its_domain() {
    let data = regression(16, 2, 1);
    let mut mlp = net(2, 1, &Device::cpu());
    let new = || Trainer::new(Loss::Mse, Sgd::default());
    let cases: [(Trainer, &[&str]); 9] = [
        (new().l1(-0.1), &["L1 penalty is -0.1", "at least 0"]),
        (new().l2(f64::NAN), &["L2 penalty is NaN"]),
        (new().clip(Clip::Value(0.0)), &["gradients' limit is 0", "more than 0"]),
        (new().clip(Clip::GlobalNorm(f64::INFINITY)), &["gradients' limit is inf"]),
        (new().max_norm(-1.0), &["largest norm is -1"]),
        (new().average(1.0), &["average's decay is 1", "below 1"]),
        (new().accumulate(0), &["minibatches of an update is 0"]),
        (new().metric(Metric::R2), &["metric is r2", ".validation(&data)"]),
        (new().stop_when_converged(f64::NAN, 3), &["tol is NaN"]),
    ];
    for (mut trainer, parts) in cases {
        let error = refused(trainer.fit(&mut mlp, &data), parts);
        assert!(matches!(error, Error::Argument { .. }), "{error}");
    }
}

#[test]
fn early_stopping_that_cannot_see() {
    let data = regression(16, 2, 1);
    let mut mlp = net(2, 1, &Device::cpu());
    let new = || Trainer::new(Loss::Mse, Sgd::default());
    let r2 = Monitor::Metric(Metric::R2);
    let rule = EarlyStopping::new(3);
    let cases: [(Trainer, &[&str]); 5] = [
        (new().early_stopping(rule), &["ValidationLoss", ".validation(&data)", "TrainLoss"]),
        (new().validation(&data).early_stopping(rule.monitor(r2)), &["R2", ".metric(metric)"]),
        (new().validation(&data).early_stopping(EarlyStopping::new(0)), &["patience", "is 0"]),
        (new().validation(&data).early_stopping(rule.min_delta(-1.0)), &["min_delta", "is -1"]),
        (new().validation(&data).early_stopping(rule.min_delta(f64::NAN)), &["is NaN"]),
    ];
    for (mut trainer, parts) in cases {
        refused(trainer.fit(&mut mlp, &data), parts);
    }
}

#[test]
fn range_tests_that_cannot_be() {
    let (mlp, data) = (net(2, 1, &Device::cpu()), regression(16, 2, 1));
    let trainer = Trainer::new(Loss::Mse, Sgd::default());
    let good = RangeTest::default();
    let cases: [(RangeTest, &[&str]); 5] = [
        (RangeTest { from: 0.0, ..good }, &["range of learning rates is 0 to 1"]),
        (RangeTest { to: 1e-7, ..good }, &["the largest is more than the least"]),
        (RangeTest { to: f64::NAN, ..good }, &["NaN"]),
        (RangeTest { steps: 0, ..good }, &["number of learning rates is 0"]),
        (RangeTest { stop_factor: 1.0, ..good }, &["stop factor is 1"]),
    ];
    for (range, parts) in cases {
        refused(trainer.range_test(&mlp, &data, range), parts);
    }
}

#[test]
fn records_of_what_is_not_there() {
    let (mut mlp, data) = (net(2, 1, &Device::cpu()), regression(16, 2, 1));
    let new = || Trainer::new(Loss::Mse, Sgd::default());
    let parts = ["no parameter `layers.7.weight`", "layers.0.weight.grad", "layers.0.bias"];
    refused(new().record(["layers.7.weight"], 1).fit(&mut mlp, &data), &parts);
    let parts = ["updates between records is 0"];
    refused(new().record(["layers.0.weight"], 0).fit(&mut mlp, &data), &parts);
}
