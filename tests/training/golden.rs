//! Ten training steps of four networks against PyTorch in float64 (`tests/golden`).
//!
//! PyTorch's own float32 ends within 2e-7 of the stored losses and 9e-8 of the stored parameters,
//! absolute, where both are of order 0.1 to 1. So 1e-5 relative with a floor of 1e-6, a few
//! roundings for values near 0, leaves a device room for its own tanh, exp and order of summing, and
//! none for another formula: the smallest gradient entries that the floor could hide move a
//! parameter by less than it.

use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss, TargetKind};
use wgrad::op::StepArgs;
use wgrad::optim::{Adam, Optimizer, Sgd};
use wgrad::program::{Source, Step, names};
use wgrad::{Device, Mlp, Trainer};

use super::stepper::Stepper;
use super::support::{Golden, assert_near};
use crate::common::devices;
use Activation::{Identity, Relu, Sigmoid, Tanh};

const RELATIVE: f64 = 1e-5;
const ABSOLUTE: f64 = 1e-6;
const STEPS: usize = 10;

/// One of the stored networks; its widths are those of its parameters.
struct Case {
    name: &'static str,
    activations: &'static [Activation],
    loss: Loss,
    optimizer: Optimizer,
}

fn cases() -> [Case; 4] {
    let sgd = |rate| Sgd::new(rate);
    [
        Case {
            name: "regression",
            activations: &[Tanh, Sigmoid, Identity],
            loss: Loss::Mse,
            optimizer: sgd(0.1).momentum(0.9).nesterov().into(),
        },
        Case {
            name: "classification",
            activations: &[Relu, Identity],
            loss: Loss::CrossEntropy,
            optimizer: Adam::new(0.01).into(),
        },
        Case {
            name: "no_bias",
            activations: &[Tanh, Sigmoid],
            loss: Loss::Mse,
            optimizer: sgd(0.25).into(),
        },
        Case {
            name: "short_batch",
            activations: &[Relu, Identity],
            loss: Loss::Mse,
            optimizer: sgd(0.05).momentum(0.9).into(),
        },
    ]
}

impl Case {
    fn key(&self, key: &str) -> String {
        format!("{}/{key}", self.name)
    }

    fn kind(&self) -> TargetKind {
        if self.loss == Loss::CrossEntropy { TargetKind::Labels } else { TargetKind::Values }
    }

    fn data(&self, golden: &Golden) -> Dataset {
        let (x, target) = (golden.matrix(&self.key("x")), golden.get(&self.key("target")));
        if self.kind() == TargetKind::Labels {
            Dataset::classification(&x, target.iter()).unwrap()
        } else {
            let target = target.view().into_dimensionality::<ndarray::Ix2>().unwrap();
            Dataset::regression(&x, &target).unwrap()
        }
    }

    fn batch(&self, golden: &Golden) -> usize {
        golden.values(&self.key("batch_size"))[0] as usize
    }

    /// The network with its initial parameters, set by name.
    fn mlp(&self, golden: &Golden, device: &Device) -> Mlp {
        let init = golden.under(&self.key("init/"));
        let find = |name: String| init.iter().find(|(n, _)| *n == name).map(|(_, array)| array);
        let inputs = golden.get(&self.key("x")).shape()[1];
        let mut builder = Mlp::builder(inputs);
        for (i, &activation) in self.activations.iter().enumerate() {
            let weight = find(format!("layers.{i}.weight")).unwrap();
            let bias = find(format!("layers.{i}.bias")).is_some();
            let layer = wgrad::Dense::new(weight.shape()[1], activation);
            builder = builder.layer(layer.bias(bias));
        }
        let mut mlp = builder.build(device).unwrap();
        assert_eq!(mlp.parameter_names().len(), init.len(), "{}", self.name);
        for (name, values) in &init {
            mlp.set_parameter(name, &values.mapv(|x| x as f32)).unwrap();
        }
        mlp
    }

    /// The steps of the whole and of the short last batch of these data.
    fn steps(&self, mlp: &Mlp, data: &Dataset, batch: usize) -> Vec<Step> {
        let columns = self.kind().columns(data.outputs());
        let rest = data.len() % batch;
        let batches = [batch, rest].into_iter().filter(|&batch| batch != 0);
        let sources =
            || [data.inputs(), columns].map(|cols| Source { cols, parts: vec![data.len()] });
        let network = || mlp.network().clone();
        let step = |batch| Step {
            slots: STEPS,
            ..Step::new(network(), self.loss, Some(self.optimizer), batch, sources())
        };
        batches.map(step).collect()
    }
}

fn for_each_case(test: impl Fn(&Case, &Golden, &Device, &str)) {
    let golden = Golden::read("training_steps");
    for device in devices() {
        for case in cases() {
            test(&case, &golden, device, &format!("{} on {device}", case.name));
        }
    }
}

fn assert_parameters(mlp: &Mlp, case: &Case, golden: &Golden, when: &str, context: &str) {
    for (name, want) in golden.under(&case.key(&format!("{when}/"))) {
        let got = mlp.parameter(&name).unwrap();
        assert_eq!(got.shape(), want.shape(), "{context}, {name}");
        let (got, want): (Vec<f32>, Vec<f64>) =
            (got.iter().copied().collect(), want.iter().copied().collect());
        assert_near(format!("{context}, {name} {when}"), &got, &want, RELATIVE, ABSOLUTE);
    }
}

#[test]
fn gradients_of_the_first_step_are_pytorchs() {
    for_each_case(|case, golden, device, context| {
        let (mlp, data) = (case.mlp(golden, device), case.data(golden));
        let first = data.take(case.batch(golden)).unwrap();
        let gradients = Trainer::new(case.loss, case.optimizer).gradients(&mlp, &first).unwrap();
        let loss = golden.values(&case.key("losses"))[0];
        assert_near(format!("{context}, loss"), &[gradients.loss], &[loss], RELATIVE, 0.0);
        let want = golden.under(&case.key("grad1/"));
        assert_eq!(want.len(), gradients.by_name.len(), "{context}");
        for (name, want) in want {
            let got = &gradients.by_name[&name];
            assert_eq!(got.shape(), want.shape(), "{context}, {name}");
            let (got, want): (Vec<f32>, Vec<f64>) =
                (got.iter().copied().collect(), want.iter().copied().collect());
            assert_near(format!("{context}, gradient {name}"), &got, &want, RELATIVE, 1e-7);
        }
        // Asking for gradients moves nothing.
        assert_parameters(&mlp, case, golden, "init", context);
    });
}

#[test]
fn the_trainer_takes_pytorchs_steps() {
    for_each_case(|case, golden, device, context| {
        let (data, batch) = (case.data(golden), case.batch(golden));
        let trainer = || {
            Trainer::new(case.loss, case.optimizer)
                .batch_size(batch)
                .shuffle(false)
                .record_steps(true)
        };
        let mut mlp = case.mlp(golden, device);
        trainer().epochs(1).fit(&mut mlp, &data.take(batch).unwrap()).unwrap();
        assert_parameters(&mlp, case, golden, "after1", context);

        // Ten steps may end inside an epoch: the losses of the whole epochs beyond are not stored.
        let epochs = STEPS.div_ceil(data.len().div_ceil(batch));
        let mut mlp = case.mlp(golden, device);
        let history = trainer().epochs(epochs).fit(&mut mlp, &data).unwrap();
        let want = golden.values(&case.key("losses"));
        let got = &history.step_losses[..STEPS];
        assert_near(format!("{context}, losses"), got, &want, RELATIVE, ABSOLUTE);

        // Where no batch is short, ten batches laid end to end are one epoch of ten steps.
        if data.len() % batch == 0 {
            let rows: Vec<usize> = (0..data.len()).cycle().take(STEPS * batch).collect();
            let mut mlp = case.mlp(golden, device);
            trainer().epochs(1).fit(&mut mlp, &data.select(&rows).unwrap()).unwrap();
            assert_parameters(&mlp, case, golden, "after10", context);
        }
    });
}

/// The short batch ends the epoch, so that after ten steps only a program run by hand can be stopped.
#[test]
fn the_program_run_op_by_op_takes_pytorchs_steps() {
    for_each_case(|case, golden, device, context| {
        let (data, batch) = (case.data(golden), case.batch(golden));
        let mut mlp = case.mlp(golden, device);
        let stepper = Stepper::new(&mlp, &case.steps(&mlp, &data, batch));
        stepper.write_parts("features", &data.features().iter().copied().collect::<Vec<f32>>());
        let targets: Vec<f32> = match (data.labels(), data.values()) {
            (Some(labels), _) => labels.iter().map(|&label| f32::from_bits(label)).collect(),
            (_, values) => values.unwrap().iter().copied().collect(),
        };
        stepper.write_parts("targets", &targets);

        let an_epoch = data.len().div_ceil(batch);
        for step in 0..STEPS {
            let first_row = (step % an_epoch) * batch;
            let coefficients =
                case.optimizer.coefficients(step as u64 + 1, case.optimizer.learning_rate());
            let (first, slot) = (first_row as u32, step as u32);
            let args = StepArgs { first_row: first, slot, coefficients, ..StepArgs::default() };
            stepper.run(usize::from(data.len() - first_row < batch), args);
        }
        let losses = stepper.read(names::LOSSES);
        let want = golden.values(&case.key("losses"));
        assert_near(format!("{context}, losses"), &losses, &want, RELATIVE, ABSOLUTE);
        let flat = stepper.read(names::PARAMETERS);
        for parameter in mlp.network().parameters() {
            let shape = mlp.parameter(&parameter.name).unwrap().raw_dim();
            let values = flat[parameter.range()].to_vec();
            let values = ndarray::ArrayD::from_shape_vec(shape, values).unwrap();
            mlp.set_parameter(&parameter.name, &values).unwrap();
        }
        assert_parameters(&mlp, case, golden, "after10", context);
    });
}
