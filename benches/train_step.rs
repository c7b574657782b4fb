//! Whole training steps of the workloads, in FLOP: gather, forward, loss, backward, update.
//!
//! The epochs' own seconds are summed: compiling and copying the data is not in them, shuffling and
//! reading the losses back is.
//!
//! `scaling` trains networks from 10^2 to 10^8 parameters times rows on the CPU, in elements of that
//! product: where the cost of a step is linear in it, the rates are alike.
//!
//!     cargo bench --bench train_step -- mnist_50

mod common;
#[path = "../examples/common/workloads.rs"]
mod workloads;

use std::time::Duration;

use common::devices;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wgrad::data::Dataset;
use wgrad::device::DeviceKind;
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Adam;
use wgrad::{Device, Mlp, Trainer};
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

/// Widths and rows whose product with the parameters is about 10^2, 10^3, ... 10^8.
const SIZES: [(usize, usize); 7] =
    [(3, 6), (9, 9), (30, 10), (100, 10), (100, 100), (315, 100), (1000, 100)];

/// A network of one hidden layer, as wide as its inputs, and one minibatch.
fn scaled(width: usize, batch: usize) -> wgrad::Result<(Mlp, Dataset)> {
    let value = |i: usize| (i.wrapping_mul(2_654_435_761) % 2_003) as f32 / 1_001.0 - 1.0;
    let numbers = |count: usize| (0..count).map(value).collect::<Vec<f32>>();
    let data = Dataset::regression_from_vec(numbers(batch * width), width, numbers(batch), 1)?;
    let builder = Mlp::builder(width).hidden(width, Activation::Relu).output(1);
    Ok((builder.build(&Device::cpu())?, data))
}

fn scaling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scaling");
    group.sample_size(10);
    for (width, batch) in SIZES {
        let (mut mlp, data) = scaled(width, batch).expect("the CPU builds networks");
        let size = mlp.network().parameter_count() * batch;
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter_custom(|steps| {
                let mut trainer = Trainer::new(Loss::Mse, Adam::default());
                trainer = trainer.batch_size(batch).epochs(steps as usize);
                let history = trainer.fit(&mut mlp, &data).expect("it trains");
                Duration::from_secs_f64(history.seconds())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, train_step, scaling);
criterion_main!(benches);
