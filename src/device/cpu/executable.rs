//! Compiled programs on the CPU: the instructions, their memory, and scratch space made beforehand.

use std::sync::Arc;

use super::Cpu;
use super::crew::Crew;
use super::fuse::{Instruction, fuse};
use super::memory::{Memories, Memory};
use super::ops;
use crate::device::{Executable, Launch, Meter};
use crate::error::Result;
use crate::program::Program;

/// Programs bound to host memory.
pub(super) struct CpuExecutable {
    meter: Arc<Meter>,
    programs: Vec<Vec<Instruction>>,
    memories: Memories,
    crew: Crew,
}

impl CpuExecutable {
    pub(super) fn new(cpu: &Cpu, programs: &[Program], memories: Vec<Memory>) -> Self {
        let mut crew = Crew::new(Arc::clone(&cpu.pool));
        ops::reserve(&mut crew, programs.iter().flat_map(|program| &program.ops));
        let memories = Memories::new(memories, programs.iter().flat_map(|program| &program.ops));
        let fused = |program| fuse(program, |buffer| memories.first(buffer));
        let programs = programs.iter().map(fused).collect();
        Self { meter: Arc::clone(&cpu.meter), programs, memories, crew }
    }
}

impl Executable for CpuExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        let Self { meter, programs, memories, crew } = self;
        Meter::add(&meter.steps, launches.len());
        memories.check_out(|bank| {
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
