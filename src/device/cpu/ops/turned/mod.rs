//! Small networks: forward, loss and gradients at once, with the rows of a minibatch along vectors.
//!
//! A layer of four units fills a quarter of a vector, a hundred rows fill six and a quarter. So the numbers
//! of a layer lie turned here, those of one unit for all rows side by side, and as many rows at a time go
//! through all layers and back as stay in the caches of one core. What is computed is what the program says;
//! sums over rows run along vectors, and so in another order.

mod values;

use self::values::Values;
use super::dense::minibatch;
use super::pick_checked;
use crate::device::cpu::gemm::{Beta, MOST_STEPS, UNIT};
use crate::device::cpu::memory::Bank;
use crate::error::Result;
use crate::nn::{Activation, Cache};
use crate::op::{Access, Cost, Op, Operand, Rows, Shape, StepArgs, View};

/// Words of a block of rows: 128 KiB, a part of an L2 cache.
const ROOM: usize = 1 << 15;

/// A dense layer, as a program's instructions name its parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::device::cpu) struct TurnedLayer {
    pub(in crate::device::cpu) activation: Activation,
    pub(in crate::device::cpu) weight: View,
    pub(in crate::device::cpu) bias: Option<View>,
}

impl TurnedLayer {
    const fn inputs(&self) -> usize {
        self.weight.shape.rows
    }

    const fn units(&self) -> usize {
        self.weight.shape.cols
    }

    fn keeps_pre(&self) -> bool {
        self.activation.cache() == Cache::Input
    }
}

/// What is computed: the layers forward, the loss, all gradients.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::device::cpu) struct Pass {
    /// What the network is given.
    pub(in crate::device::cpu) input: Rows,
    /// The layers; there is one at least.
    pub(in crate::device::cpu) layers: Vec<TurnedLayer>,
    /// The [`Op::Loss`] of the last one's output, and where the losses of rows go.
    pub(in crate::device::cpu) loss: Op,
    pub(in crate::device::cpu) row_losses: View,
    /// The buffer that the gradients go to, each to where its parameter is in its own.
    pub(in crate::device::cpu) gradients: usize,
    /// Whether to add to them.
    pub(in crate::device::cpu) accumulate: bool,
}

impl Pass {
    /// The most units of a layer that can be turned.
    pub(in crate::device::cpu) const MOST_UNITS: usize = MOST_STEPS;

    /// The units of the widest layer.
    fn widest(&self) -> usize {
        self.layers.iter().map(TurnedLayer::units).max().unwrap_or(0)
    }

    /// The rows to take at a time: blocks of about one length, of whole vectors.
    fn block(&self) -> usize {
        let kept = |layer: &TurnedLayer| layer.units() * if layer.keeps_pre() { 2 } else { 1 };
        let values: usize = self.layers.iter().map(kept).sum();
        let words = self.input.source.shape.cols + values + 2 * self.widest();
        let most = (ROOM / words / UNIT * UNIT).clamp(UNIT, MOST_STEPS);
        let blocks = self.input.count.div_ceil(most).max(1);
        self.input.count.div_ceil(blocks).next_multiple_of(UNIT)
    }

    /// The part of their buffer that has all gradients.
    fn gradients(&self) -> View {
        let views = || self.layers.iter().flat_map(|layer| [Some(layer.weight), layer.bias]);
        let ranges = || views().flatten().map(|view| view.range());
        let start = ranges().map(|range| range.start).min().unwrap_or(0);
        let end = ranges().map(|range| range.end).max().unwrap_or(0);
        View::new(self.gradients, Shape::new(1, end - start)).at(start)
    }
}

/// A pass, and room for the values of a block of rows.
#[derive(Debug)]
pub(in crate::device::cpu) struct Turned {
    pass: Pass,
    gradients: View,
    block: usize,
    values: Values,
}

impl Turned {
    pub(in crate::device::cpu) fn new(pass: Pass) -> Self {
        let (gradients, block) = (pass.gradients(), pass.block());
        Self { values: Values::new(&pass, block), gradients, block, pass }
    }

    /// Every operand; what is between layers stays here.
    pub(in crate::device::cpu) fn operands(&self) -> Vec<Operand> {
        let operand = |access| move |view| Operand { name: "", view, access };
        let Pass { input, layers, loss, row_losses, .. } = &self.pass;
        let parameters = layers.iter().flat_map(|layer| [Some(layer.weight), layer.bias]).flatten();
        let mut read: Vec<View> = parameters.chain(input.views()).collect();
        if let Op::Loss { targets, weights, positive, .. } = loss {
            read.extend(targets.views().chain(*weights).chain(*positive));
        }
        let written = [self.gradients, *row_losses];
        let read = read.into_iter().map(operand(Access::Read));
        read.chain(written.into_iter().map(operand(Access::Write))).collect()
    }

    /// The products that it computes, and each number that comes in or goes out.
    pub(in crate::device::cpu) fn cost(&self) -> Cost {
        let Pass { input, layers, .. } = &self.pass;
        let weights = layers.iter().map(|layer| layer.weight.shape.len()).sum::<usize>();
        // Inputs have no deltas.
        let flop = 2 * input.count * (3 * weights - layers[0].weight.shape.len());
        let words = 2 * self.gradients.shape.len() + input.count * (layers[0].inputs() + 1);
        Cost { flop: flop as u64, bytes: 4 * words as u64 }
    }

    /// Computes the losses of the rows, and the gradients.
    pub(super) fn execute(&mut self, bank: &mut Bank, args: &StepArgs) -> Result<()> {
        let Self { pass, gradients, block, values } = self;
        let (pass, gradients, block) = (&*pass, *gradients, *block);
        let Pass { input, loss, row_losses, .. } = pass;
        let Op::Loss { targets, .. } = loss else { return Ok(()) };
        bank.write_all([Some(gradients), Some(*row_losses)], |bank, [into, row_losses]| {
            let picked = pick_checked(loss, input, bank, args)?;
            let picked_targets = pick_checked(loss, targets, bank, args)?;
            let mut beta = if pass.accumulate { Beta::Accumulate } else { Beta::Overwrite };
            let mut first = 0;
            for row_losses in row_losses.chunks_mut(block) {
                let rows = first..first + row_losses.len();
                first = rows.end;
                let part = Rows { count: rows.len(), ..*input };
                values.take(minibatch(bank, &part, picked.part(rows.clone())));
                values.forward(pass, bank);
                values.loss(pass, bank, (picked_targets, rows), row_losses)?;
                values.backward(pass, bank, into, (gradients.offset, beta));
                beta = Beta::Accumulate;
            }
            Ok(())
        })
    }
}
