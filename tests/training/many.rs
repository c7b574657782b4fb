//! Many networks at once: each ends as if it had been trained alone.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use wgrad::data::Dataset;
use wgrad::device::{Calibration, DeviceKind, Strategy};
use wgrad::nn::{Activation, Loss};
use wgrad::optim::schedule::Schedule;
use wgrad::optim::{Adam, Optimizer, Sgd};
use wgrad::train::History;
use wgrad::{Device, Error, Mlp, Result, Trainer, train_many};

use super::support::{bits, is_cpu, matrix, parameter_bits};
use crate::common::{Values, devices};

/// Rows that do not divide into minibatches.
const ROWS: usize = 33;

fn values(seed: u64) -> Dataset {
    let mut numbers = Values::new(seed);
    let x = matrix(&mut numbers, ROWS, 3);
    Dataset::regression(&x, &matrix(&mut numbers, ROWS, 2)).unwrap()
}

fn labels(seed: u64) -> Dataset {
    let mut numbers = Values::new(seed);
    let x = matrix(&mut numbers, ROWS, 3);
    Dataset::classification(&x, numbers.below(2, ROWS)).unwrap()
}

fn network(device: &Device, seed: u64) -> Mlp {
    Mlp::builder(3).hidden(5, Activation::Tanh).output(2).seed(seed).build(device).unwrap()
}

fn trainer(loss: Loss, optimizer: impl Into<Optimizer>, strategy: Strategy) -> Trainer {
    Trainer::new(loss, optimizer).batch_size(8).epochs(7).record_steps(true).strategy(strategy)
}

/// The ways in which a device trains several networks: alone, each would have the same.
fn ways() -> Vec<(&'static Device, Strategy)> {
    let mut list = Vec::new();
    for device in devices() {
        list.push((device, Strategy::Program));
        if !is_cpu(device) {
            let fused = [Strategy::Persistent, Strategy::Registers, Strategy::TwoPass];
            list.extend(fused.map(|strategy| (device, strategy)));
        }
    }
    list
}

/// Trainings, made anew each time: a trainer and its data, and the network by its seed.
type Runs<'a> = dyn Fn(usize) -> (Trainer, &'a Dataset) + 'a;

fn together(device: &Device, count: usize, runs: &Runs<'_>) -> (Vec<Mlp>, Vec<Result<History>>) {
    let mut networks: Vec<Mlp> = (0..count).map(|i| network(device, i as u64)).collect();
    let list = networks.iter_mut().enumerate().map(|(i, mlp)| {
        let (trainer, data) = runs(i);
        (trainer, mlp, data)
    });
    let results = train_many(list);
    assert_eq!(results.len(), count);
    (networks, results)
}

/// Fails unless each of the runs, trained at once, ends as if it had been trained alone.
fn check(device: &Device, strategy: Strategy, count: usize, runs: &Runs<'_>) {
    let (networks, results) = together(device, count, runs);
    let histories: Vec<History> = results.into_iter().map(Result::unwrap).collect();
    for (i, (mlp, history)) in networks.iter().zip(&histories).enumerate() {
        let (mut trainer, data) = runs(i);
        let mut alone = network(device, i as u64);
        let want = trainer.fit(&mut alone, data).unwrap();
        let context = format!("{strategy} on {device}, network {i}");
        assert_eq!(history.strategy, strategy, "{context}");
        assert_eq!(parameter_bits(mlp), parameter_bits(&alone), "{context}");
        let losses = |history: &History| bits(history.step_losses.clone());
        assert_eq!(losses(history), losses(&want), "{context}");
        assert_eq!(history.train_losses(), want.train_losses(), "{context}");
        let rates = |history: &History| -> Vec<f64> {
            history.epochs.iter().map(|epoch| epoch.learning_rate).collect()
        };
        assert_eq!(rates(history), rates(&want), "{context}");
    }
    // Epochs of networks that go in step take the same time, to the last bit.
    let seconds = |history: &History| history.seconds().to_bits();
    let in_step = histories.iter().all(|history| seconds(history) == seconds(&histories[0]));
    let go_in_step = [Strategy::Persistent, Strategy::Registers].contains(&strategy);
    assert_eq!(in_step, go_in_step, "{strategy} on {device}");
}

#[test]
fn seeds_end_as_if_each_were_alone() {
    let data = values(1);
    for (device, strategy) in ways() {
        check(device, strategy, 5, &|i| {
            (trainer(Loss::Mse, Adam::new(0.01), strategy).seed(i as u64), &data)
        });
    }
}

#[test]
fn learning_rates_schedules_and_momenta_may_differ() {
    let data = labels(2);
    for (device, strategy) in ways() {
        check(device, strategy, 4, &|i| {
            let optimizer = Sgd::new([0.3, 0.1, 0.01, 0.0][i]).momentum([0.5, 0.9][i % 2]);
            let trainer = trainer(Loss::CrossEntropy, optimizer, strategy);
            (if i == 1 { trainer.schedule(Schedule::cosine(7)) } else { trainer }, &data)
        });
    }
}

#[test]
fn folds_have_data_of_their_own() {
    let folds: Vec<Dataset> = (0..3).map(labels).collect();
    for (device, strategy) in ways() {
        check(device, strategy, 3, &|i| {
            let trainer = trainer(Loss::CrossEntropy, Adam::new(0.01), strategy);
            // Without an order too: rows as they lie.
            (trainer.shuffle(i > 3), &folds[i])
        });
    }
}

#[test]
fn flights_grow_and_long_runs_stay_the_same() {
    let data = values(3);
    for (device, strategy) in ways() {
        let slow = [Strategy::Program, Strategy::TwoPass].contains(&strategy);
        let epochs = if slow { 20 } else { 900 };
        check(device, strategy, 3, &|i| {
            let trainer = trainer(Loss::Mse, Adam::new(0.001 * (1 + i) as f64), strategy);
            (trainer.epochs(epochs).seed(i as u64 / 2), &data)
        });
    }
}

#[test]
fn one_that_diverges_does_not_disturb_the_others() {
    let data = values(4);
    let rates = [0.01, 1e30, 0.02];
    for (device, strategy) in ways() {
        let runs = |i: usize| (trainer(Loss::Mse, Sgd::new(rates[i]), strategy).epochs(30), &data);
        let (networks, results) = together(device, 3, &runs);
        assert!(matches!(results[1], Err(Error::Diverged { .. })), "{strategy}: {:?}", results[1]);
        let parameters = networks[1].parameters().unwrap();
        assert!(parameters.values().flatten().all(|x| x.is_finite()), "{strategy} on {device}");
        for i in [0, 2] {
            let mut alone = network(device, i as u64);
            runs(i).0.fit(&mut alone, &data).unwrap();
            assert!(results[i].is_ok(), "{strategy} on {device}");
            assert_eq!(parameter_bits(&networks[i]), parameter_bits(&alone), "{strategy}");
        }
    }
}

#[test]
fn runs_of_all_kinds_come_back_in_their_order() {
    let (data, short) = (values(5), values(5).take(20).unwrap());
    for (device, strategy) in ways() {
        let calls = Rc::new(Cell::new(0));
        let runs = |i: usize| {
            let trainer = trainer(Loss::Mse, Adam::new(0.01), strategy).epochs(3 + i / 2);
            let called = Rc::clone(&calls);
            let trainer = match i {
                1 => trainer.validation(&short),
                2 => trainer.batch_size(0),
                3 => trainer.on_epoch(move |_| {
                    called.set(called.get() + 1);
                    ControlFlow::Continue(())
                }),
                6 => trainer.progress(true),
                _ => trainer,
            };
            (trainer, if i == 5 { &short } else { &data })
        };
        let (networks, results) = together(device, 8, &runs);
        assert_eq!(calls.get(), 4, "{strategy} on {device}");
        for (i, result) in results.into_iter().enumerate() {
            let mut alone = network(device, i as u64);
            let want = runs(i).0.fit(&mut alone, runs(i).1);
            let context = format!("{strategy} on {device}, network {i}");
            assert_eq!(parameter_bits(&networks[i]), parameter_bits(&alone), "{context}");
            match (result, want) {
                (Ok(got), Ok(want)) => {
                    assert_eq!(got.train_losses(), want.train_losses(), "{context}");
                    assert_eq!(got.validation_losses(), want.validation_losses(), "{context}");
                }
                (Err(got), Err(want)) => assert_eq!((i, got), (2, want), "{context}"),
                (got, want) => panic!("{context}: {got:?}, {want:?}"),
            }
        }
    }
}

#[test]
fn none_and_one_are_many_too() {
    assert!(train_many([]).is_empty());
    let data = values(6);
    for (device, strategy) in ways() {
        check_one(device, strategy, &data);
    }
}

fn check_one(device: &Device, strategy: Strategy, data: &Dataset) {
    let run = || trainer(Loss::Mse, Adam::new(0.01), strategy);
    let (networks, results) = together(device, 1, &|_| (run(), data));
    let mut alone = network(device, 0);
    let want = run().fit(&mut alone, data).unwrap();
    assert_eq!(results[0].as_ref().unwrap().train_losses(), want.train_losses());
    assert_eq!(parameter_bits(&networks[0]), parameter_bits(&alone));
}

#[test]
fn auto_counts_the_steps_of_all_networks() {
    let data = values(7);
    // Whatever the adapter is, and how busy.
    let costs = Calibration::typical(DeviceKind::Software);
    for device in devices().iter().filter(|device| !is_cpu(device)) {
        let auto = || trainer(Loss::Mse, Adam::new(0.01), Strategy::Auto);
        let run = || auto().calibration(costs).epochs(100);
        let alone = run().fit(&mut network(device, 0), &data).unwrap();
        assert_eq!(alone.strategy, Strategy::Program);
        let (_, results) = together(device, 40, &|_| (run(), &data));
        let strategy = results[0].as_ref().unwrap().strategy;
        assert_ne!(strategy, Strategy::Program);
    }
}
