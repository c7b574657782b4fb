//! Finds the passes of small networks in programs, which are faster turned: see [`Turned`].

use super::crew::SHARED_FLOP;
use super::instruction::Instruction;
use super::ops::{Pass, Turned, TurnedLayer};
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
        let mut between = Vec::new();
        let forward: Vec<&Op> =
            ops.iter().take_while(|op| matches!(op, Op::Dense { .. })).collect();
        let mut rest = ops[forward.len()..].iter();
        let (loss, record) = (rest.next()?, rest.next()?);
        let Op::Loss { output: last, delta, row_losses, .. } = *loss else { return None };
        let Op::Record { row_losses: recorded, .. } = *record else { return None };
        // From the last layer to the first: its gradient, and the delta of the one before.
        let (mut layers, mut accumulates) = (Vec::new(), Vec::new());
        let (mut output, mut delta, mut first) = (last, delta, None);
        for (i, dense) in forward.iter().enumerate().rev() {
            let Op::Dense { input, weight, bias, activation, pre, output: own } = **dense else {
                return None;
            };
            let Op::Gradient {
                accumulate,
                input: of,
                delta: by,
                weight: weight_gradient,
                bias: bias_gradient,
            } = *rest.next()?
            else {
                return None;
            };
            let alike = own == output && of == input && by == delta;
            if !alike || bias.is_some() != bias_gradient.is_some() {
                return None;
            }
            layers.push(TurnedLayer { activation, weight, bias, weight_gradient, bias_gradient });
            accumulates.push(accumulate);
            between.extend([own, delta].into_iter().chain(pre));
            if i == 0 {
                first = Some(input);
                break;
            }
            let Op::Backward { delta: from, weight: over, output: to, .. } = *rest.next()? else {
                return None;
            };
            if from != delta || over != weight || input != Rows::all(input.source) {
                return None;
            }
            (output, delta) = (input.source, to);
        }
        layers.reverse();
        let buffer = |layer: &TurnedLayer| layer.weight_gradient.buffer;
        let one_buffer = layers.iter().all(|layer| buffer(layer) == buffer(&layers[0]));
        let one_way = accumulates.iter().all(|accumulate| *accumulate == accumulates[0]);
        let (input, accumulate) = (first?, *accumulates.first()?);
        (one_buffer && one_way && recorded == row_losses).then(|| Self {
            length: 3 * forward.len() + 1,
            pass: Pass { input, layers, loss: *loss, row_losses, accumulate },
            record: *record,
            between,
        })
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
