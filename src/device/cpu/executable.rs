//! Compiled programs on the CPU: the instructions, their memory, and scratch space made beforehand.

use std::sync::Arc;

use super::Cpu;
use super::crew::Crew;
use super::fuse::{Instruction, fuse};
use super::memory::{Bank, Memory};
use super::ops;
use crate::device::{Executable, Launch, Meter};
use crate::error::Result;
use crate::program::Program;

/// Programs bound to host memory.
pub(super) struct CpuExecutable {
    meter: Arc<Meter>,
    programs: Vec<Vec<Instruction>>,
    memories: Vec<Memory>,
    bank: Bank,
    crew: Crew,
}

impl CpuExecutable {
    pub(super) fn new(cpu: &Cpu, programs: &[Program], memories: Vec<Memory>) -> Self {
        let mut crew = Crew::new(Arc::clone(&cpu.pool));
        ops::reserve(&mut crew, programs.iter().flat_map(|program| &program.ops));
        let bank = Bank::new(&memories);
        let programs = programs.iter().map(|program| fuse(program, |i| bank.memory(i))).collect();
        Self { meter: Arc::clone(&cpu.meter), programs, memories, bank, crew }
    }
}

impl Executable for CpuExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        let Self { meter, programs, memories, bank, crew } = self;
        Meter::add(&meter.steps, launches.len());
        bank.check_out(memories, |bank| {
            for launch in launches {
                for instruction in &programs[launch.program] {
                    let Instruction { op, update } = instruction;
                    match update {
                        None => ops::execute(op, bank, &launch.args, crew)?,
                        Some(update) => ops::descend(op, update, bank, &launch.args, crew)?,
                    }
                }
            }
            Ok(())
        })
    }
}
