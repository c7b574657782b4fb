// output = the minibatch's weights, brought to a mean of 1: first column x batch / sum of the last.
//
// `weigh_sum` gives partial sums of the last column, a workgroup each: threads sum strided, then as
// a tree. `weigh` adds them up and scales; without MEAN it only picks the rows. Where the sum is 0
// so is the output.
//
// weights (rows, cols) with 1 or 2 columns, output (batch, 1).
// Bindings: params, weights, order, partial sums, destination (partial sums, or output).
// Grid: `weigh_sum` partials workgroups, `weigh` batch / THREADS.

struct Params {
    batch: u32,
    cols: u32,
    weights: u32,
    rows: u32,
    order: u32,
    partials: u32,
    output: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<f32>;
@group(1) @binding(2) var<storage, read> order: array<u32>;
@group(1) @binding(3) var<storage, read> sums: array<f32>;
@group(1) @binding(4) var<storage, read_write> destination: array<f32>;

override THREADS: u32 = 64u;
override MEAN: u32 = 1u;

var<workgroup> partial: array<f32, THREADS>;

fn weight(i: u32, col: u32) -> f32 {
    let row = min(pick_row(i, params.order), params.rows - 1u);
    return weights[params.weights + row * params.cols + col];
}

@compute @workgroup_size(THREADS)
fn weigh_sum(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group_number(group, groups);
    var sum = 0.0;
    let stride = params.partials * THREADS;
    for (var i = number * THREADS + thread; i < params.batch; i += stride) {
        sum += weight(i, params.cols - 1u);
    }
    partial[thread] = sum;
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread < width) {
            partial[thread] += partial[thread + width];
        }
    }
    if (thread == 0u && number < params.partials) {
        destination[number] = partial[0];
    }
}

@compute @workgroup_size(THREADS)
fn weigh(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.batch) {
        return;
    }
    var scale = 1.0;
    if (MEAN == 1u) {
        var sum = 0.0;
        for (var j = 0u; j < params.partials; j++) {
            sum += sums[j];
        }
        scale = select(f32(params.batch) / sum, 0.0, sum == 0.0);
    }
    destination[params.output + i] = scale * weight(i, 0u);
}
