//! The numbers of a block of rows, as they go through the layers and back.

use std::ops::Range;

use super::super::Picked;
use super::super::dense::{Chain, Finish};
use super::super::loss::{Outputs, losses};
use super::{Pass, TurnedLayer};
use crate::device::cpu::gemm::{Beta, Direct, Lhs, MatMut, MatRef, UNIT};
use crate::device::cpu::memory::Bank;
use crate::device::cpu::room::Room;
use crate::device::cpu::vectorize::vectorize;
use crate::error::Result;
use crate::nn::Cache;
use crate::op::View;

/// Unit by unit, the numbers of `block` rows each.
#[derive(Debug)]
pub(super) struct Values {
    direct: Direct,
    block: usize,
    input: Room,
    layers: Vec<Layer>,
    /// dL/dz of a layer, and of the one before.
    deltas: [Room; 2],
    /// The former row by row, and of the last layer also y and z.
    rows: Room,
    outputs: [Room; 2],
    ones: Room,
}

/// What a layer has computed.
#[derive(Debug)]
struct Layer {
    /// z, where the derivative needs it.
    pre: Option<Room>,
    output: Room,
}

impl Layer {
    /// What the derivative is computed from.
    fn cached(&self, layer: &TurnedLayer) -> Option<&[f32]> {
        match layer.activation.cache() {
            Cache::Nothing => None,
            Cache::Input => self.pre.as_deref(),
            Cache::Output => Some(&self.output),
        }
    }
}

impl Values {
    /// Room for blocks of so many rows.
    pub(super) fn new(pass: &Pass, block: usize) -> Self {
        let room = |units: usize| Room::zeros(units * block);
        let layer = |layer: &TurnedLayer| Layer {
            pre: layer.keeps_pre().then(|| room(layer.units())),
            output: room(layer.units()),
        };
        let outputs = pass.layers.last().map_or(0, TurnedLayer::units);
        let mut ones = room(1);
        ones.fill(1.0);
        Self {
            direct: Direct::best(),
            block,
            input: room(pass.layers[0].inputs()),
            layers: pass.layers.iter().map(layer).collect(),
            deltas: [(); 2].map(|()| room(pass.widest())),
            rows: room(pass.widest()),
            outputs: [(); 2].map(|()| room(outputs)),
            ones,
        }
    }

    /// Takes a minibatch's rows. What they leave of the block repeats the last one, whose numbers are as good
    /// as any: its deltas will be zero.
    pub(super) fn take(&mut self, rows: Lhs) {
        self.direct.transpose(rows, &mut self.input, self.block);
        let count = rows.rows();
        for unit in self.input.chunks_exact_mut(self.block) {
            let last = unit[count - 1];
            unit[count..].fill(last);
        }
    }

    /// The outputs of all layers.
    pub(super) fn forward(&mut self, pass: &Pass, bank: &Bank) {
        let Self { direct, block, input, layers, .. } = self;
        let (block, mut input) = (*block, &**input);
        for (layer, Layer { pre, output }) in pass.layers.iter().zip(layers) {
            let (inputs, units, activation) = (layer.inputs(), layer.units(), layer.activation);
            let (sums, beside) = match pre {
                Some(pre) => (&mut **pre, Some(&mut **output)),
                None => (&mut **output, None),
            };
            let mut beta = Beta::Overwrite;
            if let Some(bias) = layer.bias {
                let bias = bank.read(bias);
                vectorize(|| repeat(bias, block, sums));
                beta = Beta::Accumulate;
            }
            let weight = MatRef::row_major(bank.read(layer.weight), inputs, units).transposed();
            let x = MatRef::row_major(input, inputs, block);
            direct.multiply(weight, x, &mut MatMut::row_major(sums, units, block), beta);
            vectorize(Finish { bias: None, activation, col: 0, run: sums, beside });
            input = output;
        }
    }

    /// The losses of the rows, and dL/dz of the last layer; `picked` are the rows of all targets.
    ///
    /// # Errors
    /// As [`losses`].
    pub(super) fn loss(
        &mut self,
        pass: &Pass,
        bank: &Bank,
        (picked, rows): (Picked, Range<usize>),
        row_losses: &mut [f32],
    ) -> Result<()> {
        let Self { direct, block, layers, deltas: [delta, _], rows: delta_rows, outputs, .. } =
            self;
        let (Some(layer), Some(values)) = (pass.layers.last(), layers.last()) else {
            return Ok(());
        };
        let (block, count, units) = (*block, rows.len(), layer.units());
        let cached = values.cached(layer);
        if units == 1 {
            // A column is a row.
            let cached = cached.map(|cached| &cached[..count]);
            let outputs = Outputs { rows, values: &values.output[..count], cached };
            losses(&pass.loss, bank, picked, outputs, &mut delta[..count], row_losses)?;
        } else {
            let [by_row, cached_by_row] = outputs.each_mut().map(|rows| &mut rows[..count * units]);
            let turn_back = |from: &[f32], to: &mut [f32]| {
                direct.transpose(MatRef::strided(from, units, count, block, 1).into(), to, units);
            };
            turn_back(&values.output, by_row);
            if let Some(cached) = cached {
                turn_back(cached, cached_by_row);
            }
            let cached = cached.map(|_| &*cached_by_row);
            let outputs = Outputs { rows, values: by_row, cached };
            let delta_rows = &mut delta_rows[..count * units];
            losses(&pass.loss, bank, picked, outputs, delta_rows, row_losses)?;
            direct.transpose(MatRef::row_major(delta_rows, count, units).into(), delta, block);
        }
        let turned = delta[..units * block].chunks_exact_mut(block);
        turned.for_each(|unit| unit[count..].fill(0.0));
        Ok(())
    }

    /// The gradients of all layers, into a part of their buffer that begins with its word `first`.
    pub(super) fn backward(
        &mut self,
        pass: &Pass,
        bank: &Bank,
        into: &mut [f32],
        (first, beta): (usize, Beta),
    ) {
        let Self { direct, block, input, layers, deltas: [delta, before], rows, ones, .. } = self;
        let (block, mut delta, mut before) = (*block, &mut **delta, &mut **before);
        let place = |view: View| {
            let start = view.offset - first;
            start..start + view.shape.len()
        };
        for (i, layer) in pass.layers.iter().enumerate().rev() {
            let (inputs, units) = (layer.inputs(), layer.units());
            let below = i.checked_sub(1).map(|i| (&pass.layers[i], &layers[i]));
            let input = below.map_or(&**input, |(_, values)| &*values.output);
            let input = MatRef::row_major(input, inputs, block);
            let d = MatRef::row_major(delta, units, block);
            let gradient = &mut into[place(layer.weight)];
            let mut gradient = MatMut::row_major(gradient, inputs, units);
            if dots_pay(inputs, units, block) {
                direct.dots(input, d, &mut gradient, beta);
            } else {
                direct.transpose(d.into(), rows, units);
                direct.multiply(input, MatRef::row_major(rows, block, units), &mut gradient, beta);
            }
            if let Some(bias) = layer.bias {
                let mut bias = MatMut::row_major(&mut into[place(bias)], 1, units);
                direct.dots(MatRef::row_major(ones, 1, block), d, &mut bias, beta);
            }
            let Some((below, values)) = below else { return };
            let weight = MatRef::row_major(bank.read(layer.weight), inputs, units);
            let mut product = MatMut::row_major(before, inputs, block);
            direct.multiply(weight, d, &mut product, Beta::Overwrite);
            let (activation, cached) = (below.activation, values.cached(below));
            vectorize(Chain { activation, cached, run: &mut before[..inputs * block] });
            std::mem::swap(&mut delta, &mut before);
        }
    }
}

/// Whether a weight's gradient takes less time as dot products along the rows, in sixteenths of a cycle.
/// Tiles take a cycle a row for each vector of units, and for less than four inputs as long as for four, as
/// each addition waits for the one before; the delta has to be turned back for them. The lanes of a dot
/// product have to be added up.
const fn dots_pay(inputs: usize, units: usize, rows: usize) -> bool {
    let at_once = if inputs < 4 { 4 } else { inputs };
    inputs * units * (rows + 148) < rows * (17 * at_once * units.div_ceil(UNIT) + 10 * units)
}

/// Each number `times` times.
#[inline(always)]
fn repeat(numbers: &[f32], times: usize, to: &mut [f32]) {
    for (to, x) in to.chunks_exact_mut(times).zip(numbers) {
        to.fill(*x);
    }
}
