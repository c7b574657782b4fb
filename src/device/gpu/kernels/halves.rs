//! Which buffers of a mixed-precision run are kept in f16, packed four to two words.
//!
//! An operand of a product is rounded to f16 anyway, so that keeping it rounded changes nothing but what
//! is read: half as much. That is done where the numbers come in fours (rows of a multiple of 4 columns,
//! at a multiple of 4) and are written by an instruction that can round them as it stores them.
//!
//! - Activations and deltas are kept in f16 **instead** of f32 where nothing but products and derivatives
//!   read them. Their buffers are half as long.
//! - Weights are kept in f16 **beside** the f32 that updates work on. The copy is made when a run begins,
//!   and then by whatever writes weights.
//!
//! Everything else a product rounds where it fetches it: the minibatch, the deltas that a loss leaves.

use super::unfused::is_fused;
use super::{Dispatch, narrow};
use crate::device::Precision;
use crate::op::{Access, Op, Pick, Rows, View};
use crate::program::{Program, names};

/// How one buffer is kept in f16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Half {
    /// Where the f16 are: a buffer of the program, or one of those behind them.
    pub(in super::super) buffer: usize,
    /// What the numbers are multiplied by before they are rounded.
    pub(super) scale: u32,
    /// Whether there is no f32 of them.
    pub(super) alone: bool,
}

/// The buffers of a run that are kept in f16; none in f32.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Halves {
    list: Vec<Option<Half>>,
    /// The lengths of the copies beside f32, in words.
    pub(in super::super) beside: Vec<usize>,
}

/// What the instructions of a run do with a buffer.
#[derive(Debug, Clone, Default)]
struct Uses {
    /// The scales that products want.
    scales: Vec<u32>,
    /// Whether something wants f32.
    words: bool,
    /// Whether something writes it that can neither round nor be followed by a copy.
    foreign: bool,
}

impl Halves {
    /// Of the programs of a step.
    pub(in super::super) fn of_precision(programs: &[Program], precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::default(),
            Precision::Mixed { loss_scale } => Self::of(programs, loss_scale),
        }
    }

    fn of(programs: &[Program], loss_scale: u32) -> Self {
        let specs = programs.first().map_or(&[][..], |program| &program.buffers);
        let mut uses = vec![Uses::default(); specs.len()];
        for op in programs.iter().flat_map(|program| &program.ops) {
            gather(op, loss_scale, &mut uses);
        }
        let (mut list, mut beside) = (Vec::new(), Vec::new());
        for (buffer, (spec, uses)) in specs.iter().zip(uses).enumerate() {
            let one = uses.scales.first().filter(|&first| uses.scales.iter().all(|x| x == first));
            let Some(&scale) = one.filter(|_| !uses.foreign) else {
                list.push(None);
                continue;
            };
            let alone = !uses.words && names::is_passed_on(&spec.name);
            let buffer = if alone { buffer } else { specs.len() + beside.len() };
            if !alone {
                beside.push(words(spec.words));
            }
            list.push(Some(Half { buffer, scale, alone }));
        }
        Self { list, beside }
    }

    /// Whether none is.
    #[cfg(test)]
    pub(in super::super) fn is_empty(&self) -> bool {
        self.list.iter().all(Option::is_none)
    }

    /// How a buffer is kept in f16.
    pub(super) fn get(&self, buffer: usize) -> Option<Half> {
        self.list.get(buffer).copied().flatten()
    }

    /// Where a product finds the f16 of an operand.
    pub(super) fn operand(&self, view: View, scale: u32) -> Option<usize> {
        let half = self.get(view.buffer).filter(|half| in_fours([view]) && half.scale == scale)?;
        Some(half.buffer)
    }

    /// The words that each buffer takes.
    pub(in super::super) fn words(&self, program: &Program) -> Vec<usize> {
        let taken = |(buffer, full): (usize, usize)| {
            if self.get(buffer).is_some_and(|half| half.alone) { words(full) } else { full }
        };
        program.buffers.iter().map(|spec| spec.words).enumerate().map(taken).collect()
    }

    /// Makes all copies beside f32, as a run begins.
    pub(in super::super) fn copies(&self, program: &Program) -> Vec<Dispatch> {
        let whole = |(buffer, half): (usize, &Option<Half>)| {
            let half = half.filter(|half| !half.alone)?;
            Some(narrow::lower(buffer, 0..program.buffers[buffer].words, half))
        };
        self.list.iter().enumerate().filter_map(whole).collect()
    }

    /// Makes the copies of what an instruction wrote, where it does not do so itself.
    pub(super) fn after(&self, op: &Op) -> Vec<Dispatch> {
        if matches!(op, Op::Dense { .. } | Op::Backward { .. } | Op::Update { .. }) {
            return Vec::new();
        }
        let written = op.operands().into_iter().filter(|operand| operand.access == Access::Write);
        written.flat_map(|operand| self.copied(operand.view)).collect()
    }

    /// Makes the copy of a view, if there is one.
    pub(super) fn copied(&self, view: View) -> Vec<Dispatch> {
        let half = self.get(view.buffer).filter(|half| !half.alone);
        half.map(|half| narrow::lower(view.buffer, view.range(), half)).into_iter().collect()
    }
}

/// The words of so many f16 in fours.
fn words(count: usize) -> usize {
    2 * count.div_ceil(4)
}

/// Whether rows begin and end at multiples of 4.
fn in_fours(views: impl IntoIterator<Item = View>) -> bool {
    views.into_iter().all(|view| view.shape.cols.is_multiple_of(4) && view.offset.is_multiple_of(4))
}

/// What an instruction does with its buffers.
fn gather(op: &Op, loss_scale: u32, uses: &mut [Uses]) {
    let mut factor = |view: View, scale: u32| {
        if in_fours([view]) {
            uses[view.buffer].scales.push(scale);
        } else {
            uses[view.buffer].words = true;
        }
    };
    let rows = |rows: Rows| (rows.pick == Pick::All).then_some(rows.source);
    // The operands that the kernels of products take in f16.
    let mut taken: Vec<View> = Vec::new();
    match *op {
        Op::Matmul { a, b, .. } => {
            factor(a, 1);
            factor(b, 1);
            taken.extend([a, b]);
        }
        Op::Dense { input, weight, bias, activation, pre, output } => {
            rows(input).into_iter().for_each(|view| factor(view, 1));
            factor(weight, 1);
            taken.extend(rows(input).into_iter().chain([weight]));
            let beside = [bias, pre].into_iter().flatten();
            if is_fused(activation) && in_fours(beside.chain([output])) {
                taken.push(output);
            }
        }
        Op::Backward { delta, weight, activation, cached, output } => {
            factor(delta, loss_scale);
            factor(weight, 1);
            taken.extend([delta, weight]);
            let fused = cached.is_none() || is_fused(activation);
            if fused && in_fours(cached.into_iter().chain([output])) {
                cached.into_iter().for_each(|view| factor(view, 1));
                taken.extend(cached.into_iter().chain([output]));
            }
        }
        Op::Gradient { input, delta, .. } => {
            rows(input).into_iter().for_each(|view| factor(view, 1));
            factor(delta, loss_scale);
            taken.extend(rows(input).into_iter().chain([delta]));
        }
        _ => {}
    }
    let copied = matches!(op, Op::Update { .. } | Op::TrustStep { .. } | Op::LimitNorm { .. });
    for operand in op.operands() {
        let view = operand.view;
        if !taken.contains(&view) {
            uses[view.buffer].words = true;
            uses[view.buffer].foreign |= operand.access == Access::Write && !copied;
        }
    }
}
