//! The passes of small networks, against the program that they stand for.

use super::super::instruction::Instruction;
use super::super::turn::turn;
use super::{ROWS, Step, run_program, step_of};
use crate::device::Device;
use crate::mlp::{Dense, Mlp, MlpBuilder};
use crate::nn::{Activation, Loss, TargetKind};
use crate::op::{Op, View};
use crate::optim::Sgd;
use crate::program::{Program, Share, Source, names};

/// Whether a pass of the step is turned.
fn is_turned(program: &Program) -> bool {
    turn(program).iter().any(|instruction| matches!(instruction, Instruction::Turned(_)))
}

/// The program of a step; without an optimizer it leaves gradients, and still nothing that is between layers.
fn lower(step: &Step) -> Program {
    let mut program = step.lower().expect("the step is sound");
    for spec in &mut program.buffers {
        spec.transient |= names::is_between_layers(&spec.name);
    }
    program
}

/// Asserts that a step is turned, and leaves what its program does; sums in another order differ by rounding.
fn check(step: &Step) {
    let what = format!("{step:?}");
    let program = lower(step);
    assert!(is_turned(&program), "{what}");
    let device = Device::cpu_with_threads(1);
    let run = |whole| run_program(&device, step, &program, whole);
    let [program, turned] = [false, true].map(run);
    assert_eq!(program.len(), turned.len());
    for ((name, a), (_, b)) in program.iter().zip(&turned) {
        if name == names::ORDER {
            continue;
        }
        let [a, b] = [a, b].map(|bits| bits.iter().map(|x| f32::from_bits(*x)));
        let most = a.clone().fold(0.0, |most: f32, x| most.max(x.abs()));
        for (i, (a, b)) in a.zip(b).enumerate() {
            assert!((a - b).abs() <= 2e-5 * most, "{name}, word {i}: {b} instead of {a}; {what}");
        }
    }
}

fn gradients(network: MlpBuilder, batch: usize) -> Step {
    step_of(network, None, batch)
}

#[test]
fn every_activation_has_the_gradients_of_the_program() {
    for activation in Activation::ALL {
        let network = Mlp::builder(3).hidden(9, activation).hidden(5, activation);
        for outputs in [1, 2] {
            let last = network.clone().layer(Dense::new(outputs, activation));
            check(&gradients(last, 21));
        }
    }
}

#[test]
fn every_loss_has_the_gradients_of_the_program() {
    let lasts = [Activation::Identity, Activation::Sigmoid, Activation::LogSigmoid];
    for loss in Loss::ALL {
        let last = lasts.into_iter().find(|last| loss.check_output(*last).is_ok());
        let last = last.expect("each takes one of them");
        for outputs in [1, 3] {
            for target_kind in [TargetKind::Values, TargetKind::Labels] {
                if !loss.accepts(target_kind) {
                    continue;
                }
                let network =
                    Mlp::builder(4).hidden(6, Activation::Tanh).layer(Dense::new(outputs, last));
                let mut step = Step { loss, target_kind, ..gradients(network, 19) };
                if target_kind == TargetKind::Labels {
                    step.targets = Source::divided(ROWS, 1, usize::MAX);
                }
                check(&step);
            }
        }
    }
}

/// Around vectors, tiles and blocks, by dot products and by tiles.
#[test]
fn every_shape_has_the_gradients_of_the_program() {
    for (i, units) in [1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 33, 49].into_iter().enumerate() {
        for batch in [8, 15, 16, 17, 47, 48, 49, 255, 256, 257, ROWS] {
            let inputs = [1, 2, 7, 16, 33, 128][(i + batch) % 6];
            let network = Mlp::builder(inputs).hidden(units, Activation::Softsign);
            let network = network.hidden((units * 5 + batch) % 19 + 1, Activation::Tanh);
            check(&gradients(network.output(1 + batch % 3), batch));
        }
    }
    let wide = || Mlp::builder(9).hidden(256, Activation::Tanh);
    check(&gradients(wide().output(1), 60));
    check(&gradients(Mlp::builder(5).output(7), 1));
    check(&gradients(Mlp::builder(5).output(1), 3));
}

#[test]
fn every_kind_of_step_is_that_of_the_program() {
    let network = || Mlp::builder(4).hidden(6, Activation::Gelu).hidden(3, Activation::Relu);
    let step = gradients(network().output(2), 33);
    check(&Step { order: None, ..step.clone() });
    // One block of rows, and two.
    for step in [&step, &gradients(network().output(2), ROWS)] {
        check(&Step { weights: Some(Source::divided(ROWS, 2, usize::MAX)), ..step.clone() });
    }
    let loss = Loss::BceWithLogits;
    check(&Step { loss, positive_weights: true, ..step.clone() });
    check(&Step { share: Share { rows: 66, first: false, last: false }, ..step });
    check(&gradients(network().bias(false).output(2), 33));
    for optimizer in [Sgd::new(0.1), Sgd::new(0.1).momentum(0.9).nesterov()] {
        check(&step_of(network().output(2), Some(optimizer.into()), 33));
    }
}

#[test]
fn what_is_large_or_looked_at_is_not_turned() {
    let network = |inputs, units| Mlp::builder(inputs).hidden(units, Activation::Tanh).output(1);
    let lower = |network, batch| lower(&gradients(network, batch));
    assert!(is_turned(&lower(network(128, 50), 64)));
    assert!(!is_turned(&lower(network(129, 50), 64)), "wide inputs");
    assert!(!is_turned(&lower(network(3, 257), 64)), "more units than can be turned");
    assert!(!is_turned(&lower(network(128, 200), 128)), "a product that threads share");
    assert!(!is_turned(&lower(network(30, 50), 7)), "vectors that are half empty");
    assert!(is_turned(&lower(network(8, 8), 1)), "a few weights");

    let program = lower(network(8, 8), 20);
    for name in ["output.0", "delta.0", "output.1", "delta.1"] {
        let buffer = program.buffer(name).expect("the program has it");
        let mut kept = program.clone();
        kept.buffers[buffer].transient = false;
        assert!(!is_turned(&kept), "{name} is kept");
        let whole = crate::op::Shape::new(1, program.buffers[buffer].words);
        let fill = Op::Fill { value: 0.0, output: View::new(buffer, whole) };
        for at in 0..=program.ops.len() {
            let mut used = program.clone();
            used.ops.insert(at, fill);
            assert!(!is_turned(&used), "{name} is used at {at}");
        }
    }
    // Any other operand of any of its instructions.
    let program = lower(Mlp::builder(8).hidden(8, Activation::Tanh).output(8), 20);
    let other = |view: View| View { buffer: view.buffer + 1, ..view };
    for at in 0..program.ops.len() {
        let mut changed = program.clone();
        match &mut changed.ops[at] {
            Op::Dense { input, .. } if at > 0 => input.source = other(input.source),
            Op::Dense { activation, .. } => *activation = Activation::Relu,
            Op::Loss { activation, .. } => *activation = Activation::Sigmoid,
            Op::Record { row_losses, .. } => *row_losses = other(*row_losses),
            Op::Gradient { delta, .. } => *delta = other(*delta),
            Op::Backward { weight, .. } => weight.offset = 0,
            _ => continue,
        }
        assert!(!is_turned(&changed), "another operand of instruction {at}");
    }
    let dropout = Mlp::builder(8).hidden(8, Activation::Tanh).dropout(0.5).output(1);
    let step = Step { seed: Some(1), ..gradients(dropout, 20) };
    assert!(!is_turned(&super::turned::lower(&step)), "dropout between layers");
}
