//! Where everything lies in the memory of the two-pass strategy, and how its first layer is split.

use super::super::fused::places::Places;
use super::super::fused::plan::{Plan, PlanLayer};

/// A layer in memory, in vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    /// The vectors of its inputs.
    pub(super) inputs: usize,
    /// The tiles of the vectors of its inputs and of the one with the biases.
    pub(super) tiles: usize,
    /// Where its packed parameters begin.
    pub(super) weight: usize,
    /// Where its deltas are among the turned ones.
    pub(super) turned: usize,
    /// Where its values are in a row's record.
    pub(super) places: Places,
}

/// What a form asks of the memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// The words of a vector.
    pub(super) width: usize,
    /// How many vectors of a unit lie side by side.
    pub(super) tile: usize,
    /// The rows that there is to be memory for.
    pub(super) rows: usize,
    /// Whether deltas are stored by unit too.
    pub(super) turned: bool,
    /// Into about how many slices the inputs of the first layer are cut; 0 where it is summed in one go.
    pub(super) slices: usize,
}

/// The memory of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// The words of a vector, and how many vectors of a unit lie side by side.
    pub(super) width: usize,
    pub(super) tile: usize,
    pub(super) layers: Vec<Packed>,
    /// The vectors of a row's record, whose last one holds its loss.
    pub(super) record: usize,
    /// The rows that there is memory for, and the vectors of the deltas by unit.
    pub(super) rows: usize,
    turned: usize,
    /// The packed parameters, and as many of each moment.
    pub(super) vectors: usize,
    /// Into how many slices the inputs of the first layer are cut, and the vectors of each; none where
    /// the layer is summed in one go.
    pub(super) slices: usize,
    pub(super) slice: usize,
}

impl Layout {
    /// The layout of a plan for a form.
    pub(super) fn of(plan: &Plan, form: Form) -> Self {
        let Form { width, tile, rows, slices, .. } = form;
        let vectors_of = |words: usize| words.div_ceil(width);
        let (mut vectors, mut record, mut turned) = (0, 0, 0);
        let mut input = None;
        let mut take = |units: usize| {
            record += vectors_of(units);
            record - vectors_of(units)
        };
        let place = |layer: &PlanLayer| {
            let inputs = vectors_of(layer.inputs);
            let tiles = (inputs + usize::from(layer.bias.is_some())).div_ceil(tile);
            let places = Places::of(layer, input, &mut take);
            input = Some(places.output);
            let packed = Packed { inputs, tiles, weight: vectors, turned, places };
            vectors += tiles * tile * layer.outputs;
            turned += if form.turned { rows * vectors_of(layer.outputs) } else { 0 };
            packed
        };
        let layers: Vec<Packed> = plan.layers.iter().map(place).collect();
        let slice = layers[0].inputs.div_ceil(slices.max(1));
        let slices = if slices == 0 { 0 } else { layers[0].inputs.div_ceil(slice) };
        Self { width, tile, layers, record: record + 1, rows, turned, vectors, slices, slice }
    }

    /// Where a row's loss is in its record.
    pub(super) fn loss(&self) -> usize {
        self.record - 1
    }

    /// Where the deltas by unit begin: behind the records.
    pub(super) fn turned(&self) -> usize {
        self.rows * self.record
    }

    /// Where the partial sums begin: behind the deltas by unit.
    pub(super) fn partials(&self) -> usize {
        self.turned() + self.turned
    }

    /// The words of records, deltas by unit and partial sums.
    pub(super) fn values(&self, plan: &Plan) -> usize {
        let units = plan.layers[0].outputs.div_ceil(self.width);
        self.width * (self.partials() + self.slices * self.rows * units)
    }
}
