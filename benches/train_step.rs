//! Whole training steps of the workloads, in FLOP: gather, forward, loss, backward, update.
//!
//! The epochs' own seconds are summed: compiling and copying the data is not in them, shuffling and
//! reading the losses back is.
//!
//!     cargo bench --bench train_step -- mnist_50

mod common;
#[path = "../examples/common/workloads.rs"]
mod workloads;

use std::time::Duration;

use common::devices;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wgrad::device::DeviceKind;
use workloads::Workload;

/// Trains for at least `steps` steps and gives the time of as many.
fn train(workload: &Workload, device: &wgrad::Device, steps: u64) -> wgrad::Result<Duration> {
    let data = workload.data()?;
    let mut network = workload.network(device)?;
    let epochs = (steps as usize).div_ceil(workload.steps());
    let history = workload.trainer(epochs).fit(&mut network, &data)?;
    let seconds = history.seconds() / (epochs * workload.steps()) as f64;
    Ok(Duration::from_secs_f64(seconds * steps as f64))
}

fn train_step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("train_step");
    group.sample_size(10);
    for workload in workloads::all() {
        let rows = workload.rows as f64 / workload.steps() as f64;
        group.throughput(Throughput::Elements((workload.flops_per_row() * rows) as u64));
        for device in devices() {
            let hardware = !matches!(device.info().kind, DeviceKind::Cpu | DeviceKind::Software);
            if workload.gpu_only && !hardware {
                continue;
            }
            let finite = train(&workload, &device, 2);
            assert!(finite.is_ok(), "{} on {device}: {finite:?}", workload.id);
            group.bench_function(BenchmarkId::new(workload.id, &device), |bencher| {
                bencher.iter_custom(|steps| {
                    train(&workload, &device, steps).expect("it trained a moment ago")
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, train_step);
criterion_main!(benches);
