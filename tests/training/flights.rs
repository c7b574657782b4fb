//! How many epochs are queued before the host reads back is for speed alone: a callback makes that
//! one, and must change no bit of the run.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use wgrad::data::Dataset;
use wgrad::device::Strategy;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::{Adam, Optimizer, Sgd};
use wgrad::train::{History, Metric};
use wgrad::{Device, Mlp, Trainer};

use super::support::{assert_near, bits, matrix, parameter_bits};
use crate::common::{Values, devices};

const EPOCHS: usize = 40;

fn data() -> Dataset {
    let mut numbers = Values::new(11);
    let x = matrix(&mut numbers, 23, 3);
    Dataset::regression(&x, &matrix(&mut numbers, 23, 2)).unwrap()
}

fn mlp(device: &Device) -> Mlp {
    Mlp::builder(3).hidden(6, Activation::Tanh).output(2).seed(2).build(device).unwrap()
}

fn trainer(optimizer: impl Into<Optimizer>) -> Trainer {
    Trainer::new(Loss::Mse, optimizer).batch_size(10).epochs(EPOCHS).seed(9).record_steps(true)
}

fn run(device: &Device, mut trainer: Trainer) -> (Vec<u32>, History) {
    let mut mlp = mlp(device);
    let history = trainer.fit(&mut mlp, &data()).unwrap();
    (parameter_bits(&mlp), history)
}

#[test]
fn results_do_not_depend_on_how_many_epochs_are_queued_at_once() {
    let optimizers: [Optimizer; 2] = [Adam::new(0.01).into(), Sgd::new(0.1).momentum(0.9).into()];
    for device in devices() {
        for optimizer in optimizers {
            let (parameters, history) = run(device, trainer(optimizer));
            let seen = Rc::new(RefCell::new(Vec::new()));
            let log = seen.clone();
            let watched = trainer(optimizer).on_epoch(move |record| {
                log.borrow_mut().push(record.train_loss);
                ControlFlow::Continue(())
            });
            let validated = trainer(optimizer).validation(&data());
            for (how, trainer) in [("a callback", watched), ("validation", validated)] {
                let context = format!("{} with {how} on {device}", optimizer.name());
                let (same, slow) = run(device, trainer);
                assert!(parameters == same, "{context}: the parameters differ");
                let steps = |history: &History| bits(history.step_losses.iter().copied());
                assert_eq!(steps(&history), steps(&slow), "{context}");
                assert_eq!(history.train_losses(), slow.train_losses(), "{context}");
            }
            assert_eq!(*seen.borrow(), history.train_losses(), "the callback saw each epoch once");
        }
    }
}

#[test]
fn an_epochs_loss_is_the_mean_of_its_steps_by_rows() {
    let (_, history) = run(&Device::cpu(), trainer(Sgd::new(0.1)));
    assert_eq!((history.epochs.len(), history.step_losses.len()), (EPOCHS, 3 * EPOCHS));
    for (i, (epoch, steps)) in history.epochs.iter().zip(history.step_losses.chunks(3)).enumerate()
    {
        let [a, b, c] = [steps[0], steps[1], steps[2]].map(f64::from);
        let mean = (10.0 * a + 10.0 * b + 3.0 * c) / 23.0;
        assert_near("the epoch's loss", &[epoch.train_loss], &[mean], 1e-12, 0.0);
        assert_eq!((epoch.epoch, epoch.learning_rate), (i + 1, 0.1));
        assert!(epoch.seconds >= 0.0 && epoch.validation_loss.is_none());
    }
}

#[test]
fn a_callback_can_end_the_training() {
    for device in devices() {
        // Named, as the choice goes by how many epochs are planned.
        let trainer = || trainer(Adam::new(0.01)).strategy(Strategy::Program);
        let broken = trainer().on_epoch(|record| {
            if record.epoch == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let (broken, history) = run(device, broken);
        let (short, want) = run(device, trainer().epochs(7));
        assert_eq!(history.epochs.len(), 7, "{device}");
        assert_eq!(history.train_losses(), want.train_losses(), "{device}");
        assert!(broken == short, "the parameters differ on {device}");
    }
}

#[test]
fn no_epochs_change_nothing() {
    for device in devices() {
        let (parameters, history) = run(device, trainer(Adam::default()).epochs(0));
        assert_eq!(parameters, parameter_bits(&mlp(device)));
        assert!(history.epochs.is_empty() && history.final_loss().is_nan());
    }
}

#[test]
fn validation_is_scored_after_the_epoch_on_its_own_rows() {
    let all = data();
    let (train, held_out) = all.split_at(16).unwrap();
    for device in devices() {
        let mut mlp = mlp(device);
        let trainer = Trainer::new(Loss::Mse, Sgd::new(0.1)).batch_size(5).epochs(3);
        let mut trainer = trainer.validation(&held_out).metric(Metric::R2).metric(Metric::Mae);
        let history = trainer.fit(&mut mlp, &train).unwrap();
        let last = history.last().unwrap();
        let evaluate = |metric| mlp.evaluate(&held_out, metric).unwrap();
        let want = [evaluate(Metric::Mse), evaluate(Metric::R2), evaluate(Metric::Mae)];
        let got = [last.validation_loss.unwrap(), last.metrics[0].1, last.metrics[1].1];
        assert_near(format!("validation on {device}"), &got, &want, 1e-6, 1e-6);
        let names: Vec<&str> = last.metrics.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["r2", "mae"]);
        assert_eq!(history.validation_losses().len(), 3);
    }
}
