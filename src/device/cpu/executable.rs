//! Compiled programs on the CPU: the instructions, their memory, and scratch space made beforehand.

use std::sync::Arc;

use super::crew::Crew;
use super::instruction::Instruction;
use super::memory::{Memories, Memory};
use super::ops;
use super::share::share;
use super::{Cpu, execute};
use crate::device::{Executable, Launch, Meter, Profiler};
use crate::error::Result;
use crate::program::Program;

/// Programs bound to host memory.
pub(super) struct CpuExecutable {
    meter: Arc<Meter>,
    profiler: Arc<Profiler>,
    programs: Vec<Vec<Instruction>>,
    memories: Memories,
    crew: Crew,
}

impl CpuExecutable {
    pub(super) fn new(cpu: &Cpu, programs: &[Program], memories: Vec<Memory>) -> Self {
        let memories = Memories::new(memories);
        let first = |buffer| memories.first(buffer);
        let lists: Vec<_> =
            programs.iter().map(|program| Instruction::list(program, first)).collect();
        let places = share(programs, &lists, first, |buffer| memories.words(buffer));
        let operands = lists.iter().flatten().flat_map(Instruction::operands);
        let memories = memories.placed(places).used_by(operands);
        let mut crew = Crew::new(Arc::clone(&cpu.pool));
        ops::reserve(&mut crew, lists.iter().flatten());
        let (meter, profiler) = (Arc::clone(&cpu.meter), Arc::clone(&cpu.profiler));
        Self { meter, profiler, programs: lists, memories, crew }
    }
}

impl Executable for CpuExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        let Self { meter, profiler, programs, memories, crew } = self;
        Meter::add(&meter.steps, launches.len());
        memories.check_out(|bank| {
            for launch in launches {
                for instruction in &mut programs[launch.program] {
                    execute(instruction, bank, &launch.args, crew, profiler)?;
                }
            }
            Ok(())
        })
    }
}
