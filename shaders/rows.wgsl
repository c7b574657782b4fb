// Moving rows, word by word, whatever the words mean:
//   gather   output row i = the minibatch's row i, if the part of rows first .. first + rows has it
//   scatter  output row first_row + i = input row i
//   keep     output row keep = the input, flat; there is none in steps that keep nothing
//
// count = rows moved x cols. Bindings: params, source, order, destination.
// Grid: count / THREADS workgroups.

struct Params {
    count: u32,
    cols: u32,
    input: u32,
    output: u32,
    order: u32,
    first: u32,
    rows: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> source: array<u32>;
@group(1) @binding(2) var<storage, read> order: array<u32>;
@group(1) @binding(3) var<storage, read_write> destination: array<u32>;

override THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count) {
        return;
    }
    // A row before the part wraps around to a large number, which the part does not have either.
    let row = pick_row(i / params.cols, params.order) - params.first;
    if (row < params.rows) {
        let col = i % params.cols;
        destination[params.output + i] = source[params.input + row * params.cols + col];
    }
}

@compute @workgroup_size(THREADS)
fn scatter(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    let row = args.first_row + i / params.cols;
    if (i < params.count && row < params.rows) {
        let at = row * params.cols + i % params.cols;
        destination[params.output + at] = source[params.input + i];
    }
}

@compute @workgroup_size(THREADS)
fn keep(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i < params.count && args.keep < params.rows) {
        destination[params.output + args.keep * params.cols + i] = source[params.input + i];
    }
}
