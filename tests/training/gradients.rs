//! Gradients of every parameter against central differences in f64, for every activation, loss and
//! reduction that may come together.
//!
//! With h = 1e-5 a central difference in f64 errs by about h^2 (truncation) plus 1e-16 / h
//! (rounding), 1e-10 of the loss's scale; f32 gradients err by a few 1e-7 of theirs. Kinks are kept
//! out of reach: a seed is used only if every pre-activation is further from them than any
//! difference can move it, with some on either side of 0.
//!
//! Each activation is that of the hidden layers before a plain last one, and of the last layer
//! behind hidden tanh.

use ndarray::Array2;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Domain, Init, Loss, LossReduction, TargetKind};
use wgrad::optim::Sgd;
use wgrad::{Dense, Device, Mlp, Trainer};

use super::reference::Reference;
use super::support::{assert_near, matrix};
use crate::common::activation::{kinks, phi};
use crate::common::losses::{self, Target};
use crate::common::{Values, devices};

const H: f64 = 1e-5;
/// The least distance from a kink: H times the largest input, with room.
const CLEAR: f64 = 1e-3;
/// What f32 leaves of an entry that is a difference of terms of order 1, as after a softmax.
const ROUNDING: f64 = 1e-6;
const ROWS: usize = 9;
const WIDTHS: [usize; 4] = [5, 7, 6, 3];

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

fn data(seed: u64, loss: Loss, kind: TargetKind) -> Dataset {
    let mut numbers = Values::new(seed);
    let x = matrix(&mut numbers, ROWS, WIDTHS[0]);
    match kind {
        TargetKind::Labels => {
            let labels = numbers.below(WIDTHS[3], ROWS);
            Dataset::classification(&x, labels).unwrap().with_classes(WIDTHS[3]).unwrap()
        }
        TargetKind::Values => {
            let values = losses::targets(loss, &mut numbers, ROWS, WIDTHS[3]);
            let values = Array2::from_shape_vec((ROWS, WIDTHS[3]), values).unwrap();
            Dataset::regression(&x, &values).unwrap()
        }
    }
}

/// A network and data, none of whose pre-activations is near a kink, with some on either side, and
/// none of whose outputs is near one of the loss.
fn smooth_case(
    [hidden, last]: [Activation; 2],
    (loss, kind): (Loss, TargetKind),
    on: &Device,
) -> (Mlp, Dataset) {
    let case = |seed| (network(seed, hidden, last, on), data(seed, loss, kind));
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
            && clear_of_the_loss(&reference, data, loss)
    };
    (0..400).map(case).find(smooth).expect("a seed without a kink")
}

fn clear_of_the_loss(reference: &Reference, data: &Dataset, loss: Loss) -> bool {
    let Some(values) = data.values() else { return true };
    let features = data.features();
    let mut rows = features.rows().into_iter().zip(values.rows());
    rows.all(|(x, t)| {
        let y = reference.forward(x.iter().copied()).0;
        y.iter().zip(t).all(|(&y, &t)| losses::to_kink(loss, y, t.into()) > CLEAR)
    })
}

/// The central differences of every parameter, by name, of the loss's mean.
fn differences(reference: &mut Reference, loss: Loss, data: &Dataset) -> Vec<(String, Vec<f64>)> {
    let values = reference.parameters.clone();
    let mut of = |name: &str, values: &[f64]| {
        let mut at = |i: usize, value: f64| {
            reference.parameters.get_mut(name).unwrap()[i] = value;
            reference.loss(loss, data)
        };
        let difference = |(i, &value): (usize, &f64)| {
            let difference = (at(i, value + H) - at(i, value - H)) / (2.0 * H);
            at(i, value);
            difference
        };
        values.iter().enumerate().map(difference).collect()
    };
    values.iter().map(|(name, values)| (name.clone(), of(name, values))).collect()
}

/// Checks every reduction on every device; gives the worst error, relative to a parameter's largest
/// gradient.
fn check(activations: [Activation; 2], loss: Loss, kind: TargetKind) -> f64 {
    let [hidden, last] = activations;
    let (mlp, data) = smooth_case(activations, (loss, kind), &Device::cpu());
    let mut reference = Reference::of(&mlp);
    let truth = differences(&mut reference, loss, &data);
    // Weight and bias of three layers, and slopes.
    let slopes = [hidden, hidden, last].iter().filter(|phi| **phi == Activation::Prelu).count();
    assert_eq!(truth.len(), 6 + slopes);
    let mean = reference.loss(loss, &data);
    let mut worst = 0.0f64;
    let report = Trainer::new(loss, Sgd::default()).check_gradients(&mlp, &data).unwrap();
    assert!(report.passes(1e-3), "{hidden}, {last} with {loss}: {report}");
    for device in devices() {
        let mlp = mlp.to_device(device).unwrap();
        for reduction in LossReduction::ALL {
            let context = format!("{hidden}, {last} with {loss}, {reduction} on {device}");
            let factor = reference.reduced(loss, reduction, &data) / mean;
            let trainer = Trainer::new(loss, Sgd::default()).reduction(reduction);
            let got = trainer.gradients(&mlp, &data).unwrap();
            assert_near(&context, &[got.loss], &[mean * factor], 2e-6, 1e-7 * factor);
            for (name, truth) in &truth {
                let truth: Vec<f64> = truth.iter().map(|g| g * factor).collect();
                let gradient: Vec<f32> = got.by_name[name].iter().copied().collect();
                let context = format!("{context}: {name}");
                assert_near(context, &gradient, &truth, 1e-5, ROUNDING * factor.abs());
                let largest = truth.iter().fold(1e-6, |largest, g| g.abs().max(largest));
                let errors = gradient.iter().zip(&truth).map(|(&g, t)| (f64::from(g) - t).abs());
                worst = errors.fold(worst, |worst, error| worst.max(error / largest));
            }
        }
    }
    worst
}

/// An activation that the loss can follow: this one, or else another, if there is any.
fn last_activation(loss: Loss, activation: Activation) -> Option<Activation> {
    let fits = |activation: &Activation| loss.domain().accepts(*activation);
    [activation].into_iter().chain(Activation::ALL).find(fits)
}

#[test]
fn gradients_are_central_differences_for_every_activation_loss_and_reduction() {
    for loss in Loss::ALL {
        for kind in losses::kinds(loss) {
            for activation in Activation::ALL {
                let Some(last) = last_activation(loss, activation) else { continue };
                let worst = check([activation, last], loss, kind);
                println!("{loss} of {kind:?} after {activation}, {last}: worst error {worst:.1e}");
            }
        }
    }
}

/// Prelu, softmax and log-softmax, in hidden layers and at the end, with every loss that may follow.
#[test]
fn gradients_are_central_differences_through_the_maps_of_layers() {
    for map in Activation::MAPS {
        check([map, Activation::Identity], Loss::Mse, TargetKind::Values);
        let mut followed = 0;
        for loss in Loss::ALL.into_iter().filter(|loss| loss.domain().accepts(map)) {
            for kind in losses::kinds(loss) {
                check([Activation::Tanh, map], loss, kind);
                followed += 1;
            }
        }
        assert!(followed > 8, "{map} can be followed by many losses");
    }
}

/// A step down the gradient goes down: slopes are trained, dropped units and accumulated minibatches
/// included.
#[test]
fn the_slope_of_prelu_is_learned() {
    let mut numbers = Values::new(40);
    let x = matrix(&mut numbers, 64, 3);
    // |x0| is prelu's with slope -1.
    let data = Dataset::regression(&x, &x.column(0).mapv(f32::abs)).unwrap();
    for device in devices() {
        let builder = Mlp::builder(3).hidden(1, Activation::Prelu).bias(false);
        let weights = Array2::from_shape_vec((3, 1), vec![1.0, 0.0, 0.0]).unwrap();
        let mut mlp = builder.weight_init(Init::Array(weights)).build(device).unwrap();
        assert_eq!(mlp.parameter("layers.0.slope").unwrap().as_slice().unwrap(), [0.25]);
        let mut trainer = Trainer::new(Loss::Mse, Sgd::new(0.5)).batch_size(8).accumulate(2);
        trainer = trainer.epochs(100);
        trainer.fit(&mut mlp, &data).unwrap();
        let slope = mlp.parameter("layers.0.slope").unwrap()[0];
        assert!((slope + 1.0).abs() < 1e-3, "{slope} on {device}");
        let bytes = mlp.to_bytes().unwrap();
        let again = Mlp::from_bytes(&bytes, device).unwrap();
        assert_eq!(again.parameters().unwrap(), mlp.parameters().unwrap());
    }
}

/// Pre-activations around zero, on a kink's either side, and in the tails.
const POINTS: [f32; 14] =
    [-60.0, -19.0, -7.3, -2.2, -0.6, -0.013, -1e-3, 1e-3, 0.013, 0.6, 2.2, 7.3, 19.0, 60.0];

/// The points and targets of one row on which the loss has numbers that f32 can hold, and none that
/// is nearer to a kink than f32 can tell.
fn points(loss: Loss, activation: Activation) -> (Vec<f32>, Vec<f32>) {
    let targets = losses::targets(loss, &mut Values::new(2), 1, POINTS.len());
    let fits = |(z, t): &(f32, f32)| {
        let y = phi(activation, f64::from(*z));
        let held = match loss.domain() {
            Domain::Probabilities => (0.05..0.95).contains(&y),
            _ if loss == Loss::Poisson => y.abs() < 20.0,
            _ => y.abs() < 200.0,
        };
        held && losses::to_kink(loss, y, (*t).into()) > CLEAR
    };
    POINTS.into_iter().zip(targets).filter(fits).unzip()
}

/// dL/dz of each element of a row, by central differences of what depends on the element alone.
fn slopes(loss: Loss, activation: Activation, z: &[f32], target: Target) -> Vec<f64> {
    let t = target.values(z.len());
    let y: Vec<f64> = z.iter().map(|&z| phi(activation, z.into())).collect();
    let at = |j: usize, moved: f64| {
        let moved = phi(activation, f64::from(z[j]) + moved);
        if loss.is_rowwise() {
            let y: Vec<f64> = (0..y.len()).map(|i| if i == j { moved } else { y[i] }).collect();
            return losses::row(loss, &y, target, None);
        }
        losses::row(loss, &[moved], Target::Values(&t[j..=j]), None)
    };
    (0..z.len()).map(|j| (at(j, H) - at(j, -H)) / (2.0 * H)).collect()
}

#[test]
fn gradients_are_central_differences_around_zero_at_kinks_and_in_tails() {
    for loss in Loss::ALL {
        for activation in Activation::ALL {
            if !loss.domain().accepts(activation) {
                continue;
            }
            let (z, t) = points(loss, activation);
            let width = z.len();
            let x = Array2::from_shape_vec((1, width), z.clone()).unwrap();
            let wide: Vec<f64> = t.iter().map(|&t| t.into()).collect();
            for kind in losses::kinds(loss) {
                let (data, target) = match kind {
                    TargetKind::Labels => {
                        let data = Dataset::classification(&x, [2]).unwrap();
                        (data.with_classes(width).unwrap(), Target::Label(2))
                    }
                    TargetKind::Values => {
                        let t = Array2::from_shape_vec((1, width), t.clone()).unwrap();
                        (Dataset::regression(&x, &t).unwrap(), Target::Values(&wide))
                    }
                };
                let truth = slopes(loss, activation, &z, target);
                let largest = truth.iter().fold(0.0f64, |largest, g| g.abs().max(largest));
                for device in devices() {
                    let layer = Dense::new(width, activation).bias_init(Init::Constant(0.0));
                    let layer = layer.weight_init(Init::Array(Array2::eye(width)));
                    let mlp = Mlp::builder(width).layer(layer).build(device).unwrap();
                    let trainer = Trainer::new(loss, Sgd::default()).reduction(LossReduction::Sum);
                    let got = trainer.gradients(&mlp, &data).unwrap();
                    let bias: Vec<f32> = got.by_name["layers.0.bias"].iter().copied().collect();
                    let context = format!("{loss} of {kind:?} after {activation} on {device}");
                    assert_near(context, &bias, &truth, 2e-5, 2e-6 * largest.min(1.0));
                }
            }
        }
    }
}
