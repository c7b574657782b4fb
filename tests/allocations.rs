//! What a step costs beside arithmetic: nothing. No heap allocation on the CPU, and on no device a
//! buffer, a wait, or an upload.
//!
//! A binary of its own with a single test: the heap's counter is the process's, and a device's
//! counters are those of all its handles.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::Array2;
use wgrad::data::Dataset;
use wgrad::device::{Counters, DeviceKind, Strategy};
use wgrad::nn::{Activation, Loss, TargetKind};
use wgrad::optim::{Adam, Optimizer, Sgd};
use wgrad::{Device, Mlp, Trainer};

use common::devices;

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are the system's conditions.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ROWS: usize = 120;

/// A network in the shape of one of the benchmark's workloads, with narrower inputs.
struct Workload {
    name: &'static str,
    widths: &'static [usize],
    hidden: Activation,
    loss: Loss,
    optimizer: Optimizer,
}

fn workloads() -> [Workload; 5] {
    use Activation::{Relu, Tanh};
    let sgd = Sgd::new(0.001);
    let (adam, momentum) = (Adam::default().into(), sgd.momentum(0.5).into());
    let workload =
        |name, widths, hidden, loss, optimizer| Workload { name, widths, hidden, loss, optimizer };
    [
        workload("tiny", &[2, 4, 1], Tanh, Loss::Mse, sgd.into()),
        workload("five_points", &[2, 8, 8, 1], Tanh, Loss::Mse, sgd.into()),
        workload("reynolds", &[256, 100, 100, 1], Relu, Loss::Mse, adam),
        workload("mnist", &[196, 50, 10], Relu, Loss::CrossEntropy, momentum),
        workload("wide", &[196, 256, 256, 10], Relu, Loss::CrossEntropy, adam),
    ]
}

impl Workload {
    fn data(&self) -> Dataset {
        let inputs = self.widths[0];
        let value = |(i, j): (usize, usize)| ((i * 31 + j * 17) % 19) as f32 / 19.0;
        let x = Array2::from_shape_fn((ROWS, inputs), value);
        if self.loss.accepts(TargetKind::Labels) {
            Dataset::classification(&x, (0..ROWS).map(|row| row % 10)).unwrap()
        } else {
            Dataset::regression(&x, &x.column(0)).unwrap()
        }
    }

    fn mlp(&self, device: &Device) -> Mlp {
        let (last, hidden) = self.widths[1..].split_last().unwrap();
        let builder = Mlp::builder(self.widths[0]);
        let builder = hidden.iter().fold(builder, |b, &width| b.hidden(width, self.hidden));
        builder.output(*last).build(device).unwrap()
    }

    /// The heap allocations of a fit with one flight an epoch.
    ///
    /// Once after it started this test the harness allocates on its own thread, at any time: the
    /// lesser of two counts is free of that.
    fn allocations(&self, data: &Dataset, batch: usize, epochs: usize) -> u64 {
        let count = || {
            let mut mlp = self.mlp(&Device::cpu());
            let mut trainer = Trainer::new(self.loss, self.optimizer)
                .batch_size(batch)
                .epochs(epochs)
                .on_epoch(|_| ControlFlow::Continue(()));
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            trainer.fit(&mut mlp, data).unwrap();
            ALLOCATIONS.load(Ordering::Relaxed) - before
        };
        count().min(count())
    }
}

/// What eight epochs more allocate is for their flights: ten times the steps change nothing.
fn check_heap(workload: &Workload) {
    let data = workload.data();
    let eight_epochs =
        |batch| workload.allocations(&data, batch, 12) - workload.allocations(&data, batch, 4);
    // Once for what the process makes at first use.
    eight_epochs(60);
    // 2 and 20 steps an epoch; 3 and 18 with a short last batch.
    for [few, many] in [[60, 6], [59, 7]] {
        let (few, many) = (eight_epochs(few), eight_epochs(many));
        assert_eq!(few, many, "{}: allocations of eight epochs", workload.name);
        assert!(few > 0, "the counter counts");
    }
}

/// A device, and how it runs the steps.
#[derive(Clone, Copy)]
struct Way<'a> {
    device: &'a Device,
    strategy: Strategy,
}

/// What a fit with one flight an epoch adds to the device's counters.
fn counted(workload: &Workload, way: Way<'_>, batch: usize, epochs: usize) -> Counters {
    let Way { device, strategy } = way;
    let (mut mlp, data) = (workload.mlp(device), workload.data());
    let mut trainer = Trainer::new(workload.loss, workload.optimizer)
        .strategy(strategy)
        .batch_size(batch)
        .epochs(epochs)
        .on_epoch(|_| ControlFlow::Continue(()));
    let before = device.counters();
    trainer.fit(&mut mlp, &data).unwrap();
    let after = device.counters();
    Counters {
        allocations: after.allocations - before.allocations,
        uploads: after.uploads - before.uploads,
        readbacks: after.readbacks - before.readbacks,
        submissions: after.submissions - before.submissions,
        steps: after.steps - before.steps,
    }
}

/// 4 steps an epoch, and 18: a short last batch in either.
fn check_counters(workload: &Workload, way: Way<'_>) {
    let Way { device, strategy } = way;
    let run = |batch, epochs| counted(workload, way, batch, epochs);
    // Buffers that are read through are kept: the run that reads most makes them.
    run(7, 2);
    let [short, long, finer] = [run(32, 2), run(32, 20), run(7, 2)];
    let context =
        format!("{} on {device}, {strategy}: {short:?}, {long:?}, {finer:?}", workload.name);
    assert_eq!([short.steps, long.steps, finer.steps], [2 * 4, 20 * 4, 2 * 18], "{context}");
    // One a flight, and one before the first: what a run that diverges falls back to.
    assert_eq!([short.readbacks, long.readbacks, finer.readbacks], [3, 21, 3], "{context}");
    // More steps need no more of anything.
    assert_eq!(short.allocations, finer.allocations, "{context}");
    assert_eq!(short.uploads, finer.uploads, "{context}");
    // A flight may need a buffer to be read through where the host cannot see the device's memory, and
    // uploads its row order, the arguments of its steps, and which of them are a dispatch.
    let staging = if device.info().kind == DeviceKind::Cpu { 0 } else { 18 };
    assert!(long.allocations <= short.allocations + staging, "{context}");
    assert!(long.uploads <= short.uploads + 3 * 18, "{context}");
}

#[test]
fn a_step_costs_nothing_but_its_arithmetic() {
    for workload in workloads() {
        check_heap(&workload);
    }
    for device in devices() {
        for workload in workloads() {
            let cpu = device.info().kind == DeviceKind::Cpu;
            let strategies: &[Strategy] = match workload.name {
                _ if cpu => &[Strategy::Program],
                "tiny" => &Strategy::ALL[1..],
                "five_points" => &[Strategy::Program, Strategy::Persistent, Strategy::TwoPass],
                // Software GPUs take seconds for it.
                "wide" => &[],
                _ => &[Strategy::Program, Strategy::TwoPass],
            };
            for &strategy in strategies {
                check_counters(&workload, Way { device, strategy });
            }
        }
    }
}
