//! Compiled programs on the CPU: the instructions, their memory, and scratch space made beforehand.

use std::sync::Arc;

use super::crew::Crew;
use super::fold::fold;
use super::guard::Guard;
use super::instruction::Instruction;
use super::memory::{Memories, Memory};
use super::ops;
use super::share::share;
use super::tuner::{Tuner, Tuners};
use super::{Cpu, execute};
use crate::device::{Executable, Launch, Meter, Profiler, Stopped};
use crate::error::Result;
use crate::op::{Cost, Op, View};
use crate::program::Program;
use crate::stopwatch::Stopwatch;

/// Programs bound to host memory.
pub(super) struct CpuExecutable {
    meter: Arc<Meter>,
    profiler: Arc<Profiler>,
    programs: Vec<Compiled>,
    memories: Memories,
    pub(super) crew: Crew,
    tuned: Tuned,
    /// Whether parameters are to stay finite, and where they would not have.
    watches: bool,
    stopped: Option<Stopped>,
}

/// What executes a program.
struct Compiled {
    instructions: Vec<Instruction>,
    /// Where its losses go, if it updates parameters.
    losses: Option<View>,
}

impl Compiled {
    fn new(program: &Program, instructions: Vec<Instruction>) -> Self {
        let updates = |op: &Op| matches!(op, Op::Update { .. } | Op::TrustStep { .. });
        let losses = program.ops.iter().find_map(|op| match op {
            Op::Record { losses, .. } => Some(*losses),
            _ => None,
        });
        Self { instructions, losses: losses.filter(|_| program.ops.iter().any(updates)) }
    }
}

/// The program by whose steps it is found how many threads make all of them fastest: that which costs most.
struct Tuned {
    program: usize,
    cost: Cost,
    tuner: Tuner,
    /// Where it goes in the end.
    tuners: Arc<Tuners>,
}

impl Tuned {
    fn new(cpu: &Cpu, programs: &[Program]) -> Self {
        let cost = |program: &Program| -> Cost { program.ops.iter().map(Op::cost).sum() };
        let costs = programs.iter().map(cost).enumerate();
        let (program, cost) = costs.max_by_key(|(_, cost)| cost.flop).unwrap_or_default();
        let tuners = Arc::clone(&cpu.tuners);
        Self { program, cost, tuner: tuners.of(cost, cpu.pool.threads()), tuners }
    }

    /// Looks at the clock, if this program's step is to be timed.
    fn watch(&self, program: usize) -> Option<Stopwatch> {
        (program == self.program && self.tuner.has_choice()).then(Stopwatch::start)
    }
}

impl Drop for Tuned {
    fn drop(&mut self) {
        self.tuners.keep(self.cost, &self.tuner);
    }
}

impl CpuExecutable {
    pub(super) fn new(cpu: &Cpu, programs: &[Program], memories: Vec<Memory>) -> Self {
        let memories = Memories::new(memories);
        let first = |buffer| memories.first(buffer);
        let mut lists: Vec<_> =
            programs.iter().map(|program| Instruction::list(program, first)).collect();
        let words = |buffer| memories.words(buffer);
        let folded = fold(programs, &mut lists, words);
        let first = |buffer| {
            let activation = folded.iter().find(|pair| pair.delta == buffer);
            activation.map_or_else(|| first(buffer), |pair| pair.activation)
        };
        let places = share(programs, &lists, first, words);
        let operands = lists.iter().flatten().flat_map(Instruction::operands);
        let keeps =
            |buffer: usize| !programs.iter().any(|program| program.buffers[buffer].transient);
        let memories = memories.placed(places).used_by(operands);
        memories.settle(keeps);
        let mut crew = Crew::new(Arc::clone(&cpu.pool));
        ops::reserve(&mut crew, lists.iter().flatten());
        let (meter, profiler) = (Arc::clone(&cpu.meter), Arc::clone(&cpu.profiler));
        let tuned = Tuned::new(cpu, programs);
        let programs =
            programs.iter().zip(lists).map(|(program, list)| Compiled::new(program, list));
        Self {
            meter,
            profiler,
            programs: programs.collect(),
            memories,
            crew,
            tuned,
            watches: false,
            stopped: None,
        }
    }
}

impl Executable for CpuExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        let Self { meter, profiler, programs, memories, crew, tuned, watches, stopped } = self;
        Meter::add(&meter.steps, launches.len());
        memories.check_out(|bank| {
            for Launch { program, args } in launches {
                let Compiled { instructions, losses } = &mut programs[*program];
                if let (Some(_), Some(losses)) = (&stopped, *losses) {
                    bank.write(losses, |_, losses| losses[args.slot as usize] = f32::NAN);
                    continue;
                }
                let watches = *watches && losses.is_some();
                crew.guard = if watches { Guard::watching() } else { Guard::default() };
                crew.team = tuned.tuner.threads();
                let watch = tuned.watch(*program);
                for instruction in instructions {
                    execute(instruction, bank, args, crew, profiler)?;
                }
                if let Some(watch) = watch {
                    tuned.tuner.see(watch.seconds(), crew.shares());
                }
                if crew.guard.is_closed() {
                    *stopped = Some(Stopped { slot: args.slot, parameter: crew.guard.parameter });
                }
            }
            Ok(())
        })
    }

    fn watch(&mut self) -> bool {
        self.watches = true;
        true
    }

    fn stopped(&mut self) -> Option<Stopped> {
        self.stopped.take()
    }
}
