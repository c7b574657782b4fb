//! What is known of a device, and what it has done.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// What kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// The CPU backend.
    Cpu,
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the processor's memory.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// A graphics driver that computes on the CPU, for tests.
    Software,
    /// An adapter that does not say.
    Other,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Discrete => "discrete gpu",
            Self::Integrated => "integrated gpu",
            Self::Virtual => "virtual gpu",
            Self::Software => "software gpu",
            Self::Other => "other",
        })
    }
}

/// What a device allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// The largest part of a buffer that an instruction can use, in bytes.
    pub max_binding_bytes: u64,
    /// The memory a workgroup shares, in bytes; 0 on the CPU.
    pub max_workgroup_bytes: u32,
    /// The threads of a workgroup; 0 on the CPU.
    pub max_workgroup_threads: u32,
}

/// A device's name, kind and limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The name to ask for it by: `cpu`, `gpu:0`, ...
    pub id: String,
    /// The adapter's own name, or the processor's instruction set for the CPU.
    pub name: String,
    /// `cpu`, `vulkan`, `metal`, `dx12` or `webgpu`.
    pub backend: String,
    /// What kind of device.
    pub kind: DeviceKind,
    /// The driver and its version; empty on the CPU.
    pub driver: String,
    /// What the device allows.
    pub limits: Limits,
}

impl fmt::Display for DeviceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({}, {})", self.id, self.name, self.backend, self.kind)
    }
}

/// How often a device has done what costs time, since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Buffers made.
    pub allocations: u64,
    /// Copies from the host.
    pub uploads: u64,
    /// Waits for results, each of which may copy several ranges.
    pub readbacks: u64,
    /// Pieces of work handed to the driver; 0 on the CPU.
    pub submissions: u64,
    /// Steps of compiled programs.
    pub steps: u64,
}

/// The counters of a device while they count.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) allocations: AtomicU64,
    pub(crate) uploads: AtomicU64,
    pub(crate) readbacks: AtomicU64,
    pub(crate) submissions: AtomicU64,
    pub(crate) steps: AtomicU64,
}

impl Meter {
    /// Adds to one of the counters.
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn counters(&self) -> Counters {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            allocations: get(&self.allocations),
            uploads: get(&self.uploads),
            readbacks: get(&self.readbacks),
            submissions: get(&self.submissions),
            steps: get(&self.steps),
        }
    }
}
