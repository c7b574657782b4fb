// One element a thread:
//   fill           output = value
//   binary         output = a op b, where b may be a row, a column or a scalar that is repeated
//   scalar         output = a op value
//   activate       output = phi(a)
//   differentiate  output = phi'(a)
//   activate_in_place  output = phi(output)
//   chain          output = output phi'(a), from what forward keeps
//
// count = rows cols elements; b(i, j) is at b + i b_row + j b_col.
// Bindings: params, a, b, output. Grid: count / THREADS workgroups.

struct Params {
    count: u32,
    cols: u32,
    a: u32,
    b: u32,
    b_row: u32,
    b_col: u32,
    output: u32,
    value: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> output: array<f32>;

override THREADS: u32 = 64u;
override OPERATION: u32 = 0u;

fn operate(x: f32, y: f32) -> f32 {
    switch (OPERATION) {
        case 1u: { return x - y; }
        case 2u: { return x * y; }
        case 3u: { return x / y; }
        default: { return x + y; }
    }
}

@compute @workgroup_size(THREADS)
fn fill(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i < params.count) {
        output[params.output + i] = params.value;
    }
}

@compute @workgroup_size(THREADS)
fn binary(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i < params.count) {
        let row = i / params.cols;
        let col = i % params.cols;
        let y = b[params.b + row * params.b_row + col * params.b_col];
        output[params.output + i] = operate(a[params.a + i], y);
    }
}

@compute @workgroup_size(THREADS)
fn scalar(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i < params.count) {
        output[params.output + i] = operate(a[params.a + i], params.value);
    }
}

@compute @workgroup_size(THREADS)
fn activate(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i < params.count) {
        output[params.output + i] = phi(a[params.a + i]);
    }
}

@compute @workgroup_size(THREADS)
fn differentiate(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i < params.count) {
        output[params.output + i] = phi_derivative_at(a[params.a + i]);
    }
}

@compute @workgroup_size(THREADS)
fn activate_in_place(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i < params.count) {
        output[params.output + i] = phi(output[params.output + i]);
    }
}

@compute @workgroup_size(THREADS)
fn chain(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i < params.count) {
        output[params.output + i] *= phi_derivative(a[params.a + i]);
    }
}
