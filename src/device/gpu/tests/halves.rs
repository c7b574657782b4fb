//! What a mixed-precision step keeps in f16: half the memory, and the bits of rounding at each fetch.

use super::super::kernels::Halves;
use super::precision::mixed;
use super::{gpus, numbers};
use crate::device::{Buffer, Device, Launch, Precision, Strategy};
use crate::nn::{Activation, Loss, Network};
use crate::op::{Op, Shape, StepArgs, View};
use crate::optim::{Adam, Groups, Lamb, Optimizer, Sgd};
use crate::program::{Program, Source, Step, names};
use crate::{Dense, Mlp};

const ROWS: usize = 40;
const BATCH: usize = 36;
const MIXED: Precision = Precision::Mixed { loss_scale: 512 };

/// A network whose middle layers come in fours, and its first and last do not all.
fn network(activation: Activation) -> Network {
    let widths = [44, 36, 20, 3];
    let build = |builder: crate::MlpBuilder, width| builder.layer(Dense::new(width, activation));
    let builder = widths.into_iter().fold(Mlp::builder(7), build);
    builder.build(&Device::cpu()).unwrap().network().clone()
}

fn step(activation: Activation, optimizer: Optimizer) -> Step {
    let sources = [7, 3].map(|cols| Source { cols, parts: vec![ROWS] });
    Step::new(network(activation), Loss::Mse, Some(optimizer), BATCH, sources)
}

/// The same step where something else writes all that might be kept in f16, so that it is not.
fn unkept(mut program: Program) -> Program {
    let words = |buffer: usize| View::new(buffer, Shape::new(1, program.buffers[buffer].words));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (buffer, spec) in program.buffers.iter().enumerate() {
        if names::is_passed_on(&spec.name) {
            before.push(Op::Fill { value: f32::NAN, output: words(buffer) });
        } else if spec.name == names::PARAMETERS {
            after.push(Op::Clip { limit: f32::MAX, values: words(buffer) });
        }
    }
    program.ops.splice(0..0, before);
    program.ops.extend(after);
    program
}

/// What three steps leave of the parameters, and the words of all buffers.
fn run(device: &Device, step: &Step, program: Program) -> (Vec<f32>, usize) {
    let programs = [program];
    let words = device.step_words(&programs, MIXED);
    let specs = programs[0].buffers.iter().zip(&words).zip(1..);
    let buffers: Vec<Buffer> = specs
        .map(|((spec, &words), seed)| match spec.name.as_str() {
            names::FIRST_MOMENT | names::SECOND_MOMENT => device.allocate(words).unwrap(),
            _ => device.upload(&numbers(words, seed)).unwrap(),
        })
        .collect();
    let mut compiled = device.compile_step(&programs, &buffers, mixed(Strategy::Program)).unwrap();
    let rule = step.optimizer.unwrap();
    for number in 1..=3 {
        let coefficients = rule.coefficients(number, 0.05);
        let args = StepArgs { first_row: 2, coefficients, ..StepArgs::default() };
        compiled.executable.run(&[Launch { program: 0, args }; 2]).unwrap();
    }
    let parameters = programs[0].buffer(names::PARAMETERS).unwrap();
    (buffers[parameters].read().unwrap(), words.iter().sum())
}

#[test]
fn what_is_kept_in_f16_has_the_bits_of_what_is_rounded_when_fetched() {
    let slower = Groups { learning_rate_factors: [(1, 0.5)].into(), ..Groups::default() };
    for device in gpus() {
        for (optimizer, groups) in [
            (Optimizer::from(Sgd::new(0.05)), Groups::default()),
            (Adam::new(0.05).into(), Groups::default()),
            (Adam::new(0.05).into(), slower.clone()),
            // The norms of parameters move them, not an update.
            (Lamb::default().into(), Groups::default()),
        ] {
            let step = Step { groups, ..step(Activation::Relu, optimizer) };
            let program = step.lower().unwrap();
            let none = unkept(program.clone());
            assert!(Halves::of_precision(std::slice::from_ref(&none), MIXED).is_empty());
            let (kept, less) = run(&device, &step, program);
            let (rounded, more) = run(&device, &step, none);
            assert!(kept.iter().all(|x| x.is_finite()));
            let bits = |list: &[f32]| list.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&kept), bits(&rounded), "{optimizer:?}");
            // The activations and deltas of the three hidden layers.
            assert_eq!(more - less, BATCH * (44 + 36 + 20));
        }
    }
}

#[test]
fn derivatives_are_taken_from_what_is_kept() {
    for device in gpus() {
        for activation in [Activation::Tanh, Activation::Sigmoid, Activation::Gelu] {
            let step = step(activation, Sgd::new(0.05).into());
            let program = step.lower().unwrap();
            let (kept, _) = run(&device, &step, program.clone());
            let (rounded, _) = run(&device, &step, unkept(program));
            for (kept, rounded) in kept.iter().zip(&rounded) {
                let near = (kept - rounded).abs() <= 2e-3 * (0.05 + rounded.abs());
                assert!(near, "{activation:?}: {kept}, not {rounded}");
            }
        }
    }
}
