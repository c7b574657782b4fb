//! What a device has to be able to do: the border between the crate and its two backends.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use super::{Calibration, DeviceInfo, Meter, Precision, Profiler, Strategy};
use crate::error::{Error, Result};
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

/// Networks that are trained side by side: how many, and by how many words the numbers of each lie
/// behind those of the one before, in every buffer; 0 where all share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Members {
    pub(crate) count: usize,
    pub(crate) strides: Vec<usize>,
}

/// How the steps of a training are to be executed.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "the CPU has nothing to choose"))]
pub(crate) struct How {
    pub(crate) strategy: Strategy,
    pub(crate) precision: Precision,
    /// What a strategy is chosen by; none for the device's own.
    pub(crate) calibration: Option<Calibration>,
    /// About how many steps are planned, for which compiling has to pay.
    pub(crate) steps: usize,
}

/// The steps of a training, compiled, and why by this strategy.
pub(crate) struct Compiled {
    pub(crate) executable: Box<dyn Executable>,
    pub(crate) reason: String,
}

/// Why a training stopped before the end of its launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// The slot of the loss of the step that left the numbers of f32; the losses after it are NaN.
    pub(crate) slot: u32,
    /// The first parameter that would not have been finite; none if it was the loss alone.
    pub(crate) parameter: Option<usize>,
}

/// A backend. Storages handed in are its own: [`Device`](super::Device) has checked that, and that
/// instructions fit their buffers.
pub(crate) trait Backend: Send + Sync + fmt::Debug {
    fn info(&self) -> &DeviceInfo;

    fn meter(&self) -> &Meter;

    /// The times of kernels, where they can be measured.
    ///
    /// # Errors
    /// `Device` where they cannot.
    fn profiler(&self) -> Result<&Profiler>;

    /// What a strategy is chosen by, where there is a choice.
    fn calibration(&self) -> Option<Calibration> {
        None
    }

    /// Memory of `words` zeros.
    fn allocate(&self, words: usize) -> Result<Storage>;

    /// Memory that holds `words`. It may share the allocation, and must copy it before writing.
    fn upload(&self, words: Arc<Vec<f32>>) -> Result<Storage>;

    /// Overwrites `words.len()` words from `offset` on, in order with the queued work.
    fn write(&self, storage: &Storage, offset: usize, words: &[f32]) -> Result<()>;

    /// Reads several ranges in one go, after all work queued so far: one wait, however many.
    fn read<'a>(&'a self, ranges: &'a [(&'a Storage, Range<usize>)]) -> Pending<'a, Vec<Vec<f32>>>;

    /// The memory of its buffers, where that is the host's.
    fn host(&self) -> Option<&dyn HostMemory> {
        None
    }

    /// Queues one instruction.
    fn execute(&self, op: &Op, buffers: &[&Storage], args: &StepArgs) -> Result<()>;

    /// Makes everything that running the programs needs: pipelines, bindings, scratch memory.
    fn compile(&self, programs: &[Program], buffers: &[Storage]) -> Result<Box<dyn Executable>>;

    /// How many words each buffer of a training step's programs takes: more will do.
    fn step_words(&self, programs: &[Program], _precision: Precision) -> Vec<usize> {
        let program = programs.first().map_or(&[][..], |program| &program.buffers);
        program.iter().map(|spec| spec.words).collect()
    }

    /// The same for the programs of one training step, by the strategy asked for.
    ///
    /// # Errors
    /// `Argument` for a strategy or a precision that cannot run them, and the device's.
    fn compile_step(
        &self,
        programs: &[Program],
        buffers: &[Storage],
        How { strategy, precision, .. }: How,
    ) -> Result<Compiled> {
        if precision != Precision::F32 {
            return Err(precision.unfit("this device is no GPU"));
        }
        match strategy {
            Strategy::Auto | Strategy::Program => {
                let executable = self.compile(programs, buffers)?;
                Ok(Compiled {
                    executable,
                    reason: "the only one of a device that is no GPU".into(),
                })
            }
            _ => Err(strategy.unfit("this device is no GPU")),
        }
    }

    /// The same for several networks at once, each over its own part of the buffers; none where the
    /// device has no way that is faster than one network after the other. Buffers that hold nothing
    /// from one step to the next may be left as they are.
    ///
    /// # Errors
    /// `Argument` for a strategy that cannot run them, and the device's.
    fn compile_many(
        &self,
        _programs: &[Program],
        _buffers: &[Storage],
        _members: &Members,
        _how: How,
    ) -> Result<Option<Compiled>> {
        Ok(None)
    }

    /// Calls `work` with each number below `count`, several at a time, where the device has threads
    /// for that; else does nothing and says so.
    fn side_by_side(&self, _count: usize, _work: &(dyn Fn(usize) + Sync)) -> bool {
        false
    }

    /// Waits for all queued work.
    fn synchronize(&self) -> Pending<'_, ()>;
}

/// Buffers that the host can look at without copying them.
pub(crate) trait HostMemory {
    /// Shows a range after all work queued so far.
    fn look(&self, storage: &Storage, range: Range<usize>, see: &mut dyn FnMut(&[f32]));
}

/// Programs bound to their buffers.
pub(crate) trait Executable: Send {
    /// Queues the launches, in order. Nothing is allocated a step, compiled, read back or waited
    /// for; what is queued far ahead may make the call wait for the device to catch up.
    fn run(&mut self, launches: &[Launch]) -> Result<()>;

    /// Has steps that update parameters leave them finite: the first one that would not is the last. Gives
    /// whether the device can do that.
    fn watch(&mut self) -> bool {
        false
    }

    /// Why steps were left out since this was last asked, if they are watched.
    fn stopped(&mut self) -> Option<Stopped> {
        None
    }

    /// The same for several networks: the launches of each, all equally long, or one list for all.
    ///
    /// # Errors
    /// `Program` if it was compiled for one network, and the device's.
    fn run_many(&mut self, _lists: &[Vec<Launch>]) -> Result<()> {
        let reason = "the programs were compiled for one network".to_owned();
        Err(Error::Program { op: "train_many", reason })
    }

    /// How the launches are executed.
    fn strategy(&self) -> Strategy {
        Strategy::Program
    }
}
