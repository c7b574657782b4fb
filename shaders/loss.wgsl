// row_losses = each row's loss, delta = scale dL/dz, both times the row's weight.
//
// dL/dz = dL/dy phi'(z). The formulas are in `loss_terms.wgsl` and `loss_rows.wgsl`.
//
// y, cached, delta (batch, cols), targets (rows, cols) f32 or (rows, 1) u32, row_losses (batch, 1),
// weights (batch, 1), positive (1, cols).
// Bindings: params, output y, cached, targets, order, weights, positive, delta, row_losses.
// Grid: batch / (THREADS / LANES) workgroups.

struct Params {
    batch: u32,
    cols: u32,
    output: u32,
    cached: u32,
    targets: u32,
    target_rows: u32,
    order: u32,
    weights: u32,
    positive: u32,
    delta: u32,
    row_losses: u32,
    scale: f32,
    // delta, beta, tau or epsilon of the loss.
    constant: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> output: array<f32>;
@group(1) @binding(2) var<storage, read> cached: array<f32>;
@group(1) @binding(3) var<storage, read> targets: array<u32>;
@group(1) @binding(4) var<storage, read> order: array<u32>;
@group(1) @binding(5) var<storage, read> weights: array<f32>;
@group(1) @binding(6) var<storage, read> positive: array<f32>;
@group(1) @binding(7) var<storage, read_write> delta: array<f32>;
@group(1) @binding(8) var<storage, read_write> row_losses: array<f32>;

override LOSS: u32 = 0u;
// Whether the targets are labels.
override LABELS: u32 = 0u;
// Whether rows have weights, and outputs positive ones.
override WEIGHTED: u32 = 0u;
override POSITIVE: u32 = 0u;
// The code of the last layer's activation, if its derivative is not 1.
override DERIVATIVE: u32 = 0u;

struct Row {
    thread: u32,
    lane: u32,
    // Where the row begins in `output`, `cached`, `targets` and `delta`.
    output: u32,
    cached: u32,
    targets: u32,
    delta: u32,
    label: u32,
    weight: f32,
    // Whether the row is one of the batch.
    real: bool,
}

// What the row's target has for an output.
fn target_value(row: Row, col: u32) -> f32 {
    if (LABELS == 1u) {
        return select(0.0, 1.0, col == row.label);
    }
    return bitcast<f32>(targets[row.targets + col]);
}

// A value times the row's weight; a row that does not count may hold anything.
fn weighed(row: Row, value: f32) -> f32 {
    if (WEIGHTED == 0u) {
        return value;
    }
    return select(value * row.weight, 0.0, row.weight == 0.0);
}

fn store_delta(row: Row, col: u32, gradient: f32) {
    if (!row.real) {
        return;
    }
    var result = weighed(row, params.scale * gradient);
    if (DERIVATIVE != 0u) {
        result *= activation_derivative(DERIVATIVE, cached[row.cached + col]);
    }
    delta[row.delta + col] = result;
}

fn output_value(row: Row, col: u32) -> f32 {
    return output[row.output + col];
}

fn positive_weight(col: u32) -> f32 {
    if (POSITIVE == 1u) {
        return positive[params.positive + col];
    }
    return 1.0;
}

@compute @workgroup_size(THREADS)
fn loss(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group_number(group, groups) * (THREADS / LANES) + thread / LANES;
    // Rows beyond the end are computed as copies of the last, and not stored.
    let i = min(number, params.batch - 1u);
    let target_row = min(pick_row(i, params.order), params.target_rows - 1u);
    var row = Row(
        thread,
        thread % LANES,
        params.output + i * params.cols,
        params.cached + i * params.cols,
        params.targets + target_row * select(params.cols, 1u, LABELS == 1u),
        params.delta + i * params.cols,
        0u,
        1.0,
        number < params.batch,
    );
    if (LABELS == 1u) {
        row.label = min(targets[row.targets], params.cols - 1u);
    }
    if (WEIGHTED == 1u) {
        row.weight = weights[params.weights + i];
    }
    let value = weighed(row, row_loss(row));
    if (row.real && row.lane == 0u) {
        row_losses[params.row_losses + i] = value;
    }
}
