//! Every strategy of a GPU against the program, which is the specification; and what a network that a
//! strategy cannot run is told.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use wgrad::data::Dataset;
use wgrad::device::{Calibration, DeviceKind, Strategy};
use wgrad::nn::{Activation, Loss, TargetKind};
use wgrad::optim::{Adagrad, Adam, Lamb, Optimizer, RmsProp, Sgd};
use wgrad::train::History;
use wgrad::{Dense, Device, Error, Mlp, Trainer};

use super::support::{assert_near, bits, is_cpu};
use crate::common::{Values, devices, losses};

/// A network, its data, and how it is trained.
#[derive(Debug, Clone)]
struct Case {
    inputs: usize,
    layers: Vec<Dense>,
    rows: usize,
    batch: usize,
    loss: Loss,
    kind: TargetKind,
    optimizer: Optimizer,
    epochs: usize,
}

impl Case {
    fn new(inputs: usize, hidden: &[usize], outputs: usize) -> Self {
        let layer = |width: &usize| Dense::new(*width, Activation::Tanh);
        let output = [Dense::new(outputs, Activation::Identity)];
        Self {
            inputs,
            layers: hidden.iter().map(layer).chain(output).collect(),
            rows: 33,
            batch: 8,
            loss: Loss::Mse,
            kind: TargetKind::Values,
            optimizer: Sgd::new(0.1).into(),
            epochs: 2,
        }
    }

    /// A network of three layers with these activations.
    fn activations(activations: [Activation; 3]) -> Self {
        let [a, b, c] = activations;
        let layers = vec![Dense::new(3, a), Dense::new(2, b), Dense::new(2, c)];
        Self { layers, ..Self::new(3, &[], 2) }
    }

    fn data(&self) -> Dataset {
        let mut numbers = Values::new(5);
        let features = numbers.within(1.0, self.rows * self.inputs);
        let outputs = self.outputs();
        match self.kind {
            TargetKind::Labels => {
                let labels = numbers.below(outputs, self.rows);
                let data = Dataset::classification_from_vec(features, self.inputs, labels);
                data.and_then(|data| data.with_classes(outputs)).unwrap()
            }
            _ => {
                let targets = losses::targets(self.loss, &mut numbers, self.rows, outputs);
                Dataset::regression_from_vec(features, self.inputs, targets, outputs).unwrap()
            }
        }
    }

    fn outputs(&self) -> usize {
        self.mlp(&Device::cpu()).network().outputs()
    }

    fn mlp(&self, device: &Device) -> Mlp {
        let builder = Mlp::builder(self.inputs).seed(3);
        self.layers
            .iter()
            .fold(builder, |builder, layer| builder.layer(layer.clone()))
            .build(device)
            .unwrap()
    }

    fn trainer(&self, strategy: Strategy) -> Trainer {
        Trainer::new(self.loss, self.optimizer)
            .batch_size(self.batch)
            .epochs(self.epochs)
            .record_steps(true)
            .strategy(strategy)
    }

    fn run(&self, device: &Device, trainer: Trainer) -> (History, Vec<f32>) {
        let mut mlp = self.mlp(device);
        let history = { trainer }
            .fit(&mut mlp, &self.data())
            .unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let parameters = mlp.parameters().unwrap();
        (history, parameters.values().flat_map(|array| array.iter().copied()).collect())
    }

    /// Fails unless each strategy leaves what the program leaves, but for rounding.
    fn check(&self, device: &Device) {
        let count = self.mlp(device).network().parameter_count();
        let fits = |strategy: &Strategy| *strategy != Strategy::Registers || count <= 128;
        self.check_all(device, fused().filter(fits));
    }

    fn check_all(&self, device: &Device, strategies: impl IntoIterator<Item = Strategy>) {
        let (program, want) = self.run(device, self.trainer(Strategy::Program));
        assert_eq!(program.strategy, Strategy::Program);
        for strategy in strategies {
            let (history, got) = self.run(device, self.trainer(strategy));
            assert_eq!(history.strategy, strategy);
            let what = format!("{strategy} of {self:?}");
            assert_near(&what, &history.step_losses, &program.step_losses, 1e-4, 1e-5);
            assert_near(&what, &got, &want, 1e-4, 2e-5);
        }
    }
}

/// The strategies that do not go instruction by instruction.
fn fused() -> impl Iterator<Item = Strategy> {
    let simple = [Strategy::Auto, Strategy::Program];
    Strategy::ALL.into_iter().filter(move |strategy| !simple.contains(strategy))
}

fn gpus() -> impl Iterator<Item = &'static Device> {
    devices().iter().filter(|device| !is_cpu(device))
}

#[test]
fn ragged_networks_and_minibatches_agree_with_the_program() {
    let networks: [&[usize]; 5] = [&[], &[1], &[13], &[3, 10], &[7, 1, 13]];
    let batches = [1, 2, 31, 32, 33];
    for device in gpus() {
        for i in 0..10 {
            // Each network and each batch twice, in other company.
            let (hidden, batch) = (networks[i % 5], batches[(i + i / 5) % 5]);
            let rows = if batch < 3 { 5 } else { 70 };
            let (inputs, outputs) = ([1, 3, 10][i % 3], [1, 4, 7, 2][i % 4]);
            Case { rows, batch, ..Case::new(inputs, hidden, outputs) }.check(device);
        }
    }
}

#[test]
fn wide_and_deep_networks_agree_with_the_program_in_two_passes() {
    let adam = Optimizer::from(Adam::new(0.01));
    let narrow = Case { optimizer: adam, ..Case::new(130, &[10, 10], 1) };
    let labels = Case {
        loss: Loss::CrossEntropy,
        kind: TargetKind::Labels,
        optimizer: Sgd::new(0.05).momentum(0.9).into(),
        ..Case::new(784, &[50], 10)
    };
    let cases = [
        Case { rows: 70, batch: 33, ..Case::new(1, &[33], 3) },
        Case { rows: 40, batch: 32, ..narrow.clone() },
        Case { rows: 5, batch: 1, ..narrow },
        Case { rows: 100, batch: 64, ..labels },
        Case { rows: 40, batch: 31, ..Case::new(256, &[100, 100], 1) },
        Case { rows: 20, batch: 16, ..Case::new(7, &[130, 3], 20) },
        Case { rows: 40, batch: 40, ..Case::new(5, &[9, 8, 7, 1, 17, 4], 2) },
    ];
    for device in gpus() {
        for case in &cases {
            case.check_all(device, [Strategy::TwoPass]);
        }
    }
}

#[test]
fn every_activation_agrees_with_the_program() {
    let all = Activation::ALL;
    for device in gpus() {
        for i in (0..all.len()).step_by(3) {
            let pick = |j: usize| all[(i + j) % all.len()];
            Case::activations([pick(0), pick(1), pick(2)]).check(device);
        }
    }
}

#[test]
fn every_loss_agrees_with_the_program() {
    for device in gpus() {
        for loss in Loss::ALL {
            let accepts = |activation: &Activation| loss.domain().accepts(*activation);
            let last = Activation::ALL.into_iter().find(accepts).unwrap();
            for kind in losses::kinds(loss) {
                let optimizer = Sgd::new(0.02).into();
                let case = Case::activations([Activation::Tanh, Activation::Relu, last]);
                Case { loss, kind, optimizer, ..case }.check(device);
            }
        }
    }
}

#[test]
fn every_optimizer_agrees_with_the_program() {
    let rmsprop = RmsProp::new(0.01);
    let variants: [Optimizer; 7] = [
        Sgd::new(0.1).momentum(0.9).weight_decay(0.01).into(),
        Sgd::new(0.1).momentum(0.9).nesterov().into(),
        Adam::new(0.01).amsgrad().weight_decay(0.01).into(),
        rmsprop.centered().into(),
        rmsprop.momentum(0.9).into(),
        rmsprop.centered().momentum(0.9).into(),
        Adagrad::new(0.05).into(),
    ];
    let all = Optimizer::all().into_iter().filter(|optimizer| !optimizer.needs_norms());
    for device in gpus() {
        for optimizer in all.clone().chain(variants) {
            Case { optimizer, ..Case::new(2, &[3], 2) }.check(device);
        }
        // Parameters that are treated differently.
        let case =
            Case { optimizer: Adam::new(0.01).weight_decay(0.1).into(), ..Case::new(3, &[7], 2) };
        let groups =
            |strategy| case.trainer(strategy).decay_biases(false).learning_rate_factor(0, 0.3);
        let (_, want) = case.run(device, groups(Strategy::Program));
        for strategy in [Strategy::Persistent, Strategy::TwoPass] {
            let (_, got) = case.run(device, groups(strategy));
            assert_near("groups", &got, &want, 1e-4, 2e-5);
        }
    }
}

#[test]
fn long_runs_agree_with_the_program_and_repeat_bitwise() {
    for device in gpus() {
        for optimizer in [Optimizer::from(Sgd::new(0.05)), Adam::new(0.003).into()] {
            let case = Case { optimizer, epochs: 600, ..Case::new(2, &[5, 3], 1) };
            let (program, _) = case.run(device, case.trainer(Strategy::Program));
            for strategy in fused() {
                let (history, parameters) = case.run(device, case.trainer(strategy));
                let (again, same) = case.run(device, case.trainer(strategy));
                assert_eq!(bits(parameters), bits(same), "{strategy}");
                assert_eq!(
                    bits(history.step_losses),
                    bits(again.step_losses.clone()),
                    "{strategy}"
                );
                let mean = |losses: &[f64]| losses[550..].iter().sum::<f64>() / 50.0;
                let got = mean(&again.train_losses());
                let want = mean(&program.train_losses());
                assert!(got < 0.3 && !((got - want).abs() > 0.02 * want), "{got} {want}");
            }
        }
    }
}

#[test]
fn values_may_lie_outside_of_the_workgroup() {
    for device in gpus() {
        // 1,000 rows of values are more than a workgroup's memory.
        Case { rows: 1_500, batch: 1_000, epochs: 3, ..Case::new(3, &[13], 2) }.check(device);
    }
}

#[test]
fn a_run_that_is_watched_or_resumed_keeps_its_bits() {
    for device in gpus() {
        let case = Case { optimizer: Adam::new(0.01).into(), epochs: 6, ..Case::new(3, &[5], 2) };
        for strategy in fused() {
            let (_, want) = case.run(device, case.trainer(strategy));
            // Each epoch on its own, as a callback has it.
            let watched = case.trainer(strategy).on_epoch(|_| ControlFlow::Continue(()));
            let (_, got) = case.run(device, watched);
            assert_eq!(bits(got), bits(want.clone()), "{strategy}, watched");

            let kept = Rc::new(RefCell::new(None));
            let keep = Rc::clone(&kept);
            let keeping = case.trainer(strategy).epochs(4).on_checkpoint(4, move |checkpoint| {
                *keep.borrow_mut() = Some(checkpoint.clone());
                Ok(())
            });
            case.run(device, keeping);
            let kept = kept.take().expect("there is a checkpoint after four epochs");
            let resumed = case.trainer(strategy).resume_from(kept);
            let (_, got) = case.run(device, resumed);
            assert_eq!(bits(got), bits(want), "{strategy}, resumed");
        }
    }
}

#[test]
fn a_strategy_that_cannot_run_a_training_says_why() {
    let case = Case::new(3, &[5], 2);
    let fails = |device: &Device, case: &Case, trainer: Trainer, why: &[&str]| {
        let result = { trainer }.fit(&mut case.mlp(device), &case.data());
        match result {
            Err(error @ Error::Argument { .. }) => {
                let text = error.to_string();
                assert!(why.iter().all(|part| text.contains(part)), "{why:?}: {text}");
                assert!(text.contains("`auto`"), "{text}");
            }
            other => panic!("{why:?}: {other:?}"),
        }
    };
    for strategy in [Strategy::Persistent, Strategy::TwoPass] {
        let trainer = |case: &Case| case.trainer(strategy);
        let name = strategy.name();
        fails(&Device::cpu(), &case, trainer(&case), &[name, "GPU"]);
        for device in gpus() {
            fails(device, &case, trainer(&case).l2(0.1), &[name, "penalize"]);
            fails(device, &case, trainer(&case).average(0.9), &[name, "average"]);
            fails(device, &case, trainer(&case).accumulate(2), &[name, "accumulates"]);
            fails(device, &case, trainer(&case).freeze(0), &[name, "frozen"]);
            let lamb = Case { optimizer: Lamb::default().into(), ..case.clone() };
            fails(device, &lamb, trainer(&lamb), &[name, "direction"]);
            let soft = Case::activations([Activation::Tanh, Activation::Tanh, Activation::Softmax]);
            fails(device, &soft, trainer(&soft), &[name, "softmax"]);
            let mut dropout = case.clone();
            dropout.layers[0] = Dense::new(5, Activation::Relu).dropout(0.5);
            fails(device, &dropout, trainer(&dropout), &[name, "dropout"]);
        }
    }
    for device in gpus() {
        let wide = Case::new(100, &[100, 100], 10);
        let persistent = wide.trainer(Strategy::Persistent);
        fails(device, &wide, persistent, &["persistent", "narrower layers"]);
    }
}

#[test]
fn the_rule_asks_whether_a_strategy_fits_and_pays() {
    // Whatever the adapter is, and how busy.
    let costs = Calibration::typical(DeviceKind::Software);
    for device in gpus() {
        let choice = |case: &Case| {
            let trainer = case.trainer(Strategy::Auto).calibration(costs);
            let mut trainer = trainer.on_epoch(|_| ControlFlow::Break(()));
            trainer.fit(&mut case.mlp(device), &case.data()).unwrap().strategy
        };
        let small = Case { epochs: 10_000, ..Case::new(2, &[4], 1) };
        assert_eq!(choice(&small), Strategy::Registers);
        assert_eq!(choice(&Case { epochs: 10, ..small }), Strategy::Program);
        let middle = Case { epochs: 10_000, ..Case::new(7, &[20], 1) };
        assert_eq!(choice(&middle), Strategy::Persistent);
        let wide = Case { epochs: 10_000, ..Case::new(100, &[100, 100], 10) };
        assert_eq!(choice(&wide), Strategy::TwoPass);
        assert_eq!(choice(&Case { epochs: 10, ..wide }), Strategy::Program);
        let wider = Case { epochs: 10_000, ..Case::new(3, &[600], 10) };
        assert_eq!(choice(&wider), Strategy::Program);
    }
}
