//! Two passes keep parameters and moments packed between runs: nobody is to notice.

use std::ops::Range;

use super::{gpus, numbers};
use crate::device::{Buffer, Device, Executable, How, Launch, Precision, Strategy};
use crate::nn::{Activation, Loss};
use crate::op::{Op, Shape, StepArgs, View};
use crate::optim::{Adam, Optimizer};
use crate::program::{Program, Source, Step, names};
use crate::{Dense, Mlp};

const ROWS: usize = 20;
const BATCH: usize = 16;

/// A program with its buffers, whose steps somebody else disturbs.
struct Scene<'a> {
    device: &'a Device,
    program: Program,
    buffers: Vec<Buffer>,
    /// Where its parameters are: what lies between them nobody looks at.
    parameters: Vec<Range<usize>>,
}

impl<'a> Scene<'a> {
    fn new(device: &'a Device) -> Self {
        let builder = Mlp::builder(5).layer(Dense::new(7, Activation::Tanh));
        let mlp = builder.layer(Dense::new(3, Activation::Identity)).build(&Device::cpu()).unwrap();
        let sources = [5, 3].map(|cols| Source { cols, parts: vec![ROWS] });
        let optimizer = Optimizer::from(Adam::default());
        let step = Step::new(mlp.network().clone(), Loss::Mse, Some(optimizer), BATCH, sources);
        let program = step.lower().unwrap();
        let buffer = |(spec, seed): (&crate::program::BufferSpec, u64)| match spec.name.as_str() {
            names::FIRST_MOMENT | names::SECOND_MOMENT => device.allocate(spec.words).unwrap(),
            _ => device.upload(&numbers(spec.words, seed)).unwrap(),
        };
        let buffers = program.buffers.iter().zip(1..).map(buffer).collect();
        let parameters = mlp.network().parameters().into_iter().map(|parameter| parameter.range());
        Self { device, program, buffers, parameters: parameters.collect() }
    }

    fn compile(&self, strategy: Strategy) -> Box<dyn Executable> {
        let how = How { strategy, precision: Precision::F32, calibration: None, steps: 1 };
        let programs = std::slice::from_ref(&self.program);
        self.device.compile_step(programs, &self.buffers, how).unwrap().executable
    }

    fn buffer(&self, name: &str) -> &Buffer {
        &self.buffers[self.program.buffer(name).unwrap()]
    }

    fn read(&self, name: &str) -> Vec<f32> {
        let words: Vec<f32> = self.buffer(name).read().unwrap();
        self.parameters.iter().flat_map(|range| &words[range.clone()]).copied().collect()
    }

    fn write(&self, name: &str, seed: u64) {
        let words = numbers(self.buffer(name).words(), seed);
        self.buffer(name).write(0, &words).unwrap();
    }

    fn fill(&self, name: &str, value: f32) {
        let buffer = self.buffer(name);
        let output = View::new(0, Shape::new(1, buffer.words()));
        self.device.execute(&Op::Fill { value, output }, &[buffer], &StepArgs::default()).unwrap();
    }

    /// What is seen while one executable takes steps, and others read and write its buffers between them.
    fn play(&self, strategy: Strategy) -> Vec<Vec<f32>> {
        let coefficients = Optimizer::from(Adam::default()).coefficients(3, 0.05);
        let launch = Launch { program: 0, args: StepArgs { coefficients, ..StepArgs::default() } };
        let mut executable = self.compile(strategy);
        let mut step = || executable.run(&[launch; 2]).unwrap();
        let mut seen = Vec::new();
        step();
        step();
        seen.push(self.read(names::FIRST_MOMENT));
        step();
        self.write(names::PARAMETERS, 7);
        seen.push(self.read(names::PARAMETERS));
        step();
        self.fill(names::SECOND_MOMENT, 0.25);
        seen.push(self.read(names::SECOND_MOMENT));
        step();
        for other in [Strategy::Program, Strategy::Persistent, strategy] {
            let mut other = self.compile(other);
            other.run(&[launch]).unwrap();
            step();
            other.run(&[launch]).unwrap();
            seen.push(self.read(names::PARAMETERS));
        }
        step();
        drop(executable);
        let all = [names::PARAMETERS, names::FIRST_MOMENT, names::SECOND_MOMENT];
        seen.extend(all.map(|name| self.read(name)));
        seen
    }
}

#[test]
fn buffers_hold_what_the_program_would_leave_whoever_reads_and_writes_them() {
    for device in gpus() {
        let want = Scene::new(&device).play(Strategy::Program);
        let got = Scene::new(&device).play(Strategy::TwoPass);
        assert_eq!(want.len(), got.len());
        for (moment, (want, got)) in want.iter().zip(&got).enumerate() {
            assert_eq!(want.len(), got.len());
            for (i, (want, got)) in want.iter().zip(got).enumerate() {
                let near = (want - got).abs() <= 1e-5 + 1e-4 * want.abs();
                assert!(near, "{device}: word {i} of what is seen at {moment}: {got}, not {want}");
            }
        }
    }
}
