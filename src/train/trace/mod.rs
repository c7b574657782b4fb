//! Traces: what a minibatch looks like in every layer, in a few numbers each.

mod text;
mod tracer;
mod values;

use serde::{Deserialize, Serialize};

use super::engine::{Engine, Setup};
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::device::Launch;
use crate::error::Result;
use crate::mlp::Mlp;
use crate::nn::Activation;
use crate::op::StepArgs;
pub(super) use tracer::Tracer;
pub use values::LayerValues;

/// The bins of a trace's histograms.
const BINS: usize = 32;

/// What a minibatch looked like in every layer, with the parameters as they were before its update.
///
/// Printing it shows a table. [`to_json`](Self::to_json), [`write_json`](Self::write_json) and
/// [`write_csv`](Self::write_csv) are for other programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The minibatch's number, counted from 1 from the beginning of the run; 0 outside of a training.
    pub step: u64,
    /// The minibatch's loss.
    pub loss: f64,
    /// The layers, first to last.
    pub layers: Vec<LayerTrace>,
}

/// A layer in a trace: y = phi(z), z = x . W + b.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerTrace {
    /// phi.
    pub activation: Activation,
    /// x, (rows, inputs), with noise and dropout in a training.
    pub input: Summary,
    /// z, (rows, outputs).
    pub pre_activation: Summary,
    /// y, (rows, outputs), before dropout.
    pub output: Summary,
    /// dL/dz, (rows, outputs): what backpropagation hands from layer to layer.
    pub delta: Summary,
    /// W, (inputs, outputs).
    pub weight: Summary,
    /// dL/dW, (inputs, outputs), of this minibatch alone, before penalties and clipping.
    pub weight_gradient: Summary,
    /// The share of units and rows with |phi'(z)| at most 0.01, through which next to nothing is
    /// learned; for functions made of lines and parabolas (relu, hard tanh, ...) with phi'(z) = 0.
    /// None for softmax, log-softmax and prelu, which are no functions of one element.
    pub saturated: Option<f64>,
}

impl LayerTrace {
    /// The quantities by name, in the order of computation.
    #[must_use]
    pub fn quantities(&self) -> [(&'static str, &Summary); 6] {
        [
            ("input", &self.input),
            ("pre_activation", &self.pre_activation),
            ("output", &self.output),
            ("delta", &self.delta),
            ("weight", &self.weight),
            ("weight_gradient", &self.weight_gradient),
        ]
    }
}

/// Numbers about the elements of a matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rows and columns.
    pub shape: [usize; 2],
    /// The mean.
    pub mean: f64,
    /// The standard deviation, of all elements: the root of the mean squared difference from the
    /// mean, as numpy's `std`.
    pub std: f64,
    /// The least element.
    pub min: f64,
    /// The largest element.
    pub max: f64,
    /// The share of elements that are 0.
    pub zeros: f64,
    /// How many elements are in each of 32 equal bins from the least to the largest, as numpy's
    /// `histogram`; all in the first if they are equal.
    pub histogram: Vec<u32>,
}

impl Summary {
    /// The edges of the histogram's bins: one more than there are bins.
    #[must_use]
    pub fn edges(&self) -> Vec<f64> {
        let bins = self.histogram.len().max(1) as f64;
        let at = |i: usize| self.min + (self.max - self.min) * i as f64 / bins;
        (0..=self.histogram.len()).map(at).collect()
    }
}

/// The traces of a training, in order; see [`Trainer::trace_every`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Traces(pub Vec<Trace>);

impl std::ops::Deref for Traces {
    type Target = [Trace];

    fn deref(&self) -> &[Trace] {
        &self.0
    }
}

impl Trainer {
    /// Traces the first minibatch and every `every`-th after it, into
    /// [`History::traces`](super::History::traces). Default: none.
    ///
    /// A trace is computed on the device just before its step, from the same rows, parameters,
    /// noise and dropout masks, and read back with the losses; it costs about two steps. The
    /// training is bitwise the one without it. An `every` of 0 is an error of [`fit`](Self::fit).
    ///
    /// ```
    /// # use ndarray::array;
    /// # use wgrad::{Activation, Dataset, Device, Loss, Mlp, Sgd, Trainer};
    /// # let data = Dataset::regression(&array![[0.0f32], [1.0]], &array![1.0f32, 3.0])?;
    /// # let mut mlp = Mlp::builder(1).hidden(8, Activation::Tanh).output(1).build(&Device::cpu())?;
    /// let mut trainer = Trainer::new(Loss::Mse, Sgd::new(0.1)).epochs(20).trace_every(10);
    /// let history = trainer.fit(&mut mlp, &data)?;
    /// for trace in history.traces.iter() {
    ///     println!("step {}: {:?} saturated", trace.step, trace.layers[0].saturated);
    /// }
    /// assert_eq!(history.traces.len(), 2);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    #[must_use]
    pub fn trace_every(mut self, every: usize) -> Self {
        self.trace_every = Some(every);
        self
    }

    /// Traces all rows of `data` as one batch; no parameter moves, and nothing is dropped.
    ///
    /// ```
    /// # use ndarray::array;
    /// # use wgrad::{Activation, Dataset, Device, Loss, Mlp, Sgd, Trainer};
    /// # let data = Dataset::regression(&array![[0.0f32], [1.0]], &array![1.0f32, 3.0])?;
    /// # let mlp = Mlp::builder(1).hidden(8, Activation::Tanh).output(1).build(&Device::cpu())?;
    /// let trace = Trainer::new(Loss::Mse, Sgd::new(0.1)).trace(&mlp, &data)?;
    /// println!("{trace}"); // (2, 1) -> (2, 8) -> (2, 1), and a table
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`fit`](Trainer::fit), but for divergence.
    pub fn trace(&self, mlp: &Mlp, data: &Dataset) -> Result<Trace> {
        pollster::block_on(self.trace_async(mlp, data))
    }

    /// [`trace`](Self::trace), without blocking.
    ///
    /// # Errors
    /// Those of [`trace`](Self::trace).
    pub async fn trace_async(&self, mlp: &Mlp, data: &Dataset) -> Result<Trace> {
        let mut traces = self.traced(mlp, data)?.read_async().await?;
        traces.iter_mut().for_each(|trace| trace.step = 0);
        Ok(traces.remove(0))
    }

    /// A trace of all rows that has been queued.
    fn traced(&self, mlp: &Mlp, data: &Dataset) -> Result<Tracer> {
        let settings = self.settings.clone().one_batch(data.len());
        let mut engine = Engine::new(mlp, data, Setup::gradients(&settings))?;
        let mut tracer = Tracer::new(mlp, &engine, 1)?;
        let launch = Launch { program: 0, args: StepArgs::default() };
        tracer.queue(&mut engine, &[launch], 0)?;
        Ok(tracer)
    }
}
