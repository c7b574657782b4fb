//! A step over data in parts is the step over the same data in one: bitwise, as only the place that
//! rows are copied from differs.

use wgrad::nn::{Activation, Loss, LossReduction, TargetKind};
use wgrad::op::StepArgs;
use wgrad::optim::Adam;
use wgrad::program::{Source, Step, names};
use wgrad::{Device, Mlp};

use super::stepper::Stepper;
use super::support::{bits, matrix};
use crate::common::{Values, devices};

const ROWS: usize = 22;
const INPUTS: usize = 7;
const OUTPUTS: usize = 3;
const BATCH: usize = 8;

/// What three steps leave, over features and targets in parts of at most so many words.
fn run(device: &Device, words: [usize; 2], order: Option<&[u32]>) -> [Vec<u32>; 3] {
    let builder = Mlp::builder(INPUTS).hidden(6, Activation::Tanh).output(OUTPUTS);
    let mlp = builder.seed(4).build(device).unwrap();
    let optimizer = Adam::new(0.01).into();
    let step = |batch| Step {
        network: mlp.network().clone(),
        loss: Loss::Mse,
        reduction: LossReduction::Mean,
        target_kind: TargetKind::Values,
        weights: None,
        positive_weights: false,
        optimizer: Some(optimizer),
        batch,
        features: Source::divided(ROWS, INPUTS, words[0]),
        targets: Source::divided(ROWS, OUTPUTS, words[1]),
        order: order.map(<[u32]>::len),
        slots: 3,
    };
    let stepper = Stepper::new(&mlp, &[step(BATCH), step(ROWS % BATCH)]);
    let mut numbers = Values::new(8);
    stepper.write_parts("features", matrix(&mut numbers, ROWS, INPUTS).as_slice().unwrap());
    stepper.write_parts("targets", matrix(&mut numbers, ROWS, OUTPUTS).as_slice().unwrap());
    if let Some(order) = order {
        stepper.buffer(names::ORDER).write(0, order).unwrap();
    }
    let optimizer: wgrad::optim::Optimizer = optimizer;
    for (slot, first_row) in [0, 8, 16].into_iter().enumerate() {
        let coefficients = optimizer.coefficients(slot as u64 + 1, 0.01);
        let slot = slot as u32;
        let args = StepArgs { first_row, slot, coefficients, ..StepArgs::default() };
        stepper.run(usize::from(first_row == 16), args);
    }
    [names::LOSSES, names::GRADIENTS, names::PARAMETERS].map(|name| bits(stepper.read(name)))
}

#[test]
fn a_source_is_divided_into_whole_rows() {
    let divided = |rows, cols, words| Source::divided(rows, cols, words).parts;
    assert_eq!(divided(22, 7, 1000), [22]);
    assert_eq!(divided(22, 7, 154), [22]);
    assert_eq!(divided(22, 7, 153), [21, 1]);
    assert_eq!(divided(22, 7, 60), [8, 8, 6]);
    assert_eq!(divided(22, 7, 56), [8, 8, 6]);
    assert_eq!(divided(3, 7, 1), [1, 1, 1]);
    assert_eq!(Source::divided(45_000, 784, 1 << 25).rows(), 45_000);
}

#[test]
fn data_in_parts_give_the_bits_of_data_in_one() {
    // Parts of 8, 8, 6 rows end with batches, parts of 9, 9, 4 within them.
    let divisions =
        [[8 * INPUTS, usize::MAX], [9 * INPUTS, 9 * OUTPUTS], [usize::MAX, 5 * OUTPUTS]];
    let shuffled: Vec<u32> = (0..ROWS as u32).map(|i| (i * 13 + 5) % ROWS as u32).collect();
    for device in devices() {
        for order in [None, Some(shuffled.as_slice())] {
            let whole = run(device, [usize::MAX; 2], order);
            assert!(whole[0].iter().all(|&loss| loss != 0));
            for words in divisions {
                let parts = run(device, words, order);
                let how = if order.is_some() { "shuffled" } else { "in order" };
                assert!(parts == whole, "parts of at most {words:?} words, {how}, on {device}");
            }
        }
    }
}
