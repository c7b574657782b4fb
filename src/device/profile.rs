//! Where the time goes: what a device took for each kind of instruction, while somebody asks.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Device;
use crate::error::{Error, Result};
use crate::op::Cost;

/// What a device did while it was profiled; see [`Device::profile`]. Prints as a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// The kernels, those that took longest first.
    pub kernels: Vec<KernelTime>,
}

/// What one kernel took for one kind of instruction, all calls together.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelTime {
    /// The instruction, such as `dense`; or `steps` for a strategy that runs many whole steps at once.
    pub instruction: String,
    /// The kernel that computed it; empty on the CPU.
    pub kernel: String,
    /// How often.
    pub calls: u64,
    /// The seconds of all calls.
    pub seconds: f64,
    /// The floating-point operations: of matrix products the multiplications and additions, of anything
    /// else one for each number read or written. Where an instruction has several kernels they count for
    /// the one that does most of them.
    pub flop: f64,
    /// The bytes that the instruction has to read and write, each number once, counted likewise.
    pub bytes: f64,
}

impl KernelTime {
    /// 10^9 floating-point operations a second.
    #[must_use]
    pub fn gflops(&self) -> f64 {
        1e-9 * self.flop / self.seconds
    }

    /// 10^9 bytes a second.
    #[must_use]
    pub fn gigabytes_per_second(&self) -> f64 {
        1e-9 * self.bytes / self.seconds
    }
}

impl Profile {
    /// The seconds of all kernels.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.kernels.iter().map(|kernel| kernel.seconds).sum()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12} {:<18} {:>8} {:>10} {:>7} {:>9} {:>9}",
            "instruction", "kernel", "calls", "ms", "share", "GFLOP/s", "GB/s"
        )?;
        let all = self.seconds();
        for kernel in &self.kernels {
            writeln!(
                f,
                "{:<12} {:<18} {:>8} {:>10.3} {:>5.1} % {:>9.2} {:>9.2}",
                kernel.instruction,
                kernel.kernel,
                kernel.calls,
                1e3 * kernel.seconds,
                100.0 * kernel.seconds / all,
                kernel.gflops(),
                kernel.gigabytes_per_second()
            )?;
        }
        Ok(())
    }
}

/// What is timed: an instruction, the kernel that computes it, and what that costs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Timed {
    pub(crate) instruction: &'static str,
    pub(crate) kernel: &'static str,
    pub(crate) cost: Cost,
}

#[cfg(feature = "gpu")]
impl Timed {
    /// The same so many times in one call.
    pub(crate) fn times(self, count: u64) -> Self {
        let Cost { flop, bytes } = self.cost;
        Self { cost: Cost { flop: flop * count, bytes: bytes * count }, ..self }
    }
}

/// The times of a device, while it is profiled.
#[derive(Debug, Default)]
pub(crate) struct Profiler {
    on: AtomicBool,
    profile: Mutex<Profile>,
}

impl Profiler {
    /// Whether somebody profiles.
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Adds a call.
    pub(crate) fn add(&self, timed: Timed, seconds: f64) {
        let Timed { instruction, kernel, cost } = timed;
        let kernels = &mut self.lock().kernels;
        let same =
            |other: &&mut KernelTime| other.instruction == instruction && other.kernel == kernel;
        let (flop, bytes) = (cost.flop as f64, cost.bytes as f64);
        match kernels.iter_mut().find(same) {
            Some(time) => {
                time.calls += 1;
                time.seconds += seconds;
                time.flop += flop;
                time.bytes += bytes;
            }
            None => {
                let [instruction, kernel] = [instruction, kernel].map(str::to_owned);
                kernels.push(KernelTime { instruction, kernel, calls: 1, seconds, flop, bytes });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Profile> {
        self.profile.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Profiling under way; ends with it, also where the work panics.
struct Watching<'a>(&'a Profiler);

impl<'a> Watching<'a> {
    fn begin(profiler: &'a Profiler) -> Result<Self> {
        if profiler.on.swap(true, Ordering::Relaxed) {
            let expected = "somebody profiles it already, here or on another thread: wait for that";
            return Err(Error::argument("the device", "busy", expected));
        }
        *profiler.lock() = Profile::default();
        Ok(Self(profiler))
    }

    fn end(self) -> Profile {
        let mut profile = std::mem::take(&mut *self.0.lock());
        profile.kernels.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        profile
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.on.store(false, Ordering::Relaxed);
    }
}

impl Device {
    /// Calls `work` and times every instruction that the device, by whatever handle, executes meanwhile.
    ///
    /// On a GPU by its own timestamps, with a pass and a wait for each instruction, so that `work` as a
    /// whole takes longer than usual; on the CPU by the clock. Results are the same. Devices that are not
    /// profiled pay nothing for that they could be.
    ///
    /// ```
    /// use wgrad::{Device, Tensor};
    ///
    /// let device = Device::cpu();
    /// let a = Tensor::from_array(&device, &ndarray::array![[1.0, 2.0], [3.0, 4.0]])?;
    /// let (product, profile) = device.profile(|| a.matmul(&a))?;
    /// assert_eq!(product?.to_array()?, ndarray::array![[7.0, 10.0], [15.0, 22.0]]);
    /// assert_eq!((profile.kernels[0].instruction.as_str(), profile.kernels[0].calls), ("matmul", 1));
    /// println!("{profile}");
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Device`] for an adapter without timestamps; [`Error::Argument`] if the device is being
    /// profiled already; and the device's.
    pub fn profile<T>(&self, work: impl FnOnce() -> T) -> Result<(T, Profile)> {
        let profiler = self.backend().profiler()?;
        // What is queued already is nobody's question.
        self.synchronize()?;
        let watching = Watching::begin(profiler)?;
        let value = work();
        self.synchronize()?;
        Ok((value, watching.end()))
    }
}
