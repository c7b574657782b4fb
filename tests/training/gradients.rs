//! Gradients of every parameter against central differences in f64, for every pair of activation
//! and loss that is allowed.
//!
//! With h = 1e-5 a central difference in f64 errs by about h^2 (truncation) plus 1e-16 / h
//! (rounding), 1e-10 of the loss's scale; f32 gradients err by a few 1e-7 of theirs. Kinks are kept
//! out of reach: a seed is used only if every pre-activation is further from them than any
//! difference can move it, with some on either side of 0.
//!
//! Each activation is that of the hidden layers before a plain last one, and of the last layer
//! behind hidden tanh.

use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::Sgd;
use wgrad::{Device, Mlp, Trainer};

use super::reference::Reference;
use super::support::{assert_near, matrix};
use crate::common::activation::kinks;
use crate::common::{Values, devices};

const H: f64 = 1e-5;
/// The least distance from a kink: H times the largest input, with room.
const CLEAR: f64 = 1e-3;
const ROWS: usize = 9;
const WIDTHS: [usize; 4] = [5, 7, 6, 3];

/// Which activations a network with this loss may end with.
fn last_activations(loss: Loss) -> Vec<Activation> {
    if loss.takes_logits() { vec![Activation::Identity] } else { Activation::ALL.to_vec() }
}

fn network(seed: u64, hidden: Activation, last: Activation, device: &Device) -> Mlp {
    // An exponential of an exponential leaves no digits to compare unless both are small.
    let spread = if hidden == Activation::Exponential { 0.25 } else { 0.8 };
    Mlp::builder(WIDTHS[0])
        .hidden(WIDTHS[1], hidden)
        .hidden(WIDTHS[2], hidden)
        .hidden(WIDTHS[3], last)
        .weight_init(Init::Uniform(spread))
        .bias_init(Init::Uniform(0.5))
        .seed(seed)
        .build(device)
        .unwrap()
}

fn data(seed: u64, loss: Loss) -> Dataset {
    let mut numbers = Values::new(seed);
    let x = matrix(&mut numbers, ROWS, WIDTHS[0]);
    if loss.takes_labels() {
        let labels = numbers.below(WIDTHS[3], ROWS);
        Dataset::classification(&x, labels).unwrap().with_classes(WIDTHS[3]).unwrap()
    } else {
        Dataset::regression(&x, &matrix(&mut numbers, ROWS, WIDTHS[3])).unwrap()
    }
}

/// A network and data, none of whose pre-activations is near a kink, with some on either side.
fn smooth_case(hidden: Activation, last: Activation, loss: Loss, on: &Device) -> (Mlp, Dataset) {
    let case = |seed| (network(seed, hidden, last, on), data(seed, loss));
    let smooth = |(mlp, data): &(Mlp, Dataset)| {
        let reference = Reference::of(mlp);
        let sums: Vec<f64> = (data.features().rows().into_iter())
            .flat_map(|row| reference.forward(row.iter().copied()).1)
            .collect();
        let clear =
            |z: f64| kinks(hidden).iter().chain(kinks(last)).all(|kink| (z - kink).abs() > CLEAR);
        sums.iter().all(|&z| clear(z))
            && sums.iter().any(|&z| z > 0.1)
            && sums.iter().any(|&z| z < -0.1)
    };
    (0..100).map(case).find(smooth).expect("a seed without a kink")
}

fn check(hidden: Activation, last: Activation, loss: Loss, device: &Device) {
    let context = format!("{hidden}, {hidden}, {last} with {loss} on {device}");
    let (mlp, data) = smooth_case(hidden, last, loss, device);
    let mut reference = Reference::of(&mlp);
    let got = Trainer::new(loss, Sgd::default()).gradients(&mlp, &data).unwrap();
    assert_near(&context, &[got.loss], &[reference.loss(loss, &data)], 1e-6, 0.0);
    assert_eq!(got.by_name.len(), 6, "{context}");

    for (name, gradient) in &got.by_name {
        let mut at = |i: usize, value: f64| {
            reference.parameters.get_mut(name).unwrap()[i] = value;
            reference.loss(loss, &data)
        };
        let values: Vec<f32> = mlp.parameter(name).unwrap().iter().copied().collect();
        let truth: Vec<f64> = (values.iter().enumerate())
            .map(|(i, &value)| {
                let value = f64::from(value);
                let difference = (at(i, value + H) - at(i, value - H)) / (2.0 * H);
                at(i, value);
                difference
            })
            .collect();
        let gradient: Vec<f32> = gradient.iter().copied().collect();
        assert_near(format!("{context}: {name}"), &gradient, &truth, 1e-5, 2e-7);
    }
}

#[test]
fn gradients_are_central_differences_for_every_activation_and_loss() {
    for device in devices() {
        for loss in Loss::ALL {
            for hidden in Activation::ALL {
                check(hidden, Activation::Identity, loss, device);
            }
            for last in last_activations(loss) {
                check(Activation::Tanh, last, loss, device);
            }
        }
    }
}
