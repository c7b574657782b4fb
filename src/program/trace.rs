//! What a step's minibatch looks like in every layer, described as data and lowered to instructions.
//!
//! Forward, loss and backward as in the step, then numbers about each [`Quantity`], reduced on the
//! device; a few hundred words are kept of what may be millions.

use super::forward::{Forward, Lowered, Pass};
use super::source::Buffers;
use super::step::{Share, Step};
use super::{Program, backward, names};
use crate::error::Result;
use crate::nn::Activation;
use crate::op::{Axis, BinaryOp, Op, Reduction, Rows, Shape, View};
use crate::optim::Groups;

/// What is looked at in each layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// x, (batch, inputs).
    Input,
    /// z = x . W + b, (batch, outputs).
    PreActivation,
    /// y = phi(z), (batch, outputs), before dropout.
    Output,
    /// dL/dz, (batch, outputs).
    Delta,
    /// W, (inputs, outputs).
    Weight,
    /// dL/dW, (inputs, outputs).
    WeightGradient,
}

impl Quantity {
    /// Every quantity, in the order in which their numbers lie.
    pub const ALL: [Self; 6] = [
        Self::Input,
        Self::PreActivation,
        Self::Output,
        Self::Delta,
        Self::Weight,
        Self::WeightGradient,
    ];
}

/// A number about a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// The least element.
    Min,
    /// The largest element.
    Max,
    /// The mean.
    Mean,
    /// The square root of the sum of the squared differences from the mean.
    Deviation,
    /// How many elements are not 0.
    NonZero,
    /// How many elements of z have |phi'(z)| above [`saturation`](Self::saturation); of z alone, and
    /// only where phi is a function of one element.
    Responsive,
}

impl Statistic {
    /// Every statistic, in the order in which they lie; the bounds of the histogram come first.
    pub const ALL: [Self; 6] =
        [Self::Min, Self::Max, Self::Mean, Self::Deviation, Self::NonZero, Self::Responsive];

    /// Up to which |phi'(z)| a unit is saturated: 0 where phi is made of lines and parabolas, as
    /// relu is, else 0.01.
    #[must_use]
    pub fn saturation(activation: Activation) -> f32 {
        match activation {
            Activation::Identity
            | Activation::Relu
            | Activation::LeakyRelu(_)
            | Activation::Relu6
            | Activation::HardSigmoid
            | Activation::HardSwish
            | Activation::HardTanh => 0.0,
            _ => 0.01,
        }
    }
}

/// The numbers about a step's minibatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The step; its optimizer does nothing here.
    pub step: Step,
    /// The bins of a histogram, from the least to the largest element.
    pub bins: usize,
    /// The traces that are kept, each in the row of
    /// [`StepArgs::keep`](crate::op::StepArgs::keep); its loss is in
    /// [`StepArgs::slot`](crate::op::StepArgs::slot).
    pub rows: usize,
}

/// Where the numbers go, and memory on the way to them.
struct Place {
    statistics: View,
    counts: View,
    centred: View,
    slope: View,
    /// Nothing writes here.
    zeros: View,
}

impl Trace {
    /// The program: a layer's quantities in the order of [`Quantity::ALL`], layer by layer; in each
    /// row of the kept `statistics` their statistics in the order of [`Statistic::ALL`], in each row
    /// of the kept `counts` their histograms.
    ///
    /// # Errors
    /// Those of [`Step::lower`], and [`Error::Shape`](crate::Error::Shape) for more than
    /// [`MAX_BINS`](crate::op::MAX_BINS) bins.
    pub fn lower(&self) -> Result<Program> {
        // By itself, whatever shares the update, and through every layer, frozen or not.
        let share = Share { first: true, ..self.step.share };
        let step = Step { optimizer: None, share, groups: Groups::default(), ..self.step.clone() };
        let (mut list, mut ops) = (Buffers::default(), Vec::new());
        let flat = step.flat(&mut list);
        let losses = list.add(names::LOSSES, Shape::new(self.rows, 1));
        let row_losses = list.add(names::ROW_LOSSES, Shape::new(step.batch, 1));
        let (input, loss) = step.data(losses, row_losses, &mut list, &mut ops);
        let input = step.disturbed(input, &mut list, &mut ops);
        let input = Rows::all(list.gathered(input, &mut ops));
        let pass = Pass { seed: step.seed, keeps_pre: true };
        let parameters = flat.parameters;
        let forward = Forward::lower(&step.network, input, parameters, pass, &mut list, &mut ops);
        let deltas = backward::lower(&step, &forward, loss, flat.gradients, &mut list, &mut ops);

        let layers = forward.layers.iter().zip(deltas);
        let all: Vec<_> = (layers.clone())
            .flat_map(|(layer, delta)| quantities(layer, delta, flat.gradients))
            .collect();
        let place = self.place(&all, &mut list);
        for (number, &view) in all.iter().enumerate() {
            self.describe(number, view, &place, &mut ops);
        }
        for (i, (layer, _)) in layers.enumerate() {
            let number = i * Quantity::ALL.len() + Quantity::PreActivation as usize;
            count_responsive(layer, number, &place, &mut ops);
        }
        for (name, input) in [(names::STATISTICS, place.statistics), (names::COUNTS, place.counts)]
        {
            let shape = Shape::new(self.rows, input.shape.len());
            let output = list.add(format!("{}{name}", names::KEPT), shape);
            ops.push(Op::Keep { input, output });
        }
        let program = Program { buffers: list.0, ops };
        program.check()?;
        Ok(program)
    }

    fn place(&self, all: &[View], list: &mut Buffers) -> Place {
        let largest = all.iter().map(|view| view.shape.len()).max().unwrap_or(1);
        let mut add = |name: &str, words| list.add(name, Shape::new(1, words));
        Place {
            statistics: add(names::STATISTICS, all.len() * Statistic::ALL.len()),
            counts: add(names::COUNTS, all.len() * self.bins),
            centred: add("centred", largest),
            slope: add("slope", largest),
            zeros: add("zeros", largest),
        }
    }

    /// The statistics and the histogram of a quantity.
    fn describe(&self, number: usize, input: View, place: &Place, ops: &mut Vec<Op>) {
        let word = |statistic| word(number, statistic, place);
        let reduce =
            |reduction, input, output| Op::Reduce { reduction, axis: Axis::All, input, output };
        let centred = View { shape: input.shape, ..place.centred };
        let zeros = View { shape: input.shape, ..place.zeros };
        let mean = word(Statistic::Mean);
        ops.push(reduce(Reduction::Min, input, word(Statistic::Min)));
        ops.push(reduce(Reduction::Max, input, word(Statistic::Max)));
        ops.push(reduce(Reduction::Mean, input, mean));
        ops.push(Op::Binary { op: BinaryOp::Subtract, a: input, b: mean, output: centred });
        ops.push(reduce(Reduction::Norm, centred, word(Statistic::Deviation)));
        ops.push(above(0.0, input, zeros, word(Statistic::NonZero)));
        let bounds = View { shape: Shape::new(1, 2), ..word(Statistic::Min) };
        let output = View { shape: Shape::new(1, self.bins), ..place.counts };
        ops.push(Op::Histogram { input, bounds, output: output.at(number * self.bins) });
    }
}

/// The place of a statistic of a quantity.
fn word(number: usize, statistic: Statistic, place: &Place) -> View {
    let at = number * Statistic::ALL.len() + statistic as usize;
    View { shape: Shape::new(1, 1), ..place.statistics.at(at) }
}

/// The number of elements further from 0 than a limit.
fn above(limit: f32, a: View, zeros: View, output: View) -> Op {
    Op::Mismatch { a, b: zeros, relative: 0.0, absolute: limit, output }
}

/// How many units respond to their sums.
fn count_responsive(layer: &Lowered, number: usize, place: &Place, ops: &mut Vec<Op>) {
    let activation = layer.layer.activation;
    let Some(input) = layer.pre.filter(|_| activation.is_elementwise()) else { return };
    let [slope, zeros] = [place.slope, place.zeros].map(|view| View { shape: input.shape, ..view });
    ops.push(Op::Differentiate { activation, input, output: slope });
    let limit = Statistic::saturation(activation);
    ops.push(above(limit, slope, zeros, word(number, Statistic::Responsive, place)));
}

/// The quantities of a layer, in their order.
fn quantities(layer: &Lowered, delta: View, gradients: View) -> [View; 6] {
    let gradient = View { buffer: gradients.buffer, ..layer.weight };
    let pre = layer.pre.unwrap_or(layer.output);
    [layer.input.source, pre, layer.output, delta, layer.weight, gradient]
}
