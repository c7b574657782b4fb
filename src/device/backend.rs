//! What a device has to be able to do: the border between the crate and its two backends.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use super::{DeviceInfo, Meter, Strategy};
use crate::error::Result;
use crate::op::{Op, StepArgs};
use crate::program::Program;

/// A result that is still being computed. Not `Send`: a browser's never are.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// Memory of a device. Cheap to clone: a handle.
#[derive(Clone)]
pub(crate) enum Storage {
    Cpu(super::cpu::Memory),
    #[cfg(feature = "gpu")]
    Gpu(super::gpu::Memory),
}

impl Storage {
    /// Whether both are handles of one memory.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cpu(one), Self::Cpu(two)) => one.is(two),
            #[cfg(feature = "gpu")]
            (Self::Gpu(one), Self::Gpu(two)) => one.is(two),
            #[cfg(feature = "gpu")]
            _ => false,
        }
    }
}

/// One step of a run: which of the compiled programs, and its arguments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Launch {
    pub(crate) program: usize,
    pub(crate) args: StepArgs,
}

/// A backend. Storages handed in are its own: [`Device`](super::Device) has checked that, and that
/// instructions fit their buffers.
pub(crate) trait Backend: Send + Sync + fmt::Debug {
    fn info(&self) -> &DeviceInfo;

    fn meter(&self) -> &Meter;

    /// Memory of `words` zeros.
    fn allocate(&self, words: usize) -> Result<Storage>;

    /// Memory that holds `words`. It may share the allocation, and must copy it before writing.
    fn upload(&self, words: Arc<Vec<f32>>) -> Result<Storage>;

    /// Overwrites `words.len()` words from `offset` on, in order with the queued work.
    fn write(&self, storage: &Storage, offset: usize, words: &[f32]) -> Result<()>;

    /// Reads several ranges in one go, after all work queued so far: one wait, however many.
    fn read<'a>(&'a self, ranges: &'a [(&'a Storage, Range<usize>)]) -> Pending<'a, Vec<Vec<f32>>>;

    /// Queues one instruction.
    fn execute(&self, op: &Op, buffers: &[&Storage], args: &StepArgs) -> Result<()>;

    /// Makes everything that running the programs needs: pipelines, bindings, scratch memory.
    fn compile(&self, programs: &[Program], buffers: &[Storage]) -> Result<Box<dyn Executable>>;

    /// The same for the programs of one training step, by the strategy asked for; about `steps` steps
    /// are planned, for which compiling has to pay.
    ///
    /// # Errors
    /// `Argument` for a strategy that cannot run them, and the device's.
    fn compile_step(
        &self,
        programs: &[Program],
        buffers: &[Storage],
        strategy: Strategy,
        _steps: usize,
    ) -> Result<Box<dyn Executable>> {
        match strategy {
            Strategy::Auto | Strategy::Program => self.compile(programs, buffers),
            _ => Err(strategy.unfit("this device is no GPU")),
        }
    }

    /// Waits for all queued work.
    fn synchronize(&self) -> Pending<'_, ()>;
}

/// Programs bound to their buffers.
pub(crate) trait Executable: Send {
    /// Queues the launches, in order. Nothing is allocated a step, compiled, read back or waited
    /// for; what is queued far ahead may make the call wait for the device to catch up.
    fn run(&mut self, launches: &[Launch]) -> Result<()>;

    /// How the launches are executed.
    fn strategy(&self) -> Strategy {
        Strategy::Program
    }
}
