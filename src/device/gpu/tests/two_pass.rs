//! Both forms of the two-pass strategy against the program: the form for hardware runs on a software
//! adapter too, and has to be right there.

use super::{gpus, numbers};
use crate::data::Dataset;
use crate::device::{Device, Strategy};
use crate::nn::{Activation, Loss};
use crate::optim::Sgd;
use crate::{Dense, Mlp, Trainer};

const ROWS: usize = 100;

/// The inputs, the widths and the minibatches of a training of 3 epochs.
type Case<'a> = (usize, &'a [usize], usize);

/// Its losses and parameters.
fn train(device: &Device, strategy: Strategy, (inputs, widths, batch): Case<'_>) -> [Vec<f32>; 2] {
    let outputs = widths[widths.len() - 1];
    let features = numbers(ROWS * inputs, 1);
    let targets = numbers(ROWS * outputs, 2);
    let data = Dataset::regression_from_vec(features, inputs, targets, outputs).unwrap();
    // An activation whose derivative needs the sum, and one whose derivative needs the value.
    let activations = [Activation::Silu, Activation::Tanh];
    let layers = widths.iter().zip(activations.iter().cycle());
    let mut mlp = layers
        .fold(Mlp::builder(inputs).seed(4), |builder, (width, activation)| {
            builder.layer(Dense::new(*width, *activation))
        })
        .build(device)
        .unwrap();
    let history = Trainer::new(Loss::Mse, Sgd::new(0.1).momentum(0.9))
        .batch_size(batch)
        .epochs(3)
        .record_steps(true)
        .strategy(strategy)
        .fit(&mut mlp, &data)
        .unwrap();
    assert_eq!(history.strategy, strategy);
    let parameters = mlp.parameters().unwrap();
    let parameters = parameters.values().flat_map(|array| array.iter().copied()).collect();
    [history.step_losses, parameters]
}

#[test]
fn both_forms_agree_with_the_program() {
    // A first layer that is split, and in vectors, and one that is neither; minibatches of 32 and 45 with a
    // shorter last one, and one that is longer than a workgroup holds.
    let wide: &[usize] = &[10, 3];
    let cases: [Case<'_>; 4] =
        [(3, &[5, 1], 32), (256, wide, 32), (256, wide, 45), (256, wide, ROWS)];
    for device in gpus() {
        for case in cases {
            let want = train(&device, Strategy::Program, case);
            let got = train(&device, Strategy::TwoPass, case);
            for (want, got) in want.iter().zip(&got) {
                assert_eq!(want.len(), got.len());
                for (i, (want, got)) in want.iter().zip(got).enumerate() {
                    let bound = 1e-5 + 1e-4 * want.abs();
                    assert!(
                        !((want - got).abs() > bound) && got.is_finite(),
                        "{case:?}, number {i}: {got}, not {want}"
                    );
                }
            }
        }
    }
}
