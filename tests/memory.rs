//! What a training takes on the CPU: what it needs and some megabytes, and no copy of anything.
//!
//! A binary of its own with a single test, as memory is the process's.

use wgrad::data::Dataset;
use wgrad::{Activation, Adam, Device, Loss, Mlp, Trainer};

const WIDTHS: [usize; 4] = [784, 2048, 2048, 10];
const ROWS: usize = 4096;
const BATCH: usize = 1024;

/// The most memory that the process has had, in bytes, where the system says.
fn most() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().trim_end_matches(" kB").parse::<usize>().ok()?)
}

/// The benchmark's largest workload, trained twice.
#[test]
fn a_training_takes_what_it_needs() {
    let [inputs, _, _, outputs] = WIDTHS;
    let features: Vec<f32> = (0..ROWS * inputs).map(|i| (i * 37 % 101) as f32 / 101.0).collect();
    let labels: Vec<usize> = (0..ROWS).map(|i| i * 7 % outputs).collect();
    let data = Dataset::classification_from_vec(features, inputs, labels).unwrap();
    for seed in 0..2 {
        let network = Mlp::builder(inputs).hidden(WIDTHS[1], Activation::Relu);
        let network = network.hidden(WIDTHS[2], Activation::Relu).output(outputs).seed(seed);
        let mut mlp = network.build(&Device::cpu()).unwrap();
        let mut trainer = Trainer::new(Loss::CrossEntropy, Adam::default()).batch_size(BATCH);
        trainer = trainer.epochs(1);
        trainer.fit(&mut mlp, &data).unwrap();
    }
    let parameters: usize = WIDTHS.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
    let activations = BATCH * WIDTHS[1..].iter().sum::<usize>();
    // Parameters and Adam's two moments, the data, the activations, an epoch's order.
    let needed = 4 * (3 * parameters + ROWS * (inputs + 1) + activations + ROWS);
    let Some(most) = most() else { return };
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    println!("{:.1} MiB needed, {:.1} taken", mib(needed), mib(most));
    // The program, half of a delta, and what each thread packs: 18 MiB with two threads, more on a matrix unit.
    // A copy of the parameters would be 22.
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let beside = (28 + 4 * threads.saturating_sub(2)) << 20;
    assert!(most <= needed + beside, "{:.1} MiB needed, {:.1} taken", mib(needed), mib(most));
}
