//! Fifty steps with every optimizer against PyTorch in float64, and parameter groups.
//!
//! PyTorch's own float32 ends within 7e-7 of the stored numbers (`tests/golden/README.md`).

use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, Lamb, Lion, NAdam, Optimizer, RAdam, RmsProp, Sgd,
};
use wgrad::{Device, Mlp, Trainer};

use super::support::{Golden, assert_near};
use crate::common::devices;

const ABSOLUTE: f64 = 2e-6;

fn settings() -> Vec<(&'static str, Optimizer)> {
    let (sgd, adam, rmsprop) = (Sgd::new(0.1), Adam::new(0.01), RmsProp::new(0.01));
    let swift = sgd.momentum(0.9);
    vec![
        ("sgd", sgd.into()),
        ("sgd_momentum", swift.into()),
        ("sgd_dampening", swift.dampening(0.5).into()),
        ("sgd_nesterov", swift.nesterov().into()),
        ("sgd_weight_decay", sgd.weight_decay(0.01).into()),
        ("adam", adam.into()),
        ("adam_amsgrad", adam.amsgrad().into()),
        ("adam_amsgrad_betas", adam.amsgrad().beta2(0.8).into()),
        ("adam_weight_decay", adam.weight_decay(0.01).into()),
        ("adamw", AdamW::new(0.01).into()),
        ("nadam", NAdam::new(0.01).into()),
        ("radam", RAdam::new(0.01).into()),
        ("adamax", Adamax::new(0.01).into()),
        ("rmsprop", rmsprop.into()),
        ("rmsprop_centered", rmsprop.centered().into()),
        ("rmsprop_momentum", RmsProp::new(0.001).momentum(0.9).into()),
        ("adagrad", Adagrad::new(0.05).into()),
        ("adadelta", Adadelta::default().into()),
        ("lion", Lion::new(0.003).into()),
        ("lion_weight_decay", Lion::new(0.003).weight_decay(0.01).into()),
        ("lamb", Lamb::new(0.01).into()),
    ]
}

/// The network, data and batches of `tests/golden/optimizers.py`.
pub struct Problem {
    golden: Golden,
}

impl Problem {
    pub fn read() -> Self {
        Self { golden: Golden::read("optimizers") }
    }

    pub fn data(&self) -> Dataset {
        Dataset::regression(&self.golden.matrix("x"), &self.golden.matrix("target")).unwrap()
    }

    pub fn mlp(&self, device: &Device) -> Mlp {
        let builder = Mlp::builder(7).hidden(13, Activation::Tanh).hidden(5, Activation::Sigmoid);
        let mut mlp = builder.output(3).build(device).unwrap();
        for (name, values) in self.golden.under("init/") {
            mlp.set_parameter(&name, &values.mapv(|x| x as f32)).unwrap();
        }
        mlp
    }

    /// Fifty steps: ten epochs of five batches in order.
    pub fn trainer(&self, optimizer: impl Into<Optimizer>) -> Trainer {
        let batch = self.golden.values("batch_size")[0] as usize;
        let trainer = Trainer::new(Loss::Mse, optimizer).batch_size(batch).epochs(10);
        trainer.shuffle(false).record_steps(true)
    }

    /// Trains, and compares losses and parameters with those stored under `name`.
    pub fn check(&self, device: &Device, mut trainer: Trainer, stored: &Golden, name: &str) {
        let mut mlp = self.mlp(device);
        let history = trainer.fit(&mut mlp, &self.data()).unwrap();
        let want = stored.values(&format!("{name}/losses"));
        let what = format!("{name} on {device}");
        assert_near(format!("{what}, losses"), &history.step_losses, &want, 0.0, ABSOLUTE);
        for parameter in mlp.parameter_names() {
            let want = stored.values(&format!("{name}/{parameter}"));
            let got: Vec<f32> = mlp.parameter(&parameter).unwrap().iter().copied().collect();
            assert_near(format!("{what}, {parameter}"), &got, &want, 0.0, ABSOLUTE);
        }
    }
}

#[test]
fn fifty_steps_of_every_optimizer_are_pytorchs() {
    let problem = Problem::read();
    let settings = settings();
    for optimizer in Optimizer::all() {
        let kind = std::mem::discriminant(&optimizer);
        let held = settings.iter().any(|(_, other)| std::mem::discriminant(other) == kind);
        assert!(held, "no stored numbers for {}", optimizer.name());
    }
    for device in devices() {
        for (name, optimizer) in &settings {
            problem.check(device, problem.trainer(*optimizer), &problem.golden, name);
        }
    }
}

/// Half the rate for a layer is its own rule: with plain descent, half the step.
#[test]
fn a_layers_factor_scales_its_steps() {
    let problem = Problem::read();
    for device in devices() {
        for optimizer in Optimizer::all() {
            let one_step = |trainer: Trainer| {
                let mut mlp = problem.mlp(device);
                let data = problem.data();
                trainer.batch_size(data.len()).epochs(1).fit(&mut mlp, &data).unwrap();
                mlp.parameters().unwrap()
            };
            let before = problem.mlp(device).parameters().unwrap();
            let whole = one_step(problem.trainer(optimizer));
            let groups = problem.trainer(optimizer).learning_rate_factor(1, 0.5);
            let got = one_step(groups.freeze(0));
            for (name, got) in &got {
                let factor = match &name[..8] {
                    "layers.0" => 0.0,
                    "layers.1" => 0.5,
                    _ => 1.0,
                };
                let want: Vec<f64> = (before[name].iter().zip(&whole[name]))
                    .map(|(&a, &b)| f64::from(a) + factor * (f64::from(b) - f64::from(a)))
                    .collect();
                let got: Vec<f32> = got.iter().copied().collect();
                let what = format!("{} {name} on {device}", optimizer.name());
                assert_near(what, &got, &want, 3e-7, 1e-8);
            }
        }
    }
}

/// Where two runs differ only in the decay of biases, weights move alike and biases do not.
#[test]
fn weight_decay_can_leave_biases_out() {
    let problem = Problem::read();
    for device in devices() {
        for optimizer in [Optimizer::from(Sgd::new(0.1).weight_decay(0.5)), Lamb::new(0.1).into()] {
            let one_step = |optimizer: Optimizer, decay: bool| {
                let mut mlp = problem.mlp(device);
                for name in mlp.parameter_names().iter().filter(|name| name.ends_with("bias")) {
                    let shape = mlp.parameter(name).unwrap().raw_dim();
                    mlp.set_parameter(name, &ndarray::ArrayD::from_elem(shape, 0.25)).unwrap();
                }
                let data = problem.data();
                let trainer = problem.trainer(optimizer).decay_biases(decay);
                trainer.batch_size(data.len()).epochs(1).fit(&mut mlp, &data).unwrap();
                mlp.parameters().unwrap()
            };
            let everywhere = one_step(optimizer, true);
            let nowhere = one_step(optimizer.without_weight_decay(), true);
            for (name, got) in one_step(optimizer, false) {
                let same = if name.ends_with("bias") { &nowhere } else { &everywhere };
                let other = if name.ends_with("bias") { &everywhere } else { &nowhere };
                assert_eq!(got, same[&name], "{} {name} on {device}", optimizer.name());
                assert_ne!(got, other[&name], "{} {name} on {device}", optimizer.name());
            }
        }
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let bad: Vec<(Optimizer, &str)> = vec![
        (Sgd::new(f64::NAN).into(), "learning rate"),
        (Sgd::new(0.1).momentum(1.5).into(), "momentum"),
        (Sgd::new(0.1).momentum(0.9).dampening(-0.1).into(), "dampening"),
        (Sgd::new(0.1).weight_decay(f64::NAN).into(), "weight decay"),
        (Sgd::new(0.1).nesterov().into(), "Nesterov"),
        (Sgd::new(0.1).momentum(0.9).dampening(0.1).nesterov().into(), "no dampening"),
        (Adam::default().beta1(1.0).into(), "beta1"),
        (Adam::default().beta2(f64::NAN).into(), "beta2"),
        (Adam::default().epsilon(0.0).into(), "epsilon"),
        (AdamW::default().weight_decay(-0.1).into(), "weight decay"),
        (NAdam::default().momentum_decay(-1.0).into(), "momentum decay"),
        (RAdam::default().beta2(-0.1).into(), "beta2"),
        (Adamax::default().beta1(2.0).into(), "beta1"),
        (RmsProp::default().alpha(1.0).into(), "alpha"),
        (RmsProp::default().momentum(f64::INFINITY).into(), "momentum"),
        (Adagrad::default().learning_rate_decay(-1.0).into(), "learning rate decay"),
        (Adagrad::default().initial_accumulator(f64::NAN).into(), "initial accumulator"),
        (Adadelta::default().rho(1.0).into(), "rho"),
        (Lion::default().beta1(-1.0).into(), "beta1"),
        (Lamb::default().epsilon(1e-60).into(), "epsilon"),
    ];
    let problem = Problem::read();
    let refused = |mut trainer: Trainer, part: &str| {
        let error = trainer.fit(&mut problem.mlp(&Device::cpu()), &problem.data()).unwrap_err();
        assert!(matches!(error, wgrad::Error::Argument { .. }), "{part}: {error}");
        assert!(error.to_string().contains(part), "{part}: {error}");
    };
    for (optimizer, part) in bad {
        refused(problem.trainer(optimizer), part);
    }
    let trainer = || problem.trainer(Sgd::new(0.1));
    refused(trainer().freeze(3), "layers 0 to 2");
    refused(trainer().learning_rate_factor(7, 1.0), "layers 0 to 2");
    refused(trainer().learning_rate_factor(1, -1.0), "factor");
    refused(trainer().freeze(0).freeze(1).freeze(2), "frozen");
}

#[test]
fn optimizers_go_through_json() {
    for optimizer in Optimizer::all() {
        let text = serde_json::to_string(&optimizer).unwrap();
        assert_eq!(serde_json::from_str::<Optimizer>(&text).unwrap(), optimizer);
        assert!(text.contains(&format!("\"{}\"", optimizer.name())), "{text}");
    }
}
