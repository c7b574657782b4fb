//! A long run in one `fit`: memory does not grow with the steps, nothing is waited for more than once
//! an epoch, and whoever watches sees each epoch when it is done.
//!
//! A binary of its own with a single test: memory is the process's, and a device's counters are those of
//! all its handles.

mod common;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use wgrad::data::Dataset;
use wgrad::device::{Counters, DeviceKind, Strategy};
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Adam;
use wgrad::{Device, Mlp, Trainer};

use common::{Values, devices};

const STEPS_AN_EPOCH: usize = 1_000;
const BATCH: usize = 2;

/// By how much the process may grow from a fifth of a run on: 100 bytes a step of the longest, where
/// what a step leaves behind by mistake (a buffer, a command, its arguments) is larger.
const GROWTH: u64 = 8 << 20;

/// What was seen after an epoch.
struct Seen {
    counters: Counters,
    resident: Option<u64>,
}

/// The bytes of the process in memory, where the system says.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(1024 * line.trim().trim_end_matches(" kB").parse::<u64>().ok()?)
}

fn data() -> Dataset {
    let rows = STEPS_AN_EPOCH * BATCH;
    let features = Values::new(1).within(1.0, 2 * rows);
    let targets: Vec<f32> = features.chunks(2).map(|x| x[0] * x[1]).collect();
    Dataset::regression_from_vec(features, 2, targets, 1).unwrap()
}

/// Trains for so many epochs, and gives what there was before, and what was seen after each epoch.
fn run(device: &Device, strategy: Strategy, epochs: usize) -> (Counters, Vec<Seen>) {
    let mut mlp =
        Mlp::builder(2).hidden(4, Activation::Tanh).output(1).seed(0).build(device).unwrap();
    let seen = Rc::new(RefCell::new(Vec::with_capacity(epochs)));
    let (log, watched) = (Rc::clone(&seen), device.clone());
    let mut trainer = Trainer::new(Loss::Mse, Adam::new(0.003))
        .batch_size(BATCH)
        .epochs(epochs)
        .strategy(strategy)
        .progress(true)
        .on_epoch(move |_| {
            log.borrow_mut().push(Seen { counters: watched.counters(), resident: resident() });
            ControlFlow::Continue(())
        });
    let before = device.counters();
    let history = trainer.fit(&mut mlp, &data()).unwrap();
    assert_eq!(history.strategy, strategy);
    let (first, last) = (history.epochs[0].train_loss, history.final_loss());
    assert!(last < 0.5 * first, "{strategy} on {device}: {first} to {last}");
    (before, seen.take())
}

fn check(device: &Device, strategy: Strategy, epochs: usize) {
    let context = format!("{strategy} on {device}");
    let (before, seen) = run(device, strategy, epochs);
    assert_eq!(seen.len(), epochs, "{context}");
    for (epoch, Seen { counters, .. }) in (1..).zip(&seen) {
        // Not later: the device has run this epoch's steps, and no others.
        let steps = counters.steps - before.steps;
        assert_eq!(steps, epoch * STEPS_AN_EPOCH as u64, "{context}, epoch {epoch}");
        // One wait before the first epoch: what a run that diverges falls back to, and who watches may ask for.
        assert_eq!(counters.readbacks - before.readbacks, 1 + epoch, "{context}, epoch {epoch}");
        let made = counters.allocations - seen[0].counters.allocations;
        assert_eq!(made, 0, "{context}: buffers made after the first epoch, in epoch {epoch}");
    }
    let resident: Option<Vec<u64>> = seen[epochs / 5..].iter().map(|seen| seen.resident).collect();
    let Some(resident) = resident else { return };
    let grown = resident.iter().max().map_or(0, |most| most - resident[0]);
    assert!(grown <= GROWTH, "{context}: {grown} bytes more after {epochs} epochs");
}

#[test]
fn a_long_fit_neither_grows_nor_waits_and_shows_each_epoch() {
    for device in devices() {
        if device.info().kind == DeviceKind::Cpu {
            check(device, Strategy::Program, 100);
            continue;
        }
        check(device, Strategy::Program, 10);
        check(device, Strategy::Persistent, 100);
        check(device, Strategy::Registers, 100);
    }
}
