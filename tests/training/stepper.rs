//! Runs a [`Step`]'s program op by op through the public `Device::execute`: the meaning of a step,
//! with every buffer open to be looked at.

use wgrad::op::StepArgs;
use wgrad::program::{Program, Step, names};
use wgrad::{Buffer, Device, Mlp};

/// The programs of steps that differ only in their batch, and their buffers.
pub struct Stepper {
    device: Device,
    programs: Vec<Program>,
    buffers: Vec<Buffer>,
}

impl Stepper {
    /// Lowers the steps, the one with the largest batch first, and sets the parameters to `mlp`'s.
    pub fn new(mlp: &Mlp, steps: &[Step]) -> Self {
        let device = mlp.device().clone();
        let programs: Vec<Program> = steps.iter().map(|step| step.lower().unwrap()).collect();
        let allocate = |spec: &wgrad::program::BufferSpec| device.allocate(spec.words).unwrap();
        let buffers = programs[0].buffers.iter().map(allocate).collect();
        let stepper = Self { device, programs, buffers };
        for parameter in mlp.network().parameters() {
            let values = mlp.parameter(&parameter.name).unwrap();
            let values: Vec<f32> = values.iter().copied().collect();
            stepper.buffer(names::PARAMETERS).write(parameter.offset, &values).unwrap();
        }
        stepper
    }

    pub fn buffer(&self, name: &str) -> &Buffer {
        let at = self.programs[0].buffer(name);
        &self.buffers[at.unwrap_or_else(|| panic!("the program has no buffer {name}"))]
    }

    /// Whether the program has a buffer of this name.
    pub fn has(&self, name: &str) -> bool {
        self.programs[0].buffer(name).is_some()
    }

    pub fn read(&self, name: &str) -> Vec<f32> {
        self.buffer(name).read().unwrap()
    }

    /// Writes a matrix into the buffers `prefix.0`, `prefix.1`, ..., as much as each takes.
    pub fn write_parts(&self, prefix: &str, mut words: &[f32]) {
        for part in 0.. {
            let name = format!("{prefix}.{part}");
            if !self.has(&name) {
                break;
            }
            let (now, rest) = words.split_at(self.buffer(&name).words());
            self.buffer(&name).write(0, now).unwrap();
            words = rest;
        }
        assert!(words.is_empty(), "{} words are left over", words.len());
    }

    /// One step with one of the programs.
    pub fn run(&self, program: usize, args: StepArgs) {
        let buffers: Vec<&Buffer> = self.buffers.iter().collect();
        for op in &self.programs[program].ops {
            self.device.execute(op, &buffers, &args).unwrap();
        }
    }
}
