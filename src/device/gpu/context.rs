//! One opened adapter: its queue, its errors, and waiting for it.
//!
//! wgpu reports most errors late, to a handler; here the handler keeps the first message, and the
//! next call that can fail returns it. Nothing waits without a bound: software drivers have hung.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::{DeviceInfo, Meter, Profiler};
use super::readback::Staging;
use crate::error::{Error, Result};

/// How long one submission may take before the device is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Submissions that may be queued at a time; a further one waits for the oldest.
pub(super) const MAX_IN_FLIGHT: usize = 6;

/// What the driver said, until somebody asks.
#[derive(Debug, Default)]
struct Faults {
    /// The first error that has not been returned yet.
    error: Option<String>,
    /// Why the device is gone; stays.
    lost: Option<String>,
}

/// A device, its queue, and what is known of them.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) info: DeviceInfo,
    pub(super) limits: wgpu::Limits,
    /// The threads of a subgroup, if all have the same and shaders may use them.
    pub(super) subgroup: Option<usize>,
    /// The rows and columns of the matrices of f16 that a subgroup multiplies into f32, if it does.
    pub(super) cooperative: Option<usize>,
    /// Whether shaders may use integers of 64 bits.
    pub(super) long_words: bool,
    pub(super) meter: Meter,
    pub(super) profiler: Profiler,
    /// Whether the adapter tells the time.
    pub(super) timestamps: bool,
    pub(super) staging: Staging,
    faults: Arc<Mutex<Faults>>,
    in_flight: Mutex<VecDeque<wgpu::SubmissionIndex>>,
}

/// Locks, whatever happened to the thread that held the lock before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    pub(super) fn new(
        device: wgpu::Device,
        queue: wgpu::Queue,
        info: DeviceInfo,
        cooperative: Option<usize>,
    ) -> Self {
        let faults = Arc::new(Mutex::new(Faults::default()));
        let heard = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let message = match error {
                wgpu::Error::OutOfMemory { .. } => "the device is out of memory".to_owned(),
                other => other.to_string(),
            };
            lock(&heard).error.get_or_insert(message);
        }));
        let heard = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            lock(&heard).lost.get_or_insert(format!("the device was lost ({reason:?}): {message}"));
        });
        let limits = device.limits();
        let adapter = device.adapter_info();
        let subgroups = device.features().contains(wgpu::Features::SUBGROUP)
            && adapter.subgroup_min_size == adapter.subgroup_max_size;
        let subgroup = subgroups.then_some(adapter.subgroup_min_size as usize);
        let long_words = device.features().contains(wgpu::Features::SHADER_INT64);
        // Where nobody may block, nobody can wait for each kernel.
        let timestamps = device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
            && !cfg!(target_arch = "wasm32");
        let (meter, staging) = (Meter::default(), Staging::default());
        Self {
            device,
            queue,
            info,
            limits,
            subgroup,
            cooperative,
            long_words,
            meter,
            profiler: Profiler::default(),
            timestamps,
            staging,
            faults,
            in_flight: Mutex::default(),
        }
    }

    /// An [`Error::Device`] of this device.
    pub(super) fn failed(&self, operation: &'static str, reason: impl Into<String>) -> Error {
        Error::Device { operation, device: self.info.to_string(), reason: reason.into() }
    }

    /// Returns the error that was reported since the last call, if any.
    pub(super) fn check(&self, operation: &'static str) -> Result<()> {
        let mut faults = lock(&self.faults);
        let message = faults.lost.clone().or_else(|| faults.error.take());
        drop(faults);
        message.map_or(Ok(()), |reason| Err(self.failed(operation, reason)))
    }

    /// A buffer of `words` words, and never of none.
    pub(super) fn buffer(
        &self,
        label: &'static str,
        words: usize,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer> {
        self.make_buffer(label, words, usage, false)
    }

    /// A buffer that holds `words`.
    pub(super) fn buffer_of(
        &self,
        label: &'static str,
        words: &[u8],
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer> {
        let buffer = self.make_buffer(label, words.len() / 4, usage, true)?;
        if !words.is_empty() {
            let bytes = 0..words.len() as u64;
            let mut view = buffer
                .get_mapped_range_mut(bytes)
                .map_err(|error| self.failed("upload", error.to_string()))?;
            view.copy_from_slice(words);
        }
        buffer.unmap();
        self.check("upload")?;
        Meter::add(&self.meter.uploads, 1);
        Ok(buffer)
    }

    fn make_buffer(
        &self,
        label: &'static str,
        words: usize,
        usage: wgpu::BufferUsages,
        mapped_at_creation: bool,
    ) -> Result<wgpu::Buffer> {
        let size = (words.max(4) as u64).saturating_mul(4);
        self.check_size(label, size, usage)?;
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation };
        let buffer = self.device.create_buffer(&descriptor);
        self.check("allocate")?;
        Meter::add(&self.meter.allocations, 1);
        Ok(buffer)
    }

    fn check_size(&self, what: &'static str, bytes: u64, usage: wgpu::BufferUsages) -> Result<()> {
        let binding = if usage.contains(wgpu::BufferUsages::STORAGE) {
            self.limits.max_storage_buffer_binding_size
        } else {
            u64::MAX
        };
        let limit = binding.min(self.limits.max_buffer_size);
        if bytes <= limit {
            return Ok(());
        }
        Err(Error::TooLarge {
            what: format!("a {what} buffer"),
            bytes,
            limit,
            device: self.info.to_string(),
            hint: "use smaller batches or layers, keep the data in several buffers, or use `cpu`",
        })
    }

    /// Hands work to the driver; waits for the oldest piece where many are queued already.
    pub(super) fn submit(&self, commands: Option<wgpu::CommandBuffer>) -> Result<()> {
        let mut in_flight = lock(&self.in_flight);
        while in_flight.len() >= MAX_IN_FLIGHT {
            let oldest = in_flight.pop_front();
            self.wait(oldest)?;
        }
        let index = self.queue.submit(commands);
        in_flight.push_back(index);
        drop(in_flight);
        Meter::add(&self.meter.submissions, 1);
        self.check("submit")
    }

    /// Submits a compute pass.
    pub(super) fn submit_pass(
        &self,
        encode: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) -> Result<()> {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encode(&mut encoder.begin_compute_pass(&Default::default()));
        self.submit(Some(encoder.finish()))
    }

    /// Waits for everything submitted so far, one submission after the other. On the web, where
    /// nobody may block, it returns at once.
    pub(super) fn drain(&self) -> Result<()> {
        loop {
            let Some(oldest) = lock(&self.in_flight).pop_front() else { break };
            self.wait(Some(oldest))?;
        }
        self.wait(None)?;
        self.check("wait")
    }

    fn wait(&self, submission_index: Option<wgpu::SubmissionIndex>) -> Result<()> {
        self.check("wait")?;
        let poll = wgpu::PollType::Wait { submission_index, timeout: Some(PATIENCE) };
        // wgpu panics where the device is lost while it is being waited for.
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(poll))) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(wgpu::PollError::Timeout)) => {
                let seconds = PATIENCE.as_secs();
                Err(self
                    .failed("wait", format!("no progress in {seconds} seconds: the driver hangs")))
            }
            Ok(Err(error)) => Err(self.failed("wait", error.to_string())),
            Err(_) => {
                self.check("wait")?;
                Err(self.failed("wait", "the device was lost"))
            }
        }
    }

    /// Submissions that have not been waited for.
    #[cfg(test)]
    pub(super) fn in_flight(&self) -> usize {
        lock(&self.in_flight).len()
    }
}
