//! What the benches share: the devices, operands, and synchronised timing.

use std::time::{Duration, Instant};

use wgrad::{Device, Result, Tensor};

/// The CPU, and the GPU where there is one.
pub fn devices() -> Vec<Device> {
    let gpu = Device::gpu().inspect_err(|error| eprintln!("only the CPU is measured: {error}"));
    [Device::cpu()].into_iter().chain(gpu).collect()
}

/// A tensor of values between -1 and 1 that are the same on every device.
pub fn operand(device: &Device, rows: usize, cols: usize) -> Result<Tensor> {
    let value = |i: usize| (i.wrapping_mul(2_654_435_761) % 2_003) as f32 / 1_001.0 - 1.0;
    Tensor::from_slice(device, rows, cols, &(0..rows * cols).map(value).collect::<Vec<f32>>())
}

/// Checks a device's result against the CPU's, so that nothing wrong is timed.
pub fn validate(device: &Device, work: impl Fn(&Device) -> Result<Tensor>) -> Result<()> {
    let got = work(device)?.to_device(&Device::cpu())?;
    let close = got.all_close(&work(&Device::cpu())?, 1e-3, 1e-3)?;
    assert!(close, "{device} and the CPU disagree: nothing to be timed");
    Ok(())
}

/// The time of `count` repetitions, from an idle device to an idle device.
pub fn timed(device: &Device, count: u64, work: impl Fn() -> Result<Tensor>) -> Result<Duration> {
    device.synchronize()?;
    let start = Instant::now();
    for _ in 0..count {
        work()?;
    }
    device.synchronize()?;
    Ok(start.elapsed())
}
