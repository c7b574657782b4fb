//! Choosing a strategy by a calibration: the device's own, or one that is handed over.

use std::ops::ControlFlow;

use wgrad::data::Dataset;
use wgrad::device::{Calibration, DeviceKind, Strategy};
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Sgd;
use wgrad::train::History;
use wgrad::{Device, Error, Mlp, Result, Trainer, train_many};

use super::support::is_cpu;
use crate::common::{Values, devices};

fn data() -> Dataset {
    let mut numbers = Values::new(1);
    let [x, y] = [2, 1].map(|cols| numbers.within(1.0, 20 * cols));
    Dataset::regression_from_vec(x, 2, y, 1).unwrap()
}

fn mlp(device: &Device) -> Mlp {
    let builder = Mlp::builder(2).hidden(4, Activation::Tanh).output(1);
    builder.seed(1).build(device).unwrap()
}

/// Plans many epochs, and ends after the first.
fn trainer() -> Trainer {
    let planned = Trainer::new(Loss::Mse, Sgd::new(0.1)).epochs(100_000);
    planned.on_epoch(|_| ControlFlow::Break(()))
}

fn fit(device: &Device, mut trainer: Trainer) -> Result<(History, Vec<f32>)> {
    let mut mlp = mlp(device);
    let history = trainer.fit(&mut mlp, &data())?;
    let parameters = mlp.parameters()?;
    Ok((history, parameters.values().flatten().copied().collect()))
}

/// With a calibration that is cheap in what one strategy does, and in nothing else.
fn cheap(change: impl Fn(&mut Calibration)) -> Calibration {
    let mut calibration = Calibration::typical(DeviceKind::Software);
    calibration.subgroup_registers = 1e-3;
    calibration.workgroup_memory = 1e-3;
    calibration.device_registers = 1e-3;
    change(&mut calibration);
    calibration
}

#[test]
fn a_calibration_that_is_handed_over_decides() {
    let cases = [
        (Strategy::Registers, cheap(|costs| costs.subgroup_registers = 1e-12)),
        (
            Strategy::Persistent,
            cheap(|costs| {
                costs.workgroup_memory = 1e-12;
                costs.subgroup_memory = 1e-12;
            }),
        ),
        (
            Strategy::Program,
            cheap(|costs| {
                costs.device_registers = 1e-15;
                costs.subgroup_memory = 1e-15;
                costs.dispatch = 1e-12;
            }),
        ),
    ];
    for device in devices().iter().filter(|device| !is_cpu(device)) {
        for (strategy, calibration) in cases {
            let (history, parameters) = fit(device, trainer().calibration(calibration)).unwrap();
            assert_eq!(history.strategy, strategy, "{}", history.strategy_reason);
            assert!(history.strategy_reason.starts_with("about "), "{}", history.strategy_reason);
            let (named, same) = fit(device, trainer().strategy(strategy)).unwrap();
            assert_eq!(named.strategy_reason, "asked for");
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&parameters), bits(&same), "{strategy}");
        }
    }
}

#[test]
fn many_networks_are_chosen_for_by_it_too() {
    for device in devices().iter().filter(|device| !is_cpu(device)) {
        let chosen = |calibration: Calibration| {
            let data = data();
            let mut networks = [mlp(device), mlp(device)];
            let trainer = || {
                let trainer = Trainer::new(Loss::Mse, Sgd::new(0.1)).epochs(100);
                trainer.calibration(calibration)
            };
            let runs = networks.iter_mut().map(|mlp| (trainer(), mlp, &data));
            let histories: Vec<History> =
                train_many(runs).into_iter().map(Result::unwrap).collect();
            assert_eq!(histories[0].strategy, histories[1].strategy);
            histories[0].strategy
        };
        let mut costs = Calibration::typical(DeviceKind::Software);
        costs.dispatch = 1e-12;
        costs.device_registers = 1e-15;
        costs.subgroup_memory = 1e-15;
        assert_eq!(chosen(costs), Strategy::Program);
        costs.dispatch = 1.0;
        assert_eq!(chosen(costs), Strategy::Registers);
    }
}

#[test]
fn a_number_that_is_no_time_is_refused() {
    for device in devices() {
        for time in [0.0, -1e-6, f64::NAN, f64::INFINITY] {
            let mut calibration = Calibration::typical(DeviceKind::Discrete);
            calibration.device_memory = time;
            let error = fit(device, trainer().calibration(calibration)).unwrap_err();
            assert!(matches!(error, Error::Argument { .. }), "{error}");
            assert!(error.to_string().contains("device_memory"), "{error}");
        }
    }
}

#[test]
fn devices_show_what_they_cost() {
    for device in devices() {
        let Some(calibration) = device.calibration() else {
            assert!(is_cpu(device));
            let (history, _) = fit(device, trainer()).unwrap();
            assert_eq!(history.strategy_reason, "the only one of a device that is no GPU");
            continue;
        };
        assert!(!is_cpu(device));
        assert_eq!(device.calibration(), Some(calibration));
        let text = serde_json::to_string(&calibration).unwrap();
        assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), calibration);
        assert!(calibration.to_string().starts_with("dispatch "));
    }
}
