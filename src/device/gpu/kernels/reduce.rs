//! Reductions along rows, columns or everything, and the recording of a step's loss.

use super::{Access, Dispatch, Kernel, LOOP_LIMIT, Slot, Target, grid, lanes, word};
use crate::op::{Axis, Reduction, View};

const SOURCE: &str = concat!(
    include_str!("../../../../shaders/common.wgsl"),
    include_str!("../../../../shaders/reduce.wgsl"),
);

static REDUCE: Kernel = Kernel {
    name: "reduce",
    entry: "reduce",
    source: SOURCE,
    bindings: &[Access::Read, Access::Write],
};

static RECORD: Kernel = Kernel { name: "record", entry: "record", ..REDUCE };

/// The least threads of a workgroup.
const THREADS: usize = 64;

/// Workgroups that keep a large GPU busy.
const ENOUGH_GROUPS: usize = 512;

/// The elements that a thread should have at least for a second dispatch to pay; on processors
/// there are few threads to feed.
const SHORTEST_WALK: usize = 32;

/// `struct Params` of `shaders/reduce.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    outputs: u32,
    length: u32,
    output_stride: u32,
    element_stride: u32,
    input: u32,
    output: u32,
    slices: u32,
    per_slice: u32,
    source_indices: u32,
    slots: u32,
    scale: f32,
}

/// A reduction: `outputs` results of `length` elements each, with the strides between them.
struct Reduce {
    kernel: &'static Kernel,
    reduction: Reduction,
    outputs: usize,
    length: usize,
    output_stride: usize,
    element_stride: usize,
    input: View,
    output: View,
    /// What the last dispatch makes of its sums.
    scale: f32,
    /// The length of what `record` writes to.
    slots: usize,
}

pub(super) fn lower(
    reduction: Reduction,
    axis: Axis,
    input: View,
    output: View,
    target: Target,
) -> Vec<Dispatch> {
    let (rows, cols) = (input.shape.rows, input.shape.cols);
    let (outputs, length, output_stride, element_stride) = match axis {
        Axis::Rows => (rows, cols, cols, 1),
        Axis::Columns => (cols, rows, 1, cols),
        Axis::All => (1, input.shape.len(), 0, 1),
    };
    let reduce = Reduce {
        kernel: &REDUCE,
        reduction,
        outputs,
        length,
        output_stride,
        element_stride,
        input,
        output,
        scale: length as f32,
        slots: 1,
    };
    reduce.dispatches(target)
}

/// losses\[slot\] = scale times the sum of the row losses.
pub(super) fn record(scale: f32, row_losses: View, losses: View, target: Target) -> Vec<Dispatch> {
    let reduce = Reduce {
        kernel: &RECORD,
        reduction: Reduction::Sum,
        outputs: 1,
        length: row_losses.shape.rows,
        output_stride: 0,
        element_stride: 1,
        input: row_losses,
        output: losses,
        scale,
        slots: losses.shape.rows,
    };
    reduce.dispatches(target)
}

/// How one dispatch reduces: its threads, and the slices that the elements are cut into.
#[derive(Clone, Copy)]
struct Stage {
    lanes: usize,
    slices: usize,
    /// Whether it reads elements, and not the results of another stage.
    first: bool,
}

impl Stage {
    /// The results that a workgroup computes.
    fn per_group(self) -> usize {
        self.threads() / self.lanes
    }

    fn threads(self) -> usize {
        self.lanes.max(THREADS)
    }
}

impl Reduce {
    fn dispatches(&self, target: Target) -> Vec<Dispatch> {
        // Neighbouring threads read neighbouring words: along the elements, or across the results.
        let along = self.element_stride == 1 || self.outputs == 1;
        let lanes = if along { lanes(self.length, target) } else { 1 };
        let mut stage = Stage { lanes, slices: 1, first: true };
        let blocks = self.outputs.div_ceil(stage.per_group());
        let shortest = if target.software { 4_096 } else { SHORTEST_WALK };
        stage.slices = slices(self.length, lanes, shortest, blocks);
        let (from, to) = (Slot::Buffer(self.input.buffer), Slot::Buffer(self.output.buffer));
        let output = word(self.output.offset);
        if stage.slices == 1 {
            return vec![self.dispatch(stage, Params { output, ..self.elements() }, [from, to])];
        }
        let count = word(stage.slices);
        let partials = Params {
            length: count,
            output_stride: count,
            element_stride: 1,
            source_indices: word(self.outputs * stage.slices),
            output,
            ..Params::default()
        };
        let second = Stage { lanes: super::lanes(stage.slices, target), slices: 1, first: false };
        let scratch = 2 * self.outputs * stage.slices;
        let mut both = vec![
            self.dispatch(stage, self.elements(), [from, Slot::Scratch]),
            self.dispatch(second, partials, [Slot::Scratch, to]),
        ];
        both.iter_mut().for_each(|dispatch| dispatch.scratch = scratch);
        both
    }

    /// Where the elements are.
    fn elements(&self) -> Params {
        Params {
            length: word(self.length),
            output_stride: word(self.output_stride),
            element_stride: word(self.element_stride),
            input: word(self.input.offset),
            ..Params::default()
        }
    }

    fn dispatch(&self, stage: Stage, params: Params, slots: [Slot; 2]) -> Dispatch {
        let params = Params {
            outputs: word(self.outputs),
            slices: word(stage.slices),
            per_slice: params.length.div_ceil(word(stage.slices)),
            slots: word(self.slots),
            scale: self.scale,
            ..params
        };
        Dispatch {
            kernel: self.kernel,
            constants: vec![
                ("REDUCTION", self.reduction as u32),
                ("RECORD", u32::from(self.kernel == &RECORD)),
                ("FIRST", u32::from(stage.first)),
                ("LAST", u32::from(slots[1] != Slot::Scratch)),
                ("LANES", word(stage.lanes)),
                ("THREADS", word(stage.threads())),
            ],
            params: bytemuck::cast_slice(&[params]).to_vec(),
            slots: slots.to_vec(),
            groups: grid(self.outputs.div_ceil(stage.per_group()) * stage.slices),
            scratch: 0,
            work: self.outputs as u64 * u64::from(params.length),
        }
    }
}

/// Into how many slices to cut `length` elements that `lanes` threads walk, each `shortest` of them
/// at least, where there are `blocks` workgroups without cutting. None is empty.
fn slices(length: usize, lanes: usize, shortest: usize, blocks: usize) -> usize {
    let useful = (ENOUGH_GROUPS / blocks.max(1)).min(length / (lanes * shortest));
    let needed = length.div_ceil(lanes * LOOP_LIMIT);
    let per_slice = length.div_ceil(useful.max(needed).max(1));
    length.div_ceil(per_slice)
}
