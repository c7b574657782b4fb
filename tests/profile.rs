//! Profiles: what is counted, that training stays what it is, and that they end.
//!
//! A binary of its own with a single test: a device is profiled with all that its handles do.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use wgrad::data::Dataset;
use wgrad::device::{DeviceKind, KernelTime, Profile, Strategy};
use wgrad::nn::{Activation, Loss};
use wgrad::optim::Adam;
use wgrad::{Device, Error, Mlp, Tensor, Trainer};

use common::{Values, devices};

const ROWS: usize = 40;
const EPOCHS: usize = 3;
/// Minibatches of 16, 16 and 8 rows.
const STEPS: u64 = 3 * EPOCHS as u64;

/// The weights of a small network: inputs by hidden units by outputs.
const SMALL: [usize; 3] = [5, 7, 2];

fn data([inputs, _, outputs]: [usize; 3]) -> Dataset {
    let mut numbers = Values::new(1);
    let (x, y) = (numbers.within(1.0, inputs * ROWS), numbers.within(1.0, outputs * ROWS));
    Dataset::regression_from_vec(x, inputs, y, outputs).unwrap()
}

/// The parameters of the small network after a training.
fn train(device: &Device, strategy: Strategy) -> Vec<u32> {
    train_widths(device, strategy, SMALL)
}

fn train_widths(device: &Device, strategy: Strategy, widths: [usize; 3]) -> Vec<u32> {
    let [inputs, hidden, outputs] = widths;
    let network = Mlp::builder(inputs).hidden(hidden, Activation::Tanh).output(outputs);
    let mut mlp = network.seed(0).build(device).unwrap();
    let mut trainer = Trainer::new(Loss::Mse, Adam::new(0.01)).batch_size(16).epochs(EPOCHS);
    trainer = trainer.strategy(strategy);
    trainer.fit(&mut mlp, &data(widths)).unwrap();
    let parameters = mlp.parameters().unwrap();
    parameters.values().flatten().map(|x| x.to_bits()).collect()
}

/// All kernels of an instruction together: calls of the one that was called most, and operations.
fn of(profile: &Profile, instruction: &str) -> (u64, f64) {
    let named = |kernel: &&KernelTime| kernel.instruction == instruction;
    let calls = profile.kernels.iter().filter(named).map(|kernel| kernel.calls).max();
    let flop = profile.kernels.iter().filter(named).map(|kernel| kernel.flop).sum();
    (calls.unwrap_or(0), flop)
}

/// The CPU computes a small network's pass at once.
fn check_pass(device: &Device) {
    let (parameters, profile) = device.profile(|| train(device, Strategy::Program)).unwrap();
    assert_eq!(parameters, train(device, Strategy::Program), "{device}");
    let flop = 2 * ROWS * (3 * (5 * 7 + 7 * 2) - 5 * 7) * EPOCHS;
    assert_eq!(of(&profile, "pass"), (STEPS, flop as f64), "{device}: {profile}");
    assert_eq!(of(&profile, "update").0, STEPS, "{device}: {profile}");
}

fn check_program(device: &Device, widths: [usize; 3]) {
    let train = || train_widths(device, Strategy::Program, widths);
    let (parameters, profile) = device.profile(train).unwrap();
    assert_eq!(parameters, train(), "{device}");
    let [inputs, hidden, outputs] = widths;
    let weights = inputs * hidden + hidden * outputs;
    let flop = (2 * ROWS * weights * EPOCHS) as f64;
    assert_eq!(of(&profile, "dense"), (2 * STEPS, flop), "{device}: {profile}");
    assert_eq!(of(&profile, "loss").0, STEPS, "{device}: {profile}");
    assert_eq!(of(&profile, "record").0, STEPS, "{device}: {profile}");
    let back = (2 * ROWS * hidden * outputs * EPOCHS) as f64;
    assert_eq!(of(&profile, "backward"), (STEPS, back), "{device}: {profile}");
    assert!(of(&profile, "gradient").1 >= flop, "{device}: {profile}");
    assert!(profile.seconds() > 0.0, "{device}: {profile}");
    for pair in profile.kernels.windows(2) {
        assert!(pair[0].seconds >= pair[1].seconds, "{device}: {profile}");
    }
    let text = profile.to_string();
    assert_eq!(text.lines().count(), 1 + profile.kernels.len(), "{text}");
    assert!(profile.kernels.iter().all(|kernel| kernel.bytes >= 0.0 && kernel.calls > 0));
}

fn check_fused(device: &Device, strategy: Strategy) {
    let (parameters, profile) = device.profile(|| train(device, strategy)).unwrap();
    assert_eq!(parameters, train(device, strategy), "{strategy}");
    let [kernel] = &profile.kernels[..] else { panic!("{profile}") };
    assert_eq!((kernel.instruction.as_str(), kernel.kernel.as_str()), ("steps", strategy.name()));
    // As if all minibatches were as large as the largest.
    let flop = 2 * 16 * (3 * (5 * 7 + 7 * 2) - 5 * 7) as u64 * STEPS;
    assert_eq!(kernel.flop, flop as f64, "{profile}");
}

fn check_two_pass(device: &Device) {
    let strategy = Strategy::TwoPass;
    let (parameters, profile) = device.profile(|| train(device, strategy)).unwrap();
    assert_eq!(parameters, train(device, strategy), "{strategy}");
    let flop = 2 * 16 * (3 * (5 * 7 + 7 * 2) - 5 * 7) as u64 * STEPS;
    assert_eq!(of(&profile, "steps"), (STEPS, flop as f64), "{profile}");
    let kernels: Vec<&str> = profile.kernels.iter().map(|kernel| kernel.kernel.as_str()).collect();
    assert!(["rows", "weights", "pack", "unpack"].iter().all(|name| kernels.contains(name)));
}

fn check_tensors(device: &Device) {
    let a = Tensor::from_slice(device, 2, 3, &[1.0; 6]).unwrap();
    let (_, profile) = device
        .profile(|| {
            a.matmul_nt(&a).unwrap();
            a.matmul_nt(&a).unwrap();
        })
        .unwrap();
    assert_eq!(of(&profile, "matmul"), (2, 2.0 * 2.0 * 2.0 * 2.0 * 3.0), "{device}: {profile}");
}

/// Profiles do not nest, and end whatever happens in them.
fn check_ends(device: &Device) {
    let (inner, _) = device.profile(|| device.profile(|| ())).unwrap();
    match inner {
        Err(error @ Error::Argument { .. }) => assert!(error.to_string().contains("already")),
        other => panic!("{other:?}"),
    }
    let panics = || device.profile(|| resume_unwind(Box::new("on purpose")));
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    train(device, Strategy::Program);
    let (_, profile) = device.profile(|| ()).unwrap();
    assert_eq!(profile.kernels, [], "{device}");
}

#[test]
fn profiles_count_what_runs_and_change_nothing() {
    for device in devices() {
        match device.profile(|| ()) {
            Err(Error::Device { reason, .. }) if reason.contains("no timestamps") => continue,
            other => assert!(other.is_ok(), "{device}: {other:?}"),
        }
        check_program(device, [150, 7, 2]);
        check_tensors(device);
        check_ends(device);
        if device.info().kind == DeviceKind::Cpu {
            check_pass(device);
        } else {
            check_program(device, SMALL);
            check_fused(device, Strategy::Persistent);
            check_fused(device, Strategy::Registers);
            check_two_pass(device);
        }
    }
}
