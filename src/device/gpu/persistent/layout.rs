//! Where everything lies in the memory of the persistent strategy's workgroup, and how long its loops
//! are.

use super::super::fused::places::Places;
use super::super::fused::plan::{Plan, PlanLayer};
use super::super::kernels::{LOOP_LIMIT, Target};

/// The memory of a workgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// The places of each layer's values; (rows, inputs) or (rows, outputs) each, in words.
    pub(super) layers: Vec<Places>,
    /// The words of all values.
    pub(super) values: usize,
    /// Whether the workgroup's memory holds the values; else they are in a buffer.
    pub(super) values_inside: bool,
    pub(super) threads: usize,
    /// The iterations of one thread's loops in a step.
    pub(super) iterations: usize,
}

/// How many parts the sum of the row losses is taken in: `PARTIALS` of `shaders/persistent.wgsl`.
const PARTIALS: usize = 16;

/// The threads of a workgroup. A processor's are the lanes of its vectors, which take turns.
const THREADS: usize = 256;
const SOFTWARE_THREADS: usize = 64;

impl Layout {
    /// The layout of a plan whose minibatches have at most `rows` rows.
    ///
    /// # Errors
    /// What does not fit the adapter.
    pub(super) fn of(plan: &Plan, rows: usize, target: Target) -> Result<Self, String> {
        let kept = plan.words * (1 + plan.moments.len()) + 3 + 2 * rows + PARTIALS;
        if kept > target.max_workgroup_words {
            return Err(format!(
                "parameters, the optimizer's state and the rows' losses take {} bytes, and a \
                 workgroup of this adapter has {}: take fewer or narrower layers",
                4 * kept,
                4 * target.max_workgroup_words
            ));
        }
        let free = target.max_workgroup_words - kept;
        let (values, copied) = (count(plan, rows, false), count(plan, rows, true));
        let copies = copied <= free;
        let values = if copies { copied } else { values };
        let items = rows * plan.widest();
        let most = if target.software { SOFTWARE_THREADS } else { THREADS };
        let threads = most.min(target.max_threads as usize).min(items.next_power_of_two().max(32));
        let layout = Self {
            layers: places(plan, rows, copies),
            values,
            values_inside: values <= free,
            threads,
            iterations: iterations(plan, rows, threads),
        };
        if layout.iterations > LOOP_LIMIT {
            return Err(format!(
                "a step takes one thread {} iterations, and drivers have been seen to end loops \
                 after {LOOP_LIMIT}: take smaller minibatches or narrower layers",
                layout.iterations
            ));
        }
        Ok(layout)
    }
}

/// The words of a minibatch's values.
fn count(plan: &Plan, rows: usize, copies: bool) -> usize {
    let of = |layer: &PlanLayer| rows * layer.outputs * (2 + usize::from(layer.keeps_pre()));
    let copied = if copies { rows * plan.layers[0].inputs } else { 0 };
    copied + plan.layers.iter().map(of).sum::<usize>()
}

fn places(plan: &Plan, rows: usize, copies: bool) -> Vec<Places> {
    let mut end = 0;
    let mut take = |cols: usize| {
        end += rows * cols;
        end - rows * cols
    };
    let mut input = copies.then(|| take(plan.layers[0].inputs));
    let place = |layer: &PlanLayer| {
        let places = Places::of(layer, input, &mut take);
        input = Some(places.output);
        places
    };
    plan.layers.iter().map(place).collect()
}

/// The iterations of one thread's loops in a step: a bound from above, as the loops of
/// `shaders/persistent.wgsl` are written.
fn iterations(plan: &Plan, rows: usize, threads: usize) -> usize {
    let turns = |items: usize| items.div_ceil(threads);
    let layer = |layer: &PlanLayer| {
        let PlanLayer { inputs, outputs, .. } = *layer;
        turns(rows * outputs) * (1 + inputs)
            + turns(rows * inputs) * (1 + outputs)
            + (turns(inputs * outputs) + turns(outputs)) * (1 + rows)
    };
    let gather = turns(rows) + turns(rows * plan.layers[0].inputs);
    // A loss goes over a row at most four times.
    let loss = turns(rows) * (1 + 4 * plan.outputs()) + rows.div_ceil(PARTIALS) + PARTIALS;
    1 + gather + loss + plan.layers.iter().map(layer).sum::<usize>()
}
