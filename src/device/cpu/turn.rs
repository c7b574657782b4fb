//! Finds the passes of small networks in programs, which are faster turned: see [`Turned`].

use super::gemm::SHARED_FLOP;
use super::instruction::Instruction;
use super::ops::{Pass, Turned, TurnedLayer};
use crate::nn::{Activation, Cache};
use crate::op::{Op, Rows, View};
use crate::program::Program;

/// The instructions of a program, with forward, loss and gradients of small networks put together.
pub(super) fn turn(program: &Program) -> Vec<Instruction> {
    let mut list = Vec::with_capacity(program.ops.len());
    let mut at = 0;
    while let Some(op) = program.ops.get(at) {
        match Found::at(&program.ops[at..]).filter(|found| found.can_be_turned(program, at)) {
            Some(found) => {
                list.push(Instruction::Turned(Box::new(Turned::new(found.pass))));
                list.push(Instruction::Alone(found.record));
                at += found.length;
            }
            None => {
                list.push(Instruction::Alone(*op));
                at += 1;
            }
        }
    }
    list
}

/// A dense layer of a program.
#[derive(Clone, Copy)]
struct Dense {
    input: Rows,
    weight: View,
    bias: Option<View>,
    activation: Activation,
    pre: Option<View>,
    output: View,
}

impl Dense {
    fn of(op: &Op) -> Option<Self> {
        match *op {
            Op::Dense { input, weight, bias, activation, pre, output } => {
                Some(Self { input, weight, bias, activation, pre, output })
            }
            _ => None,
        }
    }

    /// What its derivative is computed from.
    fn cached(&self) -> Option<View> {
        match self.activation.cache() {
            Cache::Nothing => None,
            Cache::Input => self.pre,
            Cache::Output => Some(self.output),
        }
    }

    fn turned(&self) -> TurnedLayer {
        let Self { activation, weight, bias, .. } = *self;
        TurnedLayer { activation, weight, bias }
    }
}

/// Instructions that are a network's forward pass, its loss and the record of that, and all gradients.
struct Found {
    pass: Pass,
    record: Op,
    /// What is between layers.
    between: Vec<View>,
    /// How many instructions they are.
    length: usize,
}

impl Found {
    /// What a list begins with.
    fn at(ops: &[Op]) -> Option<Self> {
        let layers: Vec<Dense> = ops.iter().map_while(Dense::of).collect();
        let chained = layers.windows(2).all(|pair| pair[1].input == Rows::all(pair[0].output));
        let last = layers.last().filter(|_| chained)?;
        let mut rest = ops[layers.len()..].iter();
        let (loss, record) = (*rest.next()?, *rest.next()?);
        let Op::Loss { output, activation, cached, delta, row_losses, .. } = loss else {
            return None;
        };
        let Op::Record { row_losses: recorded, .. } = record else { return None };
        let is_of_last =
            (output, activation, cached) == (last.output, last.activation, last.cached());
        if !is_of_last || recorded != row_losses {
            return None;
        }
        let mut deltas = vec![delta];
        let (accumulate, gradients) = backward(&layers, &mut deltas, rest)?;
        let pass = Pass {
            input: layers[0].input,
            layers: layers.iter().map(Dense::turned).collect(),
            loss,
            row_losses,
            gradients,
            accumulate,
        };
        let kept = layers.iter().flat_map(|layer| [Some(layer.output), layer.pre]).flatten();
        let length = 3 * layers.len() + 1;
        Some(Self { pass, record, between: kept.chain(deltas).collect(), length })
    }

    /// Whether nobody else looks at what is between layers, and it pays.
    fn can_be_turned(&self, program: &Program, at: usize) -> bool {
        let others = || program.ops[..at].iter().chain(&program.ops[at + self.length..]);
        let alone = |view: &View| {
            let mut operands = others().flat_map(Op::operands);
            program.buffers[view.buffer].transient
                && operands.all(|operand| operand.view.buffer != view.buffer)
        };
        pays(&self.pass) && self.between.iter().all(alone)
    }
}

/// Whether the instructions that follow are the backward pass of layers: from the last to the first its gradient, and
/// the delta of the one before, which is added to `deltas`. Gives whether gradients are added to what there is, and
/// the buffer that they are in, each where its parameter is in its own.
fn backward<'a>(
    layers: &[Dense],
    deltas: &mut Vec<View>,
    mut ops: impl Iterator<Item = &'a Op>,
) -> Option<(bool, usize)> {
    let mut all = None;
    for (i, layer) in layers.iter().enumerate().rev() {
        let delta = *deltas.last()?;
        let op = ops.next()?;
        let Op::Gradient { accumulate, weight: View { buffer, .. }, .. } = *op else { return None };
        let of = |parameter: View| View { buffer, ..parameter };
        let (weight, bias) = (of(layer.weight), layer.bias.map(of));
        let expected = Op::Gradient { accumulate, input: layer.input, delta, weight, bias };
        if *op != expected || *all.get_or_insert((accumulate, buffer)) != (accumulate, buffer) {
            return None;
        }
        let Some(below) = i.checked_sub(1).map(|i| layers[i]) else { break };
        let op = ops.next()?;
        let Op::Backward { output, .. } = *op else { return None };
        let (weight, activation, cached) = (layer.weight, below.activation, below.cached());
        if *op != (Op::Backward { delta, weight, activation, cached, output }) {
            return None;
        }
        deltas.push(output);
    }
    all
}

/// Whether a pass is faster turned. Measured on one core: networks of a few units 1.2 to 2.2 times, of 50 units
/// 1.1 to 1.9, those of 16, 32 and 64, which fill vectors either way, 1.0 to 1.3.
fn pays(pass: &Pass) -> bool {
    /// Wider inputs are better read where they lie: 0.6 to 1.0 from 200 on.
    const MOST_INPUTS: usize = 128;
    /// A row or two of many vectors, or half of them: 0.6 to 0.8 with 32 units.
    const LEAST_ROWS: usize = 8;
    /// Of fewer weights it is the number of instructions that counts.
    const FEW: usize = 256;
    let (rows, inputs) = (pass.input.count, pass.input.source.shape.cols);
    let weights = || pass.layers.iter().map(|layer| layer.weight.shape);
    // What threads would share is better shared.
    let shared = weights().any(|weight| 2 * rows * weight.len() >= SHARED_FLOP);
    inputs <= MOST_INPUTS
        && weights().all(|weight| weight.cols <= Pass::MOST_UNITS)
        && (rows >= LEAST_ROWS || weights().map(|weight| weight.len()).sum::<usize>() <= FEW)
        && !shared
}
