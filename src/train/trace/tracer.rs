//! Traces on the device: a program for each kind of minibatch, launched before its step.

use super::{BINS, LayerTrace, Summary, Trace};
use crate::device::{Buffer, Executable, Launch, Storage};
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::{Layer, Network};
use crate::op::StepArgs;
use crate::program::{self, Quantity, Statistic, names};
use crate::train::engine::Engine;
use std::ops::Range;

/// The most numbers of traces that a flight keeps on the device: 64 MiB.
const FLIGHT_WORDS: usize = 1 << 24;

/// Programs that trace, and what they leave.
pub(in crate::train) struct Tracer {
    executable: Box<dyn Executable>,
    network: Network,
    every: usize,
    /// The most epochs of a flight.
    pub(in crate::train) epochs: usize,
    specs: Vec<String>,
    buffers: Vec<Buffer>,
    /// The steps of the last flight that were traced, and their rows.
    traced: Vec<(u64, usize)>,
}

impl Tracer {
    /// Compiles the tracing of every so many steps of a run.
    ///
    /// # Errors
    /// [`Error::Argument`] for every 0 steps, and the device's.
    pub(in crate::train) fn new(mlp: &Mlp, engine: &Engine, every: usize) -> Result<Self> {
        if every == 0 {
            let expected = "something is traced every so many steps, at least 1";
            return Err(Error::argument("the steps between traces", 0, expected));
        }
        let plan = &engine.plan;
        let words = mlp.layers().len() * Quantity::ALL.len() * (Statistic::ALL.len() + BINS);
        let most = (FLIGHT_WORDS / words).saturating_mul(every) / plan.steps;
        let epochs = most.clamp(1, plan.epochs);
        let rows = (epochs * plan.steps).div_ceil(every);
        let lower =
            |step: &program::Step| program::Trace { step: step.clone(), bins: BINS, rows }.lower();
        let programs: Vec<_> = engine.steps.iter().map(lower).collect::<Result<_>>()?;
        // Everything that a trace computes goes into buffers of its own: the run must not notice.
        let shared = |name: &str| {
            let given = [names::PARAMETERS, names::ORDER, names::POSITIVE_WEIGHTS].contains(&name);
            (given || names::is_data(name)).then(|| engine.buffer(name).cloned()).flatten()
        };
        let place = |spec: &program::BufferSpec| {
            shared(&spec.name).map_or_else(|| mlp.device().allocate(spec.words), Ok)
        };
        let buffers: Vec<Buffer> = programs[0].buffers.iter().map(place).collect::<Result<_>>()?;
        let executable = mlp.device().compile(&programs, &buffers)?;
        let specs = programs[0].buffers.iter().map(|spec| spec.name.clone()).collect();
        let network = mlp.network().clone();
        Ok(Self { executable, network, every, epochs, specs, buffers, traced: Vec::new() })
    }

    /// Queues launches of the engine's, of which the first is the run's step number `step`, from 0,
    /// and before those that are to be traced their traces.
    pub(in crate::train) fn queue(
        &mut self,
        engine: &mut Engine,
        launches: &[Launch],
        step: u64,
    ) -> Result<()> {
        self.traced.clear();
        let is_traced = |i: &usize| (step + *i as u64).is_multiple_of(self.every as u64);
        let mut done = 0;
        for i in (0..launches.len()).filter(is_traced) {
            engine.queue(&launches[done..i])?;
            done = i;
            let Launch { program, args } = launches[i];
            let row = self.traced.len() as u32;
            self.executable
                .run(&[Launch { program, args: StepArgs { keep: row, slot: row, ..args } }])?;
            self.traced.push((step + i as u64 + 1, engine.steps[program].batch));
        }
        engine.queue(&launches[done..])
    }

    /// A buffer of the programs.
    pub(super) fn buffer(&self, name: &str) -> Result<&Buffer> {
        let at = self.specs.iter().position(|spec| spec == name);
        at.and_then(|at| self.buffers.get(at)).ok_or_else(|| Error::Program {
            op: "trace",
            reason: format!("there is no buffer `{name}`"),
        })
    }

    /// What has to be read after a flight.
    pub(in crate::train) fn ranges(&self) -> Result<[(&Storage, Range<usize>); 3]> {
        let count = self.traced.len();
        let quantities = self.network.layers().len() * Quantity::ALL.len();
        let range = |name: &str, words: usize| {
            self.buffer(name).map(|buffer| (buffer.storage(), 0..count * words))
        };
        let kept = |name| format!("{}{name}", names::KEPT);
        Ok([
            range(names::LOSSES, 1)?,
            range(&kept(names::STATISTICS), quantities * Statistic::ALL.len())?,
            range(&kept(names::COUNTS), quantities * BINS)?,
        ])
    }

    /// The traces of the last flight, from what was read.
    pub(in crate::train) fn traces(&self, parts: &[Vec<f32>]) -> Vec<Trace> {
        let [losses, statistics, counts] = parts else { return Vec::new() };
        let layers = self.network.layers();
        let quantities = layers.len() * Quantity::ALL.len();
        let statistics = statistics.chunks_exact(quantities * Statistic::ALL.len());
        let counts = counts.chunks_exact(quantities * BINS);
        let rows = self.traced.iter().zip(losses).zip(statistics.zip(counts));
        let trace = |((&(step, rows), &loss), (statistics, counts)): (_, (&[f32], &[f32]))| {
            let statistics = statistics.chunks_exact(Quantity::ALL.len() * Statistic::ALL.len());
            let counts = counts.chunks_exact(Quantity::ALL.len() * BINS);
            let layers = layers.iter().zip(statistics.zip(counts));
            let layers =
                layers.map(|(layer, (words, counts))| of_layer(layer, rows, words, counts));
            Trace { step, loss: f64::from(loss), layers: layers.collect() }
        };
        rows.map(trace).collect()
    }

    /// Reads the traces of the last launches by themselves.
    pub(super) async fn read_async(&self) -> Result<Vec<Trace>> {
        let parts = self.buffers[0].device().backend().read(&self.ranges()?).await?;
        Ok(self.traces(&parts))
    }
}

/// The numbers of a layer for `rows` rows.
fn of_layer(layer: &Layer, rows: usize, statistics: &[f32], counts: &[f32]) -> LayerTrace {
    let word = |quantity: Quantity, statistic: Statistic| {
        f64::from(statistics[quantity as usize * Statistic::ALL.len() + statistic as usize])
    };
    let summary = |quantity: Quantity| {
        let shape = match quantity {
            Quantity::Input => [rows, layer.inputs],
            Quantity::PreActivation | Quantity::Output | Quantity::Delta => [rows, layer.outputs],
            Quantity::Weight | Quantity::WeightGradient => [layer.inputs, layer.outputs],
        };
        let size = (shape[0] * shape[1]) as f64;
        let first = quantity as usize * BINS;
        Summary {
            shape,
            mean: word(quantity, Statistic::Mean),
            std: word(quantity, Statistic::Deviation) / size.sqrt(),
            min: word(quantity, Statistic::Min),
            max: word(quantity, Statistic::Max),
            zeros: 1.0 - word(quantity, Statistic::NonZero) / size,
            histogram: counts[first..first + BINS].iter().map(|count| count.to_bits()).collect(),
        }
    };
    let responsive = word(Quantity::PreActivation, Statistic::Responsive);
    let units = (rows * layer.outputs) as f64;
    LayerTrace {
        activation: layer.activation,
        input: summary(Quantity::Input),
        pre_activation: summary(Quantity::PreActivation),
        output: summary(Quantity::Output),
        delta: summary(Quantity::Delta),
        weight: summary(Quantity::Weight),
        weight_gradient: summary(Quantity::WeightGradient),
        saturated: layer.activation.is_elementwise().then_some(1.0 - responsive / units),
    }
}
