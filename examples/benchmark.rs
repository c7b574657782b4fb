//! How fast a device trains: microseconds a step for networks from 17 parameters to 20 million.
//!
//! A step is one minibatch: gather, forward, loss, backward, update. Of each run only the second
//! half of the epochs counts, so compiling, copying the data and warming up do not; shuffling and
//! reading the losses back do. The median of several runs is shown. Nothing else should be running.
//!
//!     cargo run --release --example benchmark
//!     cargo run --release --example benchmark -- --device cpu --device gpu --json times.json
//!     cargo run --release --example benchmark -- --workload mnist_50 --seconds 10
//!     cargo run --release --example benchmark -- --device gpu --workload tiny --strategy program
//!     cargo run --release --example benchmark -- --device gpu --workload tiny --networks 1024
//!     cargo run --release --example benchmark -- --workload mnist_50 --profile

mod common;

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use common::Failure;
use common::workloads::{self, Workload};
use serde::Serialize;
use serde_json::json;
use wgrad::device::{Calibration, DeviceKind, Precision, Profile, Strategy};
use wgrad::{Device, History, Mlp, Tensor, train_many};

/// The runs of a workload, and the most epochs of each.
const RUNS: usize = 5;
const MOST_EPOCHS: usize = 100_000;

/// The most epochs of all networks that are trained at once: a record of each is kept.
const MOST_RECORDS: usize = 1 << 22;

/// What `--short` measures.
const SHORT: [&str; 3] = ["tiny", "five_points", "reynolds_10"];

/// Measures how fast devices train.
#[derive(Parser)]
struct Arguments {
    /// A workload; may be given more than once [default: all, wide_4096 only on a real GPU].
    #[arg(long, value_name = "ID", value_parser = PossibleValuesParser::new(ids()))]
    workload: Vec<String>,

    /// A device: auto, cpu, gpu, gpu:N or a part of an adapter's name; may be given more than once.
    #[arg(long, default_value = "auto")]
    device: Vec<String>,

    /// How the steps are executed: auto, program, persistent, registers or two_pass.
    #[arg(long, default_value_t = Strategy::Auto)]
    strategy: Strategy,

    /// The numbers that matrix products take: f32 or mixed.
    #[arg(long, default_value_t = Precision::F32)]
    precision: Precision,

    /// Trains so many networks at once, each with another seed, and compares with one.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    networks: u32,

    /// About how long to measure each workload.
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    seconds: f64,

    /// Times the product of two square matrices of this side instead of trainings.
    #[arg(long, value_name = "N", conflicts_with = "workload")]
    product: Option<usize>,

    /// Shows what each kernel takes, and what rates it achieves.
    #[arg(long)]
    profile: bool,

    /// Writes the results to a file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Measure three small workloads for a moment only, as a check that everything works.
    #[arg(long)]
    short: bool,
}

fn ids() -> Vec<&'static str> {
    workloads::all().into_iter().map(|workload| workload.id).collect()
}

impl Arguments {
    /// Whether a workload is to be measured on a device.
    fn wants(&self, workload: &Workload, device: &Device) -> bool {
        if self.product.is_some() {
            return false;
        }
        let slow = matches!(device.info().kind, DeviceKind::Cpu | DeviceKind::Software);
        match (self.workload.is_empty(), self.short) {
            (false, _) => self.workload.iter().any(|id| id == workload.id),
            (true, true) => SHORT.contains(&workload.id),
            (true, false) => !(workload.gpu_only && slow),
        }
    }
}

/// What was measured.
#[derive(Serialize)]
struct Row {
    workload: &'static str,
    device: String,
    adapter: String,
    strategy: Strategy,
    /// Why by this strategy.
    strategy_reason: String,
    /// What the device chooses by; none where there is no choice.
    calibration: Option<Calibration>,
    /// How many were trained at once; times and rates are those of all of them together.
    networks: usize,
    us_per_step: f64,
    samples_per_s: f64,
    gflops: f64,
}

impl Row {
    fn print(&self) {
        println!(
            "{:<18} {:<11} {:>8} {:>14.3} {:>14.0} {:>10.2}",
            self.workload,
            self.strategy.name(),
            self.networks,
            self.us_per_step,
            self.samples_per_s,
            self.gflops
        );
        println!("    {}: {}", self.strategy, self.strategy_reason);
    }
}

fn main() -> common::Result {
    let args = Arguments::parse();
    let seconds = if args.short { 0.1 } else { args.seconds };
    if !(seconds.is_finite() && seconds > 0.0) {
        return Err(Failure::new(format!("--seconds is {seconds}: it has to be more than 0")));
    }
    let mut rows = Vec::new();
    for device in &args.device {
        let device: Device = device.parse()?;
        println!("device: {}", device.info());
        match device.calibration() {
            Some(calibration) => println!("calibration: {calibration}"),
            None => println!("calibration: none, as there is no choice of a strategy"),
        }
        println!(
            "{:<18} {:<11} {:>8} {:>14} {:>14} {:>10}",
            "workload", "strategy", "networks", "us/step", "samples/s", "GFLOP/s"
        );
        for workload in workloads::all().iter().filter(|workload| args.wants(workload, &device)) {
            let row = measure(workload, &device, (args.strategy, args.precision), seconds)?;
            row.print();
            if args.profile {
                print!("{}", profile(workload, &device, (&row, args.precision), seconds)?);
            }
            let (strategy, alone) = (row.strategy, row.samples_per_s);
            rows.push(row);
            if args.networks > 1 {
                let count = args.networks as usize;
                let how = (strategy, args.precision);
                let many = measure_many(workload, &device, how, seconds, count)?;
                many.print();
                let times = many.samples_per_s / alone;
                println!("{count} networks at once: {times:.2} times the throughput of one");
                rows.push(many);
            }
        }
        if let Some(side) = args.product {
            let row = product(side, &device, seconds)?;
            println!(
                "product of {side}^3 {:>14.1} us {:>14.2} GFLOP/s",
                row.us_per_step, row.gflops
            );
            rows.push(row);
        }
        println!();
    }
    if let Some(file) = &args.json {
        std::fs::write(file, serde_json::to_string_pretty(&rows)? + "\n")?;
        println!("saved {}", file.display());
    }
    common::output::result(json!({ "rows": rows }))
}

/// Times products of square matrices, a few queued at a time.
fn product(side: usize, device: &Device, seconds: f64) -> common::Result<Row> {
    const QUEUED: usize = 4;
    let values: Vec<f32> = (0..side * side).map(|i| (i % 1_009) as f32 / 1_009.0 - 0.5).collect();
    let a = Tensor::from_slice(device, side, side, &values)?;
    let mut times = Vec::new();
    let begin = Instant::now();
    // The first one compiles.
    while times.len() < 1 + RUNS || begin.elapsed().as_secs_f64() < seconds {
        device.synchronize()?;
        let start = Instant::now();
        for _ in 0..QUEUED {
            a.matmul(&a)?;
        }
        device.synchronize()?;
        times.push(start.elapsed().as_secs_f64() / QUEUED as f64);
    }
    times[1..].sort_by(f64::total_cmp);
    let time = times[1 + (times.len() - 1) / 2];
    Ok(Row {
        workload: "product",
        device: device.to_string(),
        adapter: device.info().name.clone(),
        strategy: Strategy::Program,
        strategy_reason: "a product is one instruction".into(),
        calibration: device.calibration(),
        networks: 1,
        us_per_step: 1e6 * time,
        samples_per_s: side as f64 / time,
        gflops: 2e-9 * (side as f64).powi(3) / time,
    })
}

/// Times a workload for about the given number of seconds.
fn measure(
    workload: &Workload,
    device: &Device,
    (strategy, precision): (Strategy, Precision),
    seconds: f64,
) -> common::Result<Row> {
    let data = workload.data()?;
    let mut chosen = (strategy, String::new());
    let mut run = |epochs| {
        let mut mlp = workload.network(device)?;
        let history = workload
            .trainer(epochs)
            .strategy(strategy)
            .precision(precision)
            .fit(&mut mlp, &data)?;
        let counted = &history.epochs[epochs / 2..];
        // What a fresh network took in the second half of its epochs, an epoch.
        let epoch = counted.iter().map(|epoch| epoch.seconds).sum::<f64>() / counted.len() as f64;
        chosen = (history.strategy, history.strategy_reason);
        Ok(epoch)
    };
    let length = |epoch: f64| ((seconds / RUNS as f64 / epoch) as usize).clamp(2, MOST_EPOCHS);

    // Short runs are slow a step, so the length of a run is approached from below.
    let (mut epochs, mut epoch) = (2, run(2)?);
    while epochs < length(epoch) / 2 {
        epochs = length(epoch).min(8 * epochs);
        epoch = run(epochs)?;
    }
    // What takes longer than all the time there is has been measured by now.
    let mut times = vec![epoch];
    if epoch < seconds {
        times = (0..RUNS).map(|_| run(length(epoch))).collect::<common::Result<_>>()?;
    }
    times.sort_by(f64::total_cmp);
    let epoch = times[times.len() / 2];

    Ok(row(workload, device, chosen, 1, epoch))
}

/// The same for many networks at once. What preparing them takes is left out: it is what a run of two
/// epochs takes.
fn measure_many(
    workload: &Workload,
    device: &Device,
    (strategy, precision): (Strategy, Precision),
    seconds: f64,
    count: usize,
) -> common::Result<Row> {
    let data = workload.data()?;
    let mut chosen = (strategy, String::new());
    let mut run = |epochs| {
        let mut networks =
            (0..count).map(|_| workload.network(device)).collect::<wgrad::Result<Vec<Mlp>>>()?;
        let trainer =
            |seed| workload.trainer(epochs).strategy(strategy).precision(precision).seed(seed);
        let runs: Vec<_> =
            (0..).zip(&mut networks).map(|(i, mlp)| (trainer(i), mlp, &data)).collect();
        let begin = Instant::now();
        let histories = train_many(runs).into_iter().collect::<wgrad::Result<Vec<History>>>()?;
        let seconds = begin.elapsed().as_secs_f64();
        if let Some(history) = histories.into_iter().next() {
            chosen = (history.strategy, history.strategy_reason);
        }
        Ok::<f64, Failure>(seconds)
    };
    // The first one compiles.
    run(2)?;
    let short = run(2)?;
    let most = MOST_EPOCHS.min((MOST_RECORDS / count).max(4));
    let (mut epochs, mut whole) = (4, run(4)?);
    while whole < short + seconds / RUNS as f64 && epochs < most {
        epochs = most.min(2 * epochs);
        whole = run(epochs)?;
    }
    let epoch = |whole: f64| (whole - short).max(1e-9) / (epochs - 2) as f64;
    let mut times = vec![epoch(whole)];
    if whole < seconds {
        times = (0..RUNS).map(|_| run(epochs).map(epoch)).collect::<common::Result<_>>()?;
    }
    times.sort_by(f64::total_cmp);
    Ok(row(workload, device, chosen, count, times[times.len() / 2]))
}

/// The row of a workload whose epochs take so many seconds, those of all networks together.
fn row(
    workload: &Workload,
    device: &Device,
    (strategy, strategy_reason): (Strategy, String),
    networks: usize,
    epoch: f64,
) -> Row {
    let samples_per_s = (networks * workload.rows) as f64 / epoch;
    Row {
        workload: workload.id,
        device: device.to_string(),
        adapter: device.info().name.clone(),
        strategy,
        strategy_reason,
        calibration: device.calibration(),
        networks,
        us_per_step: 1e6 * epoch / (networks * workload.steps()) as f64,
        samples_per_s,
        gflops: 1e-9 * samples_per_s * workload.flops_per_row(),
    }
}

/// Where the time of a workload goes, as it was measured.
fn profile(
    workload: &Workload,
    device: &Device,
    (row, precision): (&Row, Precision),
    seconds: f64,
) -> common::Result<Profile> {
    let data = workload.data()?;
    let mut mlp = workload.network(device)?;
    // Waiting for each kernel makes training slower.
    let steps = 0.1 * seconds / (1e-6 * row.us_per_step);
    let epochs = (steps as usize / workload.steps()).clamp(2, MOST_EPOCHS);
    let mut trainer = workload.trainer(epochs).strategy(row.strategy).precision(precision);
    let (history, profile) = device.profile(|| trainer.fit(&mut mlp, &data))?;
    history?;
    Ok(profile)
}
