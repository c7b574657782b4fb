//! Mixed precision: as good as f32 where f16 can hold the numbers, and what happens where it cannot.

use std::cell::RefCell;
use std::rc::Rc;

use ndarray::{Array1, Array2};
use wgrad::data::Dataset;
use wgrad::device::{Precision, Strategy};
use wgrad::nn::{Activation, Loss};
use wgrad::optim::{Adam, Sgd};
use wgrad::persist::Checkpoint;
use wgrad::train::History;
use wgrad::{Device, Error, Mlp, Trainer};

use super::support::{assert_near, is_cpu, matrix, parameter_bits};
use crate::common::{Values, devices};

const LAST: [&str; 2] = ["layers.2.weight", "layers.2.bias"];

fn gpus() -> impl Iterator<Item = &'static Device> {
    devices().iter().filter(|device| !is_cpu(device))
}

fn network(device: &Device, outputs: usize) -> Mlp {
    let builder = Mlp::builder(6).hidden(16, Activation::Tanh).hidden(9, Activation::Relu);
    builder.output(outputs).seed(4).build(device).unwrap()
}

/// Points of a cube, and the signs of two coordinates as one of three classes.
fn classes() -> Dataset {
    let x: Array2<f32> = matrix(&mut Values::new(8), 70, 6);
    let label =
        |row: ndarray::ArrayView1<'_, f32>| u32::from(row[0] > 0.0) + u32::from(row[3] > 0.2);
    let labels: Array1<u32> = x.rows().into_iter().map(label).collect();
    Dataset::classification(&x, &labels).unwrap()
}

/// The same points, and a curved function of `size`.
fn values(size: f32) -> Dataset {
    let x: Array2<f32> = matrix(&mut Values::new(8), 70, 6);
    let value = |row: ndarray::ArrayView1<'_, f32>| size * (row[0] * row[1] + row[2]).tanh();
    let y: Array1<f32> = x.rows().into_iter().map(value).collect();
    Dataset::regression(&x, &y).unwrap()
}

fn classifier(precision: Precision) -> Trainer {
    let trainer = Trainer::new(Loss::CrossEntropy, Adam::new(0.01)).batch_size(16).epochs(40);
    trainer.strategy(Strategy::Program).precision(precision)
}

#[test]
fn mixed_training_reaches_the_loss_of_f32() {
    let data = classes();
    for device in gpus() {
        let run = |precision| -> (History, Vec<u32>) {
            let mut mlp = network(device, 3);
            let history = classifier(precision).fit(&mut mlp, &data).unwrap();
            (history, parameter_bits(&mlp))
        };
        let (f32s, plain) = run(Precision::F32);
        let (mixed, rounded) = run(Precision::MIXED);
        assert!(f32s.final_loss() < 0.3 * f32s.train_losses()[0], "{f32s:?}");
        assert_near(format!("{device}"), &mixed.train_losses(), &f32s.train_losses(), 0.02, 2e-3);
        assert_ne!(plain, rounded, "{device}: nothing was rounded");
        assert_eq!(run(Precision::MIXED).1, rounded, "{device}: not repeatable");
    }
}

/// The last layer's weights and its bias after one step of plain descent from 0, divided by `size`; the
/// deltas there are those of the targets.
fn change(device: &Device, precision: Precision, size: f32) -> Vec<f32> {
    let mut mlp = network(device, 1);
    for name in LAST {
        let zeros = 0.0 * &mlp.parameters().unwrap()[name];
        mlp.set_parameter(name, &zeros).unwrap();
    }
    let trainer = Trainer::new(Loss::Mse, Sgd::new(1.0)).batch_size(70).epochs(1);
    trainer.strategy(Strategy::Program).precision(precision).fit(&mut mlp, &values(size)).unwrap();
    let after = mlp.parameters().unwrap();
    LAST.iter().flat_map(|&name| after[name].iter().map(|x| x / size).collect::<Vec<_>>()).collect()
}

#[test]
fn the_loss_scale_keeps_small_deltas() {
    for device in gpus() {
        // Deltas of at most 2e-9, where f16 ends at 3e-8.
        let size = 7e-8;
        let scaled = |loss_scale| change(device, Precision::Mixed { loss_scale }, size);
        let whole = change(device, Precision::F32, size);
        assert!(whole.iter().any(|x| x.abs() > 1e-3), "{whole:?}");
        assert!(scaled(1).iter().all(|&x| x == 0.0), "{device}");
        assert_near(format!("{device}"), &scaled(1 << 20), &whole, 1e-3, 1e-4);
    }
}

#[test]
fn deltas_too_large_for_f16_become_the_largest() {
    for device in gpus() {
        // Targets of 1e9: 70 deltas beyond 65,504 / 1,024 each, of both signs.
        let step = change(device, Precision::MIXED, 1e9);
        assert!(step.iter().all(|x| x.is_finite()), "{device}: {step:?}");
        let bias = step.last().unwrap().abs() * 1e9;
        assert!(bias <= 70.0 * 65_504.0 / 1_024.0, "{device}: {bias}");
        let whole = change(device, Precision::F32, 1e9).last().unwrap().abs() * 1e9;
        assert!(whole > 1e7, "{device}: {whole}");
    }
}

#[test]
fn what_cannot_be_is_said() {
    let data = classes();
    let message = |device: &Device, trainer: Trainer| {
        let error = { trainer }.fit(&mut network(device, 3), &data).unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{error}");
        error.to_string()
    };
    let text = message(&Device::cpu(), classifier(Precision::MIXED));
    assert!(text.contains("mixed") && text.contains("no GPU"), "{text}");
    let odd = Precision::Mixed { loss_scale: 1_000 };
    let text = message(&Device::cpu(), classifier(odd));
    assert!(text.contains("1000") && text.contains("power of two"), "{text}");
    assert!("half".parse::<Precision>().unwrap_err().to_string().contains("`mixed`"));
    for device in gpus() {
        let other = classifier(Precision::MIXED).strategy(Strategy::Registers);
        let text = message(device, other);
        assert!(text.contains("registers") && text.contains("mixed"), "{text}");
    }
}

#[test]
fn a_run_is_resumed_in_its_precision() {
    let data = classes();
    let kept: Rc<RefCell<Option<Checkpoint>>> = Rc::default();
    let slot = kept.clone();
    let first = classifier(Precision::F32).epochs(1).on_checkpoint(1, move |checkpoint| {
        slot.replace(Some(checkpoint.clone()));
        Ok(())
    });
    let cpu = Device::cpu();
    { first }.fit(&mut network(&cpu, 3), &data).unwrap();
    let resumed = classifier(Precision::MIXED).resume_from(kept.take().unwrap());
    let text = { resumed }.fit(&mut network(&cpu, 3), &data).unwrap_err().to_string();
    assert!(text.contains("precision"), "{text}");
}
