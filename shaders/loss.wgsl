// row_losses = each row's loss, delta = scale dL/dz, by the codes of `Loss::code`.
//
// 0 mean squared error: loss = sum (y - t)^2,              dL/dy = 2 (y - t)
// 1 cross-entropy:      loss = log sum exp(y) - y[label],  dL/dy = softmax(y) - onehot(label)
// dL/dz = dL/dy phi'(z); the row's largest y is subtracted before exp, so that nothing overflows.
//
// y, cached, delta (batch, cols), targets (rows, cols) f32 or (rows, 1) u32, row_losses (batch, 1).
// Bindings: params, output y, cached, targets, order, delta, row_losses.
// Grid: batch / (THREADS / LANES) workgroups.

struct Params {
    batch: u32,
    cols: u32,
    output: u32,
    cached: u32,
    targets: u32,
    target_rows: u32,
    order: u32,
    delta: u32,
    row_losses: u32,
    scale: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> output: array<f32>;
@group(1) @binding(2) var<storage, read> cached: array<f32>;
@group(1) @binding(3) var<storage, read> targets: array<u32>;
@group(1) @binding(4) var<storage, read> order: array<u32>;
@group(1) @binding(5) var<storage, read_write> delta: array<f32>;
@group(1) @binding(6) var<storage, read_write> row_losses: array<f32>;

override LOSS: u32 = 0u;
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
    // Whether the row is one of the batch.
    real: bool,
}

fn store_delta(row: Row, col: u32, gradient: f32) {
    if (!row.real) {
        return;
    }
    var result = params.scale * gradient;
    if (DERIVATIVE != 0u) {
        result *= activation_derivative(DERIVATIVE, cached[row.cached + col]);
    }
    delta[row.delta + col] = result;
}

fn squared_error(row: Row) -> f32 {
    var sum = 0.0;
    for (var col = row.lane; col < params.cols; col += LANES) {
        let difference = output[row.output + col] - bitcast<f32>(targets[row.targets + col]);
        sum += difference * difference;
        store_delta(row, col, 2.0 * difference);
    }
    return lanes_sum(row.thread, sum);
}

fn cross_entropy(row: Row) -> f32 {
    let label = min(targets[row.targets], params.cols - 1u);
    var largest = output[row.output];
    for (var col = row.lane; col < params.cols; col += LANES) {
        largest = max(largest, output[row.output + col]);
    }
    largest = lanes_max(row.thread, largest);
    var sum = 0.0;
    for (var col = row.lane; col < params.cols; col += LANES) {
        sum += exp(output[row.output + col] - largest);
    }
    sum = lanes_sum(row.thread, sum);
    let inverse = 1.0 / sum;
    for (var col = row.lane; col < params.cols; col += LANES) {
        let probability = exp(output[row.output + col] - largest) * inverse;
        store_delta(row, col, probability - select(0.0, 1.0, col == label));
    }
    return log(sum) + (largest - output[row.output + label]);
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
    let target_cols = select(params.cols, 1u, LOSS == 1u);
    let row = Row(
        thread,
        thread % LANES,
        params.output + i * params.cols,
        params.cached + i * params.cols,
        params.targets + target_row * target_cols,
        params.delta + i * params.cols,
        number < params.batch,
    );
    var value = 0.0;
    if (LOSS == 1u) {
        value = cross_entropy(row);
    } else {
        value = squared_error(row);
    }
    if (row.real && row.lane == 0u) {
        row_losses[params.row_losses + i] = value;
    }
}
