//! What the benches share: the devices.

use wgrad::Device;

/// The CPU, and the GPU where there is one.
pub fn devices() -> Vec<Device> {
    let gpu = Device::gpu().inspect_err(|error| eprintln!("only the CPU is measured: {error}"));
    [Device::cpu()].into_iter().chain(gpu).collect()
}
