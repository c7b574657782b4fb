//! The public gradient check: it passes where gradients are right, looks where it says it does, and
//! refuses settings that are none. That it finds a wrong gradient is tested where it compares.

use ndarray::Array2;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss, LossReduction, TargetKind};
use wgrad::optim::Sgd;
use wgrad::train::GradientCheck;
use wgrad::{Device, Mlp, Trainer};

use super::support::{assert_near, matrix};
use crate::common::{Values, devices, losses};

const ROWS: usize = 8;

fn data(loss: Loss, kind: TargetKind) -> Dataset {
    let numbers = &mut Values::new(21);
    let x = matrix(numbers, ROWS, 3);
    let data = match kind {
        TargetKind::Labels => {
            let labels = numbers.below(4, ROWS);
            Dataset::classification(&x, labels).unwrap().with_classes(4).unwrap()
        }
        TargetKind::Values => {
            let values = losses::targets(loss, numbers, ROWS, 4);
            let values = Array2::from_shape_vec((ROWS, 4), values).unwrap();
            Dataset::regression(&x, &values).unwrap().with_sigmas([0.5; ROWS]).unwrap()
        }
    };
    let weights: Vec<f32> = numbers.within(0.9, ROWS).iter().map(|w| 1.0 + w).collect();
    data.with_sample_weights(weights).unwrap()
}

/// Every loss, with sample, class and positive weights, under every reduction, on every device.
#[test]
fn right_gradients_pass() {
    for loss in Loss::ALL {
        let fits = |activation: &Activation| loss.domain().accepts(*activation);
        let Some(last) = Activation::ALL.into_iter().find(fits) else { continue };
        for kind in losses::kinds(loss) {
            let data = data(loss, kind);
            for device in devices() {
                let builder = Mlp::builder(3).hidden(6, Activation::Tanh).hidden(4, last);
                let mlp = builder.seed(2).build(device).unwrap();
                for reduction in LossReduction::ALL {
                    let mut trainer = Trainer::new(loss, Sgd::default())
                        .reduction(reduction)
                        .class_weights([1.0, 2.0, 0.5, 0.25]);
                    if loss.takes_positive_weights() {
                        trainer = trainer.positive_weights([2.0, 1.0, 0.5, 3.0]);
                    }
                    let report = trainer.check_gradients(&mlp, &data).unwrap();
                    assert!(report.passes(5e-5), "{loss}, {reduction} on {device}\n{report}");
                    let (got, want) = (report.loss, report.expected_loss);
                    assert_near(format!("{loss}"), &[got], &[want], 2e-6, 1e-7);
                    let checked = report.parameters.iter().map(|p| (p.name.as_str(), p.checked));
                    let names = ["layers.0.weight", "layers.0.bias"];
                    assert_eq!(
                        checked.take(2).collect::<Vec<_>>(),
                        [(names[0], 18), (names[1], 6)]
                    );
                }
            }
        }
    }
}

#[test]
fn of_a_large_network_entries_all_over_are_checked() {
    let mlp = Mlp::builder(200).hidden(300, Activation::Tanh).output(1);
    let mlp = mlp.build(&Device::cpu()).unwrap();
    let numbers = &mut Values::new(4);
    let x = matrix(numbers, 6, 200);
    let data = Dataset::regression(&x, &matrix(numbers, 6, 1)).unwrap();
    let check = GradientCheck { entries: 10, ..GradientCheck::default() };
    let trainer = Trainer::new(Loss::Mse, Sgd::default());
    let report = trainer.check_gradients_with(&mlp, &data, check).unwrap();
    assert!(report.passes(1e-4), "{report}");
    let checked: Vec<_> = report.parameters.iter().map(|p| (p.checked, p.entries)).collect();
    assert_eq!(checked, [(10, 60_000), (10, 300), (10, 300), (1, 1)]);
    let table = report.to_string();
    assert!(table.contains("10 of 60000") && table.lines().count() == 6, "{table}");
}

#[test]
fn settings_that_are_none() {
    let mlp = Mlp::builder(3).output(4).build(&Device::cpu()).unwrap();
    let data = data(Loss::Mse, TargetKind::Values);
    let trainer = Trainer::new(Loss::Mse, Sgd::default());
    let refused = |check, part: &str| {
        let error = trainer.check_gradients_with(&mlp, &data, check).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    let default = GradientCheck::default();
    refused(GradientCheck { entries: 0, ..default }, "at least one entry");
    refused(GradientCheck { step: 0.0, ..default }, "step of a gradient check is 0");
    refused(GradientCheck { step: f64::NAN, ..default }, "step of a gradient check is NaN");
}
