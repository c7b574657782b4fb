// What the kernels that run many whole steps share: the steps, the data, and what the formulas of
// losses and updates need to find around them.
//
// Rust writes before it what an Element is that the rules of the updates move: a number, or a vector.
//
// Bindings of group 0: the span of the steps to run; of group 1: the steps, features, targets, order,
// losses, parameters, then as many moments as there are. Grid: one workgroup a network.
//
// Networks that are trained side by side, the members, each have numbers of their own in the buffers: a
// member's lie by its number times ..._STRIDE behind those of the first. Where all share them, or there
// is but one network, the stride is 0.

// A training step; `Step` in Rust.
struct Step {
    args: StepArgs,
    // The rows of the minibatch.
    rows: u32,
    // What deltas and the sum of the row losses are multiplied with.
    delta_scale: f32,
    loss_scale: f32,
    padding: u32,
}

struct Span {
    first: u32,
    count: u32,
    // From the steps of one member to those of the next.
    stride: u32,
}

@group(0) @binding(0) var<uniform> span: Span;
@group(1) @binding(0) var<storage, read> steps: array<Step>;
@group(1) @binding(1) var<storage, read> features: array<f32>;
@group(1) @binding(2) var<storage, read> targets: array<u32>;
@group(1) @binding(3) var<storage, read> order: array<u32>;
@group(1) @binding(4) var<storage, read_write> losses: array<f32>;
@group(1) @binding(5) var<storage, read_write> stored: array<f32>;

override THREADS: u32 = 64u;
override LOSS: u32 = 0u;
// Whether the targets are labels.
override LABELS: u32 = 0u;
override OPTIMIZER: u32 = 0u;
override MOMENTS: u32 = 0u;
override VARIANT: u32 = 0u;

// The network.
var<private> member: u32;
// The arguments of the step under way, and what its deltas are multiplied with.
var<private> args: StepArgs;
var<private> delta_scale: f32;

// One thread has a row of the loss to itself.
const LANES: u32 = 1u;

struct Row {
    thread: u32,
    lane: u32,
    // The row in the minibatch.
    number: u32,
    // Where it begins in `targets`.
    targets: u32,
    label: u32,
}

fn lanes_sum(thread: u32, value: f32) -> f32 {
    return value;
}

fn lanes_max(thread: u32, value: f32) -> f32 {
    return value;
}

fn positive_weight(col: u32) -> f32 {
    return 1.0;
}

fn target_value(row: Row, col: u32) -> f32 {
    if (LABELS == 1u) {
        return select(0.0, 1.0, col == row.label);
    }
    return bitcast<f32>(targets[row.targets + col]);
}

// The loss of row `number` of the minibatch, which is row `at` of the data.
fn loss_of(number: u32, at: u32) -> f32 {
    let own = TARGETS + member * TARGETS_STRIDE;
    let begin = own + at * select(params.cols, 1u, LABELS == 1u);
    var row = Row(0u, 0u, number, begin, 0u);
    if (LABELS == 1u) {
        row.label = min(targets[begin], params.cols - 1u);
    }
    return row_loss(row);
}

// Which row of the data is row i of the minibatch.
fn data_row(i: u32) -> u32 {
    return min(pick_row(i, ORDER + member * ORDER_STRIDE), DATA_ROWS - 1u);
}

// Where the features of row `at` of the data begin.
fn features_of(at: u32, inputs: u32) -> u32 {
    return FEATURES + member * FEATURES_STRIDE + at * inputs;
}

fn store_loss(loss: f32) {
    losses[LOSSES + member * LOSSES_STRIDE + min(args.slot, SLOTS - 1u)] = loss;
}
