//! Every rule that ends a training, against the rule applied by hand to the curve of a run without
//! it.

use std::time::Duration;

use ndarray::Array2;
use wgrad::data::Dataset;
use wgrad::device::Strategy;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::{Adam, Sgd};
use wgrad::train::{EarlyStopping, History, Metric, Monitor, StopReason};
use wgrad::{Device, Error, Mlp, Trainer};

use super::support::{is_cpu, matrix, parameter_bits};
use crate::common::{Values, devices};

/// A training and a validation set of noise: the validation loss goes up and down.
fn data() -> (Dataset, Dataset) {
    let mut numbers = Values::new(12);
    let mut noise = |rows| {
        let x = matrix(&mut numbers, rows, 4);
        Dataset::regression(&x, &matrix(&mut numbers, rows, 1)).unwrap()
    };
    (noise(30), noise(20))
}

fn mlp(device: &Device) -> Mlp {
    Mlp::builder(4).hidden(16, Activation::Tanh).output(1).seed(7).build(device).unwrap()
}

fn trainer(epochs: usize) -> Trainer {
    let trainer = Trainer::new(Loss::Mse, Adam::new(0.02)).batch_size(10).epochs(epochs);
    // Named, as the choice goes by how many epochs are planned.
    let trainer = trainer.strategy(Strategy::Program);
    trainer.validation(&data().1).metric(Metric::R2)
}

fn run(device: &Device, mut trainer: Trainer) -> (Vec<u32>, History) {
    let mut mlp = mlp(device);
    let history = trainer.fit(&mut mlp, &data().0).unwrap();
    (parameter_bits(&mlp), history)
}

/// Keras' rule: the epochs that are trained, and the best of them, both counted from 1.
fn keras(costs: &[f64], patience: usize, min_delta: f64) -> (usize, usize) {
    let (mut best, mut wait, mut best_epoch) = (f64::INFINITY, 0, 0);
    for (i, &cost) in costs.iter().enumerate() {
        if cost < best - min_delta {
            (best, wait, best_epoch) = (cost, 0, i + 1);
        } else {
            wait += 1;
            if wait >= patience {
                return (i + 1, best_epoch);
            }
        }
    }
    (costs.len(), best_epoch)
}

#[test]
fn early_stopping_is_keras_rule() {
    for device in devices() {
        let (_, whole) = run(device, trainer(120));
        let validation = whole.validation_losses();
        let scores: Vec<f64> = whole.epochs.iter().map(|epoch| -epoch.metrics[0].1).collect();
        let r2 = Monitor::Metric(Metric::R2);
        for (monitor, costs) in [(Monitor::ValidationLoss, validation), (r2, scores)] {
            for (patience, min_delta) in [(1, 0.0), (4, 0.0), (6, 0.02)] {
                let (epochs, best) = keras(&costs, patience, min_delta);
                assert!(epochs < 120 && best < epochs, "the case is worth a test: {epochs} {best}");
                let rule = EarlyStopping::new(patience).monitor(monitor).min_delta(min_delta);
                let context = format!("{rule:?} on {device}");
                let (left, history) = run(device, trainer(120).early_stopping(rule));
                assert_eq!(history.epochs.len(), epochs, "{context}");
                assert_eq!(history.stop_reason, StopReason::EarlyStopping, "{context}");
                assert!(left == run(device, trainer(best)).0, "{context}: not the best parameters");

                let keep = trainer(120).early_stopping(rule.restore_best(false));
                let (left, history) = run(device, keep);
                assert_eq!(history.epochs.len(), epochs, "{context}");
                assert!(left == run(device, trainer(epochs)).0, "{context}: not the last ones");
            }
        }
    }
}

/// Without validation several epochs are queued at once: the rule must end them where it would.
#[test]
fn rules_for_the_training_loss_end_flights_in_time() {
    for device in devices() {
        let plain = || Trainer::new(Loss::Mse, Adam::new(0.05)).batch_size(7).epochs(400).seed(3);
        let costs = run(device, plain()).1.train_losses();
        let (epochs, _) = keras(&costs, 5, 0.001);
        let rule = EarlyStopping::new(5).monitor(Monitor::TrainLoss).min_delta(0.001);
        let (_, history) = run(device, plain().early_stopping(rule.restore_best(false)));
        assert!(epochs < 400);
        assert_eq!(history.epochs.len(), epochs, "{device}");

        // scikit-learn's rule: the best loss moves with every improvement.
        let (mut best, mut count) = (f64::INFINITY, 0);
        let end = costs.iter().position(|&loss| {
            count = if loss > best - 0.001 { count + 1 } else { 0 };
            best = best.min(loss);
            count > 5
        });
        let (_, history) = run(device, plain().stop_when_converged(0.001, 5));
        assert_eq!(history.epochs.len(), end.unwrap() + 1, "{device}");
        assert_eq!(history.stop_reason, StopReason::Converged);
    }
}

#[test]
fn a_rule_begins_anew_with_each_fit() {
    let rule = EarlyStopping::new(3);
    let mut trainer = trainer(60).early_stopping(rule);
    let mut fit = || trainer.fit(&mut mlp(&Device::cpu()), &data().0).unwrap();
    let (first, second) = (fit(), fit());
    assert_eq!(first.epochs.len(), second.epochs.len());
    assert_eq!(first.train_losses(), second.train_losses());
}

#[test]
fn a_time_budget_ends_the_training() {
    for device in devices() {
        let (_, none) = run(device, trainer(1000).time_budget(Duration::ZERO));
        assert_eq!((none.epochs.len(), none.stop_reason), (1, StopReason::TimeBudget));
        let (_, all) = run(device, trainer(3).time_budget(Duration::from_secs(3600)));
        assert_eq!((all.epochs.len(), all.stop_reason), (3, StopReason::Epochs));
    }
}

/// Plain descent with too large a step grows until f32 ends: what is left is from before.
#[test]
fn divergence_leaves_the_last_good_parameters() {
    let x = Array2::from_shape_fn((16, 3), |(i, j)| ((i * 5 + j) % 7) as f32);
    let data = Dataset::regression(&x, &x.column(1).to_owned()).unwrap();
    let strategies = [Strategy::Program, Strategy::Persistent, Strategy::Registers];
    let cases = devices().iter().flat_map(|device| {
        let all = if is_cpu(device) { 1 } else { strategies.len() };
        strategies[..all].iter().map(move |&strategy| (device, strategy))
    });
    for (device, strategy) in cases {
        let build = || Mlp::builder(3).output(1).seed(1).build(device).unwrap();
        let trainer = || {
            let trainer = Trainer::new(Loss::Mse, Sgd::new(0.2)).strategy(strategy);
            trainer.shuffle(false).epochs(1000)
        };
        let mut mlp = build();
        // Validation makes every epoch a flight of its own.
        let error = trainer().validation(&data).fit(&mut mlp, &data).unwrap_err();
        let Error::Diverged { epoch, .. } = error else { panic!("{error}") };
        assert!(epoch > 3, "{error}");
        let mut before = build();
        trainer().epochs(epoch - 1).fit(&mut before, &data).unwrap();
        assert!(parameter_bits(&mlp) == parameter_bits(&before), "{error} on {device}, {strategy}");
    }
}

/// A network of so many parameters that the CPU keeps no copy of them: it stops before they are not finite.
#[test]
fn divergence_of_a_large_network_leaves_the_last_good_parameters() {
    let x = Array2::from_shape_fn((8, 1024), |(i, j)| ((i * 5 + j) % 7) as f32);
    let y = Array2::from_shape_fn((8, 1024), |(i, j)| ((i + j * 3) % 5) as f32);
    let data = Dataset::regression(&x, &y).unwrap();
    let build = || Mlp::builder(1024).output(1024).seed(1).build(&Device::cpu()).unwrap();
    let trainer = |rate| Trainer::new(Loss::Mse, Sgd::new(rate)).shuffle(false).epochs(100);
    // The loss leaves f32 first, as it squares.
    let mut mlp = build();
    let error = trainer(20.0).average(0.5).fit(&mut mlp, &data).unwrap_err();
    let Error::Diverged { epoch, step, .. } = error else { panic!("{error}") };
    assert!(epoch > 3 && step == epoch as u64, "{error}");
    let mut before = build();
    trainer(20.0).average(0.5).epochs(epoch - 1).fit(&mut before, &data).unwrap();
    assert!(parameter_bits(&mlp) == parameter_bits(&before), "{error}");
    // A step that f32 does not hold.
    for watched in [false, true] {
        let mut mlp = build();
        let mut trainer = trainer(1e39).batch_size(4);
        if watched {
            trainer = trainer.on_epoch(|_| std::ops::ControlFlow::Continue(()));
        }
        let error = trainer.fit(&mut mlp, &data).unwrap_err();
        let named = "layers.0.weight is not finite in epoch 1, step 1";
        assert!(error.to_string().contains(named), "{error}");
        assert!(parameter_bits(&mlp) == parameter_bits(&build()), "{error}");
    }
}
