//! The GPU's loss curves follow the CPU's within 1e-3 over three epochs.
//!
//! Both compute each step to rounding, about 1e-6; training spreads that, on these data by less
//! than a hundredfold in three epochs.

use wgrad::data::{Dataset, StandardScaler};
use wgrad::nn::{Activation, Loss};
use wgrad::optim::{Adam, Optimizer, Sgd};
use wgrad::{Device, Mlp, Trainer};

use super::support::{assert_near, digits, file, is_cpu};
use crate::common::devices;

/// What is trained: a hidden width, its activation, a rule, a batch size.
struct Case {
    name: &'static str,
    data: Dataset,
    hidden: Option<(usize, Activation)>,
    optimizer: Optimizer,
    batch: usize,
}

fn mnist(rows: usize) -> Dataset {
    let mnist = Dataset::from_npz(file("examples/data/mnist_10k.npz")).unwrap();
    let mnist = mnist.take(rows).unwrap();
    StandardScaler::fit(&mnist).unwrap().transform(&mnist).unwrap()
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "digits",
            data: digits(1797),
            hidden: Some((100, Activation::Relu)),
            optimizer: Adam::default().into(),
            batch: 32,
        },
        Case {
            name: "digits without a hidden layer",
            data: digits(1797),
            hidden: None,
            optimizer: Sgd::new(0.5).into(),
            batch: 200,
        },
        Case {
            name: "mnist",
            data: mnist(2500),
            hidden: Some((50, Activation::Tanh)),
            optimizer: Sgd::new(0.01).momentum(0.9).into(),
            batch: 64,
        },
    ]
}

fn curve(case: &Case, device: &Device) -> (Vec<f64>, f64) {
    let builder = Mlp::builder(case.data.inputs());
    let builder = match case.hidden {
        Some((width, activation)) => builder.hidden(width, activation),
        None => builder,
    };
    let mut mlp = builder.output(10).seed(3).build(device).unwrap();
    let trainer = Trainer::new(Loss::CrossEntropy, case.optimizer).batch_size(case.batch);
    let history =
        trainer.epochs(3).seed(4).validation(&case.data).fit(&mut mlp, &case.data).unwrap();
    (history.train_losses(), history.validation_losses()[2])
}

#[test]
fn the_gpus_loss_curve_is_the_cpus() {
    for case in cases() {
        let (want, want_end) = curve(&case, &Device::cpu());
        assert!(want[2] < 0.7 * want[0], "{} is learnt: {want:?}", case.name);
        for device in devices().iter().filter(|device| !is_cpu(device)) {
            let (got, end) = curve(&case, device);
            let what = format!("{} on {device}", case.name);
            assert_near(&what, &got, &want, 1e-3, 0.0);
            assert_near(format!("{what}, validation"), &[end], &[want_end], 1e-3, 0.0);
        }
    }
}
