//! Where everything lies in the memory of the two-pass strategy, and how its first layer is split.

use super::super::fused::places::Places;
use super::super::fused::plan::{Plan, PlanLayer};

/// A layer in memory, in vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    /// The vectors of its inputs.
    pub(super) inputs: usize,
    /// Where its packed parameters begin.
    pub(super) weight: usize,
    /// Where its values are in a row's record.
    pub(super) places: Places,
}

/// The memory of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// The words of a vector.
    pub(super) width: usize,
    pub(super) layers: Vec<Packed>,
    /// The vectors of a row's record, whose last one holds its loss.
    pub(super) record: usize,
    /// The rows that there is memory for.
    pub(super) rows: usize,
    /// The packed parameters, and as many of each moment.
    pub(super) vectors: usize,
    /// Into how many slices the inputs of the first layer are cut, and the vectors of each; none where
    /// the layer is summed in one go.
    pub(super) slices: usize,
    pub(super) slice: usize,
}

impl Layout {
    /// The layout of a plan in vectors of `width` words, with memory for `rows` rows, and the first layer
    /// cut into about `slices`.
    pub(super) fn of(plan: &Plan, width: usize, rows: usize, slices: usize) -> Self {
        let vectors_of = |words: usize| words.div_ceil(width);
        let (mut vectors, mut record) = (0, 0);
        let mut input = None;
        let mut take = |units: usize| {
            record += vectors_of(units);
            record - vectors_of(units)
        };
        let place = |layer: &PlanLayer| {
            let weight = vectors;
            let inputs = vectors_of(layer.inputs);
            vectors += (inputs + usize::from(layer.bias.is_some())) * layer.outputs;
            let places = Places::of(layer, input, &mut take);
            input = Some(places.output);
            Packed { inputs, weight, places }
        };
        let layers: Vec<Packed> = plan.layers.iter().map(place).collect();
        let slice = layers[0].inputs.div_ceil(slices.max(1));
        let slices = if slices == 0 { 0 } else { layers[0].inputs.div_ceil(slice) };
        Self { width, layers, record: record + 1, rows, vectors, slices, slice }
    }

    /// Where a row's loss is in its record.
    pub(super) fn loss(&self) -> usize {
        self.record - 1
    }

    /// Where the partial sums begin: behind the records.
    pub(super) fn partials(&self) -> usize {
        self.rows * self.record
    }

    /// The words of records and partial sums.
    pub(super) fn values(&self, plan: &Plan) -> usize {
        let units = plan.layers[0].outputs.div_ceil(self.width);
        self.width * (self.partials() + self.slices * self.rows * units)
    }
}
