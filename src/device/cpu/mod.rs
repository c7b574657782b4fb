//! The CPU backend: executes instructions as plain Rust, in order, on the caller's thread.
//!
//! It is the meaning of every kernel and what users without a GPU train on. Matrix products go to
//! [`gemm`]; everything else is loops that the compiler turns into vector code, for the widest
//! vectors that the processor has (`vectorize`). A step allocates nothing: buffers are moved
//! between the owner and the executor, and scratch memory is made when a program is compiled.

mod chunks;
mod crew;
mod executable;
mod fold;
mod fuse;
mod gemm;
mod guard;
mod instruction;
mod memory;
mod ops;
mod pool;
mod room;
mod share;
#[cfg(test)]
mod tests;
mod tuner;
mod turn;
mod vectorize;

use std::num::NonZero;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::thread;

pub(crate) use memory::Memory;

use self::crew::Crew;
use self::executable::CpuExecutable;
use self::instruction::Instruction;
use self::memory::{Bank, Memories, Words};
use self::pool::Pool;
use self::tuner::Tuners;
use super::{
    Backend, DeviceInfo, DeviceKind, Executable, HostMemory, Limits, Meter, Pending, Profiler,
    Storage,
};
use crate::error::{Error, Result};
use crate::op::{Op, StepArgs};
use crate::program::Program;
use crate::stopwatch::Stopwatch;

/// The one CPU of the process.
pub(crate) fn backend() -> Arc<dyn Backend> {
    static CPU: OnceLock<Arc<Cpu>> = OnceLock::new();
    CPU.get_or_init(|| Cpu::new(thread::available_parallelism().map_or(1, NonZero::get))).clone()
}

/// The CPU with a number of threads of its own.
pub(crate) fn backend_with_threads(threads: usize) -> Arc<dyn Backend> {
    Cpu::new(threads)
}

fn info() -> DeviceInfo {
    let unlimited = isize::MAX as u64;
    DeviceInfo {
        id: "cpu".into(),
        name: format!("{} with {}{}", std::env::consts::ARCH, vectorize::level(), gemm::unit()),
        backend: "cpu".into(),
        kind: DeviceKind::Cpu,
        driver: String::new(),
        limits: Limits {
            max_buffer_bytes: unlimited,
            max_binding_bytes: unlimited,
            max_workgroup_bytes: 0,
            max_workgroup_threads: 0,
        },
    }
}

/// The CPU as a device.
#[derive(Debug)]
struct Cpu {
    info: DeviceInfo,
    meter: Arc<Meter>,
    profiler: Arc<Profiler>,
    pool: Arc<Pool>,
    tuners: Arc<Tuners>,
}

impl Cpu {
    fn new(threads: usize) -> Arc<Self> {
        let (meter, profiler, tuners) = (Arc::default(), Arc::default(), Arc::default());
        Arc::new(Self { info: info(), meter, profiler, pool: Arc::new(Pool::new(threads)), tuners })
    }
}

/// Executes an instruction, by the clock if somebody profiles.
fn execute(
    instruction: &mut Instruction,
    bank: &mut Bank,
    args: &StepArgs,
    crew: &mut Crew,
    profiler: &Profiler,
) -> Result<()> {
    if !profiler.is_on() {
        return ops::execute(instruction, bank, args, crew);
    }
    let watch = Stopwatch::start();
    let result = ops::execute(instruction, bank, args, crew);
    profiler.add(instruction.timed(), watch.seconds());
    result
}

/// The memory behind a storage of this backend.
fn memory(storage: &Storage) -> &Memory {
    match storage {
        Storage::Cpu(memory) => memory,
        #[cfg(feature = "gpu")]
        Storage::Gpu(_) => unreachable!("the device has checked that its buffers are its own"),
    }
}

impl HostMemory for Cpu {
    fn look(&self, storage: &Storage, range: Range<usize>, see: &mut dyn FnMut(&[f32])) {
        see(&memory(storage).lock().look()[range]);
    }
}

impl Backend for Cpu {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn profiler(&self) -> Result<&Profiler> {
        Ok(&self.profiler)
    }

    fn allocate(&self, words: usize) -> Result<Storage> {
        // Whether there is room is asked now, and it is taken when somebody needs it.
        Vec::<f32>::new().try_reserve_exact(words).map_err(|_| Error::Device {
            operation: "allocate",
            device: self.info.id.clone(),
            reason: format!("there is no memory for {words} words"),
        })?;
        Meter::add(&self.meter.allocations, 1);
        Ok(Storage::Cpu(Memory::new(Words::Zeros(words))))
    }

    fn upload(&self, words: Arc<Vec<f32>>) -> Result<Storage> {
        Meter::add(&self.meter.allocations, 1);
        Meter::add(&self.meter.uploads, 1);
        Ok(Storage::Cpu(Memory::new(Words::Shared(words))))
    }

    fn write(&self, storage: &Storage, offset: usize, words: &[f32]) -> Result<()> {
        Meter::add(&self.meter.uploads, 1);
        let mut target = memory(storage).lock();
        target.own()[offset..offset + words.len()].copy_from_slice(words);
        Ok(())
    }

    fn read<'a>(&'a self, ranges: &'a [(&'a Storage, Range<usize>)]) -> Pending<'a, Vec<Vec<f32>>> {
        Meter::add(&self.meter.readbacks, 1);
        let copy = |(storage, range): &(&Storage, Range<usize>)| {
            memory(storage).lock().look()[range.clone()].to_vec()
        };
        let parts = ranges.iter().map(copy).collect();
        Box::pin(std::future::ready(Ok(parts)))
    }

    fn host(&self) -> Option<&dyn HostMemory> {
        Some(self)
    }

    fn execute(&self, op: &Op, buffers: &[&Storage], args: &StepArgs) -> Result<()> {
        let memories = buffers.iter().map(|storage| memory(storage).clone()).collect();
        Memories::new(memories).used_by(op.operands()).check_out(|bank| {
            let mut crew = Crew::new(Arc::clone(&self.pool));
            let mut instruction = Instruction::Alone(*op);
            ops::reserve(&mut crew, [&instruction]);
            execute(&mut instruction, bank, args, &mut crew, &self.profiler)
        })
    }

    fn compile(&self, programs: &[Program], buffers: &[Storage]) -> Result<Box<dyn Executable>> {
        let memories = buffers.iter().map(|storage| memory(storage).clone()).collect();
        Ok(Box::new(CpuExecutable::new(self, programs, memories)))
    }

    fn side_by_side(&self, count: usize, work: &(dyn Fn(usize) + Sync)) -> bool {
        let threads = self.pool.threads() > 1;
        if threads {
            self.pool.for_each(self.pool.threads(), 0..count, |_, number| work(number));
        }
        threads
    }

    fn synchronize(&self) -> Pending<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}
