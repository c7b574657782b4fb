//! The learning-rate range test against the same steps taken one by one.

use wgrad::data::Dataset;
use wgrad::device::Strategy;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::{Adam, Sgd};
use wgrad::train::{RangeTest, RateScan, Suggestion};
use wgrad::{Device, Mlp, Trainer};

use super::support::{assert_near, matrix, parameter_bits};
use crate::common::{Values, devices};

fn data() -> Dataset {
    let mut numbers = Values::new(4);
    let x = matrix(&mut numbers, 23, 3);
    Dataset::regression(&x, &matrix(&mut numbers, 23, 2)).unwrap()
}

fn mlp(device: &Device) -> Mlp {
    Mlp::builder(3).hidden(6, Activation::Tanh).output(2).seed(2).build(device).unwrap()
}

/// Its strategy is named, as the choice goes by how many epochs are planned.
fn trainer(rate: f64) -> Trainer {
    Trainer::new(Loss::Mse, Sgd::new(rate)).strategy(Strategy::Program)
}

#[test]
fn a_scan_takes_the_steps_of_a_training_with_each_rate() {
    let range = RangeTest { from: 1e-3, to: 10.0, steps: 30, stop_factor: 1e6 };
    for device in devices() {
        let scanned = mlp(device);
        let trainer = |rate| trainer(rate).batch_size(100).epochs(1);
        let scan = trainer(0.1).range_test(&scanned, &data(), range).unwrap();
        assert_eq!((scan.rates.len(), scan.losses.len()), (30, 30), "{device}");
        let mut stepped = mlp(device);
        for (i, (&rate, &loss)) in scan.rates.iter().zip(&scan.losses).enumerate() {
            let want = 1e-3 * 1e4f64.powf(i as f64 / 29.0);
            assert_near("a rate", &[rate], &[want], 1e-12, 0.0);
            let history = trainer(rate).fit(&mut stepped, &data()).unwrap();
            assert_eq!(history.final_loss(), loss, "step {i} on {device}");
        }
    }
}

#[test]
fn minibatches_are_those_of_a_fit() {
    for device in devices() {
        let trainer = |rate| trainer(rate).batch_size(5).seed(9).epochs(3);
        // So small a step moves no parameter.
        let range = RangeTest { from: 1e-20, to: 2e-20, steps: 14, stop_factor: 1e9 };
        let scan = trainer(0.1).range_test(&mlp(device), &data(), range).unwrap();
        let history = trainer(0.0).record_steps(true).fit(&mut mlp(device), &data()).unwrap();
        let want: Vec<f64> = history.step_losses.iter().map(|&loss| f64::from(loss)).collect();
        assert_eq!(scan.losses, want[..14], "{device}");
    }
}

#[test]
fn a_scan_changes_nothing() {
    for device in devices() {
        let trainer = || Trainer::new(Loss::Mse, Adam::new(0.01)).batch_size(5).epochs(4);
        let (mut scanned, mut fresh) = (mlp(device), mlp(device));
        let mut used = trainer();
        let before = parameter_bits(&scanned);
        used.range_test(&scanned, &data(), RangeTest::default()).unwrap();
        assert!(parameter_bits(&scanned) == before, "{device}");
        used.fit(&mut scanned, &data()).unwrap();
        trainer().fit(&mut fresh, &data()).unwrap();
        assert!(parameter_bits(&scanned) == parameter_bits(&fresh), "{device}");
    }
}

#[test]
fn a_scan_ends_where_the_loss_has_grown() {
    for device in devices() {
        let range = RangeTest { from: 1e-3, to: 1e6, steps: 60, stop_factor: 4.0 };
        let trainer = Trainer::new(Loss::Mse, Sgd::default()).batch_size(100);
        let scan = trainer.range_test(&mlp(device), &data(), range).unwrap();
        assert!(scan.losses.len() < 60 && scan.losses.len() > 10, "{scan:?} on {device}");
        assert_eq!(scan.rates.len(), scan.losses.len());
        assert!(scan.losses.iter().all(|&loss| loss <= 4.0 * scan.losses[0]));
    }
}

#[test]
fn suggestions() {
    let rates: Vec<f64> = (0..6).map(|i| 10f64.powi(i - 5)).collect();
    let scan = |losses: [f64; 6]| RateScan { rates: rates.clone(), losses: losses.to_vec() };
    let falls = scan([1.0, 0.9, 0.5, 0.3, 0.2, 3.0]);
    let near = |rule, want| {
        assert_near(format!("{rule:?}"), &[falls.suggest(rule).unwrap()], &[want], 1e-12, 0.0);
    };
    near(Suggestion::HalfOfLeast, 0.05);
    near(Suggestion::TenthOfLeast, 0.01);
    // From 0.9 to 0.3 over two decades around 1e-3.
    near(Suggestion::Steepest, 1e-3);
    for rule in Suggestion::ALL {
        let short = RateScan { rates: vec![0.1, 0.2], losses: vec![1.0, 2.0] };
        assert_eq!(short.suggest(rule), None);
        assert!(scan([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).suggest(rule).is_some());
        assert!(scan([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]).suggest(rule).is_some());
    }
}
