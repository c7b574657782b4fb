// output = exp(input - largest) / sum exp(input - largest) by rows, or its logarithm.
//
// input, output (rows, cols). Bindings: params, input, output.
// Grid: rows / (THREADS / LANES) workgroups.

struct Params {
    rows: u32,
    cols: u32,
    input: u32,
    output: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> input: array<f32>;
@group(1) @binding(2) var<storage, read_write> output: array<f32>;

override LOGARITHM: u32 = 0u;

@compute @workgroup_size(THREADS)
fn softmax(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let lane = thread % LANES;
    let row = group_number(group, groups) * (THREADS / LANES) + thread / LANES;
    // Rows beyond the end are computed as copies of the last, and not stored.
    let from_row = params.input + min(row, params.rows - 1u) * params.cols;
    let to_row = params.output + row * params.cols;

    var largest = input[from_row];
    for (var col = lane; col < params.cols; col += LANES) {
        largest = max(largest, input[from_row + col]);
    }
    largest = lanes_max(thread, largest);
    var sum = 0.0;
    for (var col = lane; col < params.cols; col += LANES) {
        sum += exp(input[from_row + col] - largest);
    }
    sum = lanes_sum(thread, sum);
    if (row >= params.rows) {
        return;
    }
    let inverse = 1.0 / sum;
    let log_sum = log(sum);
    for (var col = lane; col < params.cols; col += LANES) {
        let difference = input[from_row + col] - largest;
        if (LOGARITHM == 1u) {
            output[to_row + col] = difference - log_sum;
        } else {
            output[to_row + col] = exp(difference) * inverse;
        }
    }
}
