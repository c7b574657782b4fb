//! Compiled programs on the CPU: the ops, their memory, and scratch space made beforehand.

use std::sync::Arc;

use super::memory::{Bank, Memory};
use super::ops::{self, Scratch};
use crate::device::{Backend, Executable, Launch, Meter};
use crate::error::Result;
use crate::op::Op;
use crate::program::Program;

/// Programs bound to host memory.
pub(super) struct CpuExecutable {
    backend: Arc<dyn Backend>,
    programs: Vec<Vec<Op>>,
    memories: Vec<Memory>,
    bank: Bank,
    scratch: Scratch,
}

impl CpuExecutable {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        programs: &[Program],
        memories: Vec<Memory>,
    ) -> Self {
        let programs: Vec<Vec<Op>> = programs.iter().map(|program| program.ops.clone()).collect();
        let all: Vec<Op> = programs.iter().flatten().copied().collect();
        let (bank, scratch) = (Bank::new(&memories), Scratch::for_ops(&all));
        Self { backend, programs, memories, bank, scratch }
    }
}

impl Executable for CpuExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        let Self { backend, programs, memories, bank, scratch } = self;
        Meter::add(&backend.meter().steps, launches.len());
        bank.check_out(memories, |bank| {
            for launch in launches {
                for op in &programs[launch.program] {
                    ops::execute(op, bank, &launch.args, scratch)?;
                }
            }
            Ok(())
        })
    }
}
