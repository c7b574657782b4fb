//! The same seed gives bitwise the same run on a device, and the same start and the same order of
//! rows on every device; another seed gives another run.

use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::{Adam, Sgd};
use wgrad::train::History;
use wgrad::{Device, Mlp, Trainer};

use super::support::{bits, digits, matrix, parameter_bits};
use crate::common::{Values, devices};

fn train(device: &Device, data: &Dataset, batch: usize, [weights, order]: [u64; 2]) -> Bits {
    let builder = Mlp::builder(64).hidden(20, Activation::Relu).hidden(12, Activation::Tanh);
    let mut mlp = builder.output(10).seed(weights).build(device).unwrap();
    let history = Trainer::new(Loss::CrossEntropy, Adam::default())
        .batch_size(batch)
        .epochs(3)
        .seed(order)
        .record_steps(true)
        .fit(&mut mlp, data)
        .unwrap();
    (parameter_bits(&mlp), bits(history.step_losses))
}

/// Parameters and step losses of a run.
type Bits = (Vec<u32>, Vec<u32>);

#[test]
fn the_same_seed_gives_the_same_bits() {
    let data = digits(300);
    for device in devices() {
        // Nine whole batches and one of 12 rows, four and one of 44, a single one.
        for batch in [32, 64, 300] {
            let run = || train(device, &data, batch, [1, 2]);
            let (first, second) = (run(), run());
            assert_eq!(first.1.len(), 3 * 300usize.div_ceil(batch));
            assert!(first == second, "two runs with batches of {batch} differ on {device}");
        }
    }
}

#[test]
fn another_seed_gives_another_run() {
    let data = digits(100);
    for device in devices() {
        let runs = [[1, 2], [3, 2], [1, 3]].map(|seeds| train(device, &data, 32, seeds));
        assert_ne!(runs[0], runs[1], "the network's seed on {device}");
        assert_ne!(runs[0], runs[2], "the trainer's seed on {device}");
    }
}

#[test]
fn every_device_starts_from_the_same_weights() {
    let build = |init: Init, device: &Device| {
        let builder = Mlp::builder(64).hidden(33, Activation::Relu).output(10).weight_init(init);
        parameter_bits(&builder.seed(5).build(device).unwrap())
    };
    for init in [Init::Default, Init::HeNormal, Init::GlorotUniform] {
        let want = build(init.clone(), &Device::cpu());
        for device in devices() {
            assert_eq!(build(init.clone(), device), want, "{init:?} on {device}");
        }
    }
}

/// The order in which an epoch took the rows: with one row a step, target i in row i, and a
/// network that stays 0, the square root of a step's loss is its row.
fn row_order(device: &Device, rows: usize, seed: u64, epochs: usize) -> Vec<u32> {
    let x = matrix(&mut Values::new(0), rows, 3);
    let values = ndarray::Array1::from_iter((0..rows).map(|row| row as f32));
    let data = Dataset::regression(&x, &values).unwrap();
    let builder = Mlp::builder(3).output(1).weight_init(Init::Constant(0.0));
    let mut mlp = builder.bias_init(Init::Constant(0.0)).build(device).unwrap();
    let trainer = Trainer::new(Loss::Mse, Sgd::new(0.0)).batch_size(1).epochs(epochs).seed(seed);
    let History { step_losses, .. } = trainer.record_steps(true).fit(&mut mlp, &data).unwrap();
    step_losses.into_iter().map(|loss| loss.sqrt() as u32).collect()
}

#[test]
fn every_device_takes_the_rows_in_the_same_order() {
    let rows = 50;
    let want = row_order(&Device::cpu(), rows, 7, 3);
    for device in devices() {
        assert_eq!(row_order(device, rows, 7, 3), want, "{device}");
    }
    let epochs: Vec<&[u32]> = want.chunks(rows).collect();
    for (i, epoch) in epochs.iter().enumerate() {
        let mut sorted = epoch.to_vec();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..rows as u32), "each row once in epoch {}", i + 1);
    }
    assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2], "each epoch has its own order");
    assert_ne!(row_order(&Device::cpu(), rows, 8, 1), want[..rows], "each seed has its own order");
}
