//! Devices: the CPU, and every GPU that wgpu finds, behind one handle chosen at run time.
//!
//! A [`Device`] is cheap to clone and can be shared between threads. It makes [`Buffer`]s, executes
//! single [`Op`]s and compiles [`Program`]s. Work is queued; only reading waits.

mod backend;
mod buffer;
mod calibration;
mod cpu;
#[cfg(feature = "gpu")]
mod gpu;
mod info;
mod precision;
mod profile;
mod request;
mod strategy;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub(crate) use backend::{
    Backend, Compiled, Executable, HostMemory, How, Launch, Members, Pending, Stopped, Storage,
};
pub use buffer::Buffer;
pub use calibration::{CACHE_VARIABLE, Calibration};
pub(crate) use info::Meter;
pub use info::{Counters, DeviceInfo, DeviceKind, Limits};
pub use precision::Precision;
pub use profile::{KernelTime, Profile};
pub(crate) use profile::{Profiler, Timed};
pub use request::{DEVICE_VARIABLE, DeviceRequest};
pub use strategy::Strategy;

use crate::error::{Error, Result};
use crate::op::{Op, StepArgs};
use crate::program::Program;

/// A device that computes: the CPU or a GPU.
///
/// ```
/// let device: wgrad::Device = "cpu".parse()?;
/// assert_eq!(device.to_string(), "cpu");
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone)]
pub struct Device {
    backend: Arc<dyn Backend>,
}

impl Device {
    /// The CPU: always there.
    #[must_use]
    pub fn cpu() -> Self {
        Self { backend: cpu::backend() }
    }

    /// The CPU with so many threads, at least one: a device of its own, whose buffers are not those
    /// of [`cpu`](Self::cpu), which has a thread for each processor there is.
    ///
    /// That is the most that work at once: how many share the steps of a training is measured while it
    /// runs, as more can be slower. Results are bitwise the same for any number. Threads are started
    /// when there is work for them, and end with the device.
    #[must_use]
    pub fn cpu_with_threads(threads: usize) -> Self {
        Self { backend: cpu::backend_with_threads(threads) }
    }

    /// The best GPU: discrete before integrated before virtual before software.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, or the crate was built without its `gpu` feature;
    /// [`Error::Device`] where the driver refuses.
    pub fn gpu() -> Result<Self> {
        pollster::block_on(Self::open(&DeviceRequest::Gpu(None)))
    }

    /// The device that `auto` stands for: see [`DeviceRequest::Auto`].
    ///
    /// # Errors
    /// Those of the device that the environment variable names, if it is set.
    pub fn auto() -> Result<Self> {
        pollster::block_on(Self::open(&DeviceRequest::Auto))
    }

    /// Opens the device asked for; the form of [`FromStr`] that does not block.
    ///
    /// # Errors
    /// [`Error::UnknownDevice`] with the names there are, [`Error::NoAdapter`], [`Error::Device`].
    pub async fn open(request: &DeviceRequest) -> Result<Self> {
        request::open(request).await
    }

    /// Every device of this machine: the CPU first, then the GPUs in the order of `gpu:0`, `gpu:1`.
    #[must_use]
    pub fn list() -> Vec<DeviceInfo> {
        pollster::block_on(Self::list_async())
    }

    /// [`list`](Self::list), without blocking.
    pub async fn list_async() -> Vec<DeviceInfo> {
        #[cfg(feature = "gpu")]
        let gpus = gpu::list().await;
        #[cfg(not(feature = "gpu"))]
        let gpus = Vec::new();
        [vec![cpu::backend().info().clone()], gpus].concat()
    }

    /// What is known of the device.
    #[must_use]
    pub fn info(&self) -> &DeviceInfo {
        self.backend.info()
    }

    /// What [`Strategy::Auto`] chooses by: what the adapter and its driver take for what training steps
    /// are made of. None for the CPU, which has one strategy.
    ///
    /// The first call in a process, or the first training that has a choice, reads it from a file (see
    /// [`CACHE_VARIABLE`]), or measures for some hundredths of a second and writes one. No error comes of a
    /// file that cannot be read or written; one that was measured while the machine was busy can be
    /// removed. Where measuring fails, and in a browser, these are the [typical](Calibration::typical)
    /// numbers.
    ///
    /// ```
    /// assert_eq!(wgrad::Device::cpu().calibration(), None);
    /// ```
    #[must_use]
    pub fn calibration(&self) -> Option<Calibration> {
        self.backend.calibration()
    }

    /// How often the device has allocated, copied and submitted so far, by all its handles.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.backend.meter().counters()
    }

    /// A new buffer of `words` zeros.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn allocate(&self, words: usize) -> Result<Buffer> {
        let storage = self.backend.allocate(words)?;
        Ok(Buffer::new(self.clone(), storage, words))
    }

    /// A new buffer that holds `words`.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn upload<T: bytemuck::Pod>(&self, words: &[T]) -> Result<Buffer> {
        let bytes: &[u8] = bytemuck::cast_slice(words);
        let words: Vec<f32> = bytemuck::pod_collect_to_vec(bytes);
        self.upload_shared(Arc::new(words))
    }

    /// A new buffer that holds `words`; the CPU keeps the allocation itself.
    pub(crate) fn upload_shared(&self, words: Arc<Vec<f32>>) -> Result<Buffer> {
        let count = words.len();
        Ok(Buffer::new(self.clone(), self.backend.upload(words)?, count))
    }

    /// Executes one instruction over `buffers`, which its views name by their place.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Program`] where the instruction does not fit,
    /// [`Error::DeviceMismatch`] where a buffer is elsewhere, [`Error::Device`].
    pub fn execute(&self, op: &Op, buffers: &[&Buffer], args: &StepArgs) -> Result<()> {
        let words: Vec<usize> = buffers.iter().map(|buffer| buffer.words()).collect();
        op.check(&words)?;
        op.check_args(args)?;
        for buffer in buffers {
            self.same(op.name(), buffer.device())?;
        }
        let storages: Vec<&Storage> = buffers.iter().map(|buffer| buffer.storage()).collect();
        op.check_aliases(|buffer| first_of(&storages, buffer))?;
        self.backend.execute(op, &storages, args)
    }

    /// Prepares programs that share their buffers for being run any number of times.
    pub(crate) fn compile(
        &self,
        programs: &[Program],
        buffers: &[Buffer],
    ) -> Result<Box<dyn Executable>> {
        self.backend.compile(programs, &checked(programs, &sizes(buffers), buffers)?)
    }

    /// How many words each buffer of a training step's programs takes in this precision.
    pub(crate) fn step_words(&self, programs: &[Program], precision: Precision) -> Vec<usize> {
        self.backend.step_words(programs, precision)
    }

    /// The same for the programs of one training step, by the strategy asked for.
    pub(crate) fn compile_step(
        &self,
        programs: &[Program],
        buffers: &[Buffer],
        how: How,
    ) -> Result<Compiled> {
        let mut words = sizes(buffers);
        let specs = programs.first().map_or(&[][..], |program| &program.buffers);
        let taken = self.backend.step_words(programs, how.precision);
        for ((words, spec), taken) in words.iter_mut().zip(specs).zip(taken) {
            // What is kept in f16 fits a shorter buffer than its numbers have words.
            if *words >= taken {
                *words = spec.words.max(*words);
            }
        }
        let storages = checked(programs, &words, buffers)?;
        self.backend.compile_step(programs, &storages, how)
    }

    /// The same for several networks at once, if the device has a way to do so; see
    /// [`Backend::compile_many`].
    pub(crate) fn compile_many(
        &self,
        programs: &[Program],
        buffers: &[Buffer],
        members: &Members,
        how: How,
    ) -> Result<Option<Compiled>> {
        let before = |stride: &usize| members.count.saturating_sub(1).saturating_mul(*stride);
        let own =
            |(buffer, stride): (&Buffer, &usize)| buffer.words().saturating_sub(before(stride));
        let words: Vec<usize> = buffers.iter().zip(&members.strides).map(own).collect();
        let storages = checked(programs, &words, buffers)?;
        self.backend.compile_many(programs, &storages, members, how)
    }

    /// Waits until everything queued so far is done.
    ///
    /// # Errors
    /// [`Error::Device`] if any of it failed.
    pub fn synchronize(&self) -> Result<()> {
        pollster::block_on(self.backend.synchronize())
    }

    /// The largest number of words that one buffer can have.
    pub(crate) fn max_words(&self) -> usize {
        usize::try_from(self.info().limits.max_binding_bytes / 4).unwrap_or(usize::MAX)
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Checks that another operand's device is this one.
    pub(crate) fn same(&self, op: &'static str, other: &Self) -> Result<()> {
        if Arc::ptr_eq(&self.backend, &other.backend) {
            return Ok(());
        }
        Err(Error::DeviceMismatch { op, left: self.to_string(), right: other.to_string() })
    }
}

fn sizes(buffers: &[Buffer]) -> Vec<usize> {
    buffers.iter().map(Buffer::words).collect()
}

/// The memory of buffers of so many words, which every instruction has to fit.
fn checked(programs: &[Program], words: &[usize], buffers: &[Buffer]) -> Result<Vec<Storage>> {
    for op in programs.iter().flat_map(|program| &program.ops) {
        op.check(words)?;
    }
    Ok(buffers.iter().map(|buffer| buffer.storage().clone()).collect())
}

/// The first number that names the same memory as number `buffer`.
fn first_of(storages: &[&Storage], buffer: usize) -> usize {
    let same = |storage: &&Storage| storage.is(storages[buffer]);
    storages.iter().position(same).unwrap_or(buffer)
}

/// The name by which the device can be asked for again: `cpu`, `gpu:0`, ...
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.info().id)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({}, {})", self.info().id, self.info().name)
    }
}

/// Two handles of one device are equal.
impl PartialEq for Device {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.backend, &other.backend)
    }
}

/// Opens `auto`, `cpu`, `gpu`, `gpu:N` or the first adapter whose name contains the text.
impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        pollster::block_on(Self::open(&text.parse()?))
    }
}
