//! Single operations: matrix products in FLOP, elementwise operations and reductions in bytes.
//!
//!     cargo bench --bench tensor -- matmul

mod common;

use std::time::{Duration, Instant};

use common::devices;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wgrad::op::{Axis, Op, Shape, StepArgs, View};
use wgrad::optim::{Adam, Optimizer};
use wgrad::{Buffer, Device, Result, Tensor};

/// An operation on two operands.
type Work = fn(&Tensor, &Tensor) -> Result<Tensor>;

/// A tensor of values between -1 and 1 that are the same on every device.
fn operand(device: &Device, rows: usize, cols: usize) -> Result<Tensor> {
    let value = |i: usize| (i.wrapping_mul(2_654_435_761) % 2_003) as f32 / 1_001.0 - 1.0;
    Tensor::from_slice(device, rows, cols, &(0..rows * cols).map(value).collect::<Vec<f32>>())
}

/// Checks a device's result against the CPU's, so that nothing wrong is timed.
fn validate(device: &Device, work: impl Fn(&Device) -> Result<Tensor>) -> Result<()> {
    let got = work(device)?.to_device(&Device::cpu())?;
    let close = got.all_close(&work(&Device::cpu())?, 1e-3, 1e-3)?;
    assert!(close, "{device} and the CPU disagree: nothing to be timed");
    Ok(())
}

/// The time of `count` repetitions, from an idle device to an idle device.
fn timed(device: &Device, count: u64, work: impl Fn() -> Result<Tensor>) -> Result<Duration> {
    device.synchronize()?;
    let start = Instant::now();
    for _ in 0..count {
        work()?;
    }
    device.synchronize()?;
    Ok(start.elapsed())
}

/// Times one operation on every device, after checking its result there.
fn measure(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    shapes: [(usize, usize); 2],
    throughput: Throughput,
    work: Work,
) {
    let mut group = criterion.benchmark_group(group);
    group.throughput(throughput).sample_size(10);
    for device in devices() {
        let operands = |device: &Device| -> Result<[Tensor; 2]> {
            let [a, b] = shapes.map(|(rows, cols)| operand(device, rows, cols));
            Ok([a?, b?])
        };
        let run = |device: &Device| operands(device).and_then(|[a, b]| work(&a, &b));
        validate(&device, run).expect("the operation runs on every device");
        let [a, b] = operands(&device).expect("the operands fit every device");
        group.bench_function(BenchmarkId::new(name, &device), |bencher| {
            bencher.iter_custom(|count| {
                timed(&device, count, || work(&a, &b)).expect("it ran a moment ago")
            });
        });
    }
    group.finish();
}

fn matmul(criterion: &mut Criterion) {
    for (m, k, n) in [(32, 4096, 100), (64, 784, 50), (512, 512, 512), (1024, 784, 2048)] {
        let flops = Throughput::Elements(2 * (m * k * n) as u64);
        let name = format!("{m}x{k}x{n}");
        measure(criterion, "matmul", &name, [(m, k), (k, n)], flops, |a, b| a.matmul(b));
    }
}

fn elementwise(criterion: &mut Criterion) {
    let shape = (1024, 1024);
    let words = 4 * (shape.0 * shape.1) as u64;
    let list: [(&str, u64, Work); 4] = [
        ("add", 3, |a, b| a.add(b)),
        ("multiply by a scalar", 2, |a, _| a.mul_scalar(0.5)),
        ("relu", 2, |a, _| a.relu()),
        ("tanh", 2, |a, _| a.tanh()),
    ];
    for (name, passes, work) in list {
        let bytes = Throughput::Bytes(passes * words);
        measure(criterion, "elementwise", name, [shape, shape], bytes, work);
    }
}

fn reductions(criterion: &mut Criterion) {
    let shape = (1024, 1024);
    let words = 4 * (shape.0 * shape.1) as u64;
    let list: [(&str, u64, Work); 4] = [
        ("sum of rows", 1, |a, _| a.sum(Axis::Rows)),
        ("sum of columns", 1, |a, _| a.sum(Axis::Columns)),
        ("sum of all", 1, |a, _| a.sum(Axis::All)),
        ("softmax", 2, |a, _| a.softmax()),
    ];
    for (name, passes, work) in list {
        let bytes = Throughput::Bytes(passes * words);
        measure(criterion, "reductions", name, [shape, shape], bytes, work);
    }
}

/// Adam over a million parameters whose gradients are zero, from moments of 1 and from moments below
/// the smallest normal number: both must take the same time.
fn subnormal(criterion: &mut Criterion) {
    const WORDS: usize = 1 << 20;
    let mut group = criterion.benchmark_group("update");
    group.throughput(Throughput::Bytes(28 * WORDS as u64)).sample_size(10);
    let device = Device::cpu();
    for moment in [1.0f32, 1e-40] {
        let buffers = [1.0, 0.0, moment, moment]
            .map(|value| device.upload(&vec![value; WORDS]).expect("there is memory"));
        let buffers: Vec<&Buffer> = buffers.iter().collect();
        let view = |buffer| View::new(buffer, Shape::new(1, WORDS));
        let optimizer = Optimizer::from(Adam::default());
        let update = Op::Update {
            optimizer,
            rate_factor: 1.0,
            parameters: view(0),
            gradients: view(1),
            moments: [Some(view(2)), Some(view(3)), None],
        };
        let coefficients = optimizer.coefficients(1_000, 0.001);
        let args = StepArgs { coefficients, ..StepArgs::default() };
        group.bench_function(BenchmarkId::new("moments", format!("{moment:e}")), |bencher| {
            bencher.iter(|| device.execute(&update, &buffers, &args).expect("it is sound"));
        });
    }
    group.finish();
}

criterion_group!(benches, subnormal, matmul, elementwise, reductions);
criterion_main!(benches);
