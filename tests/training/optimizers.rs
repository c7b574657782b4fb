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
