// gradients = LAMB's direction: with the moments m and v moved by the gradient g,
//   correction m / (sqrt(v) change + epsilon) + decay p
//
// One element a thread, or 4 where everything lies at multiples of 4; count and offsets are in
// elements. The step's coefficients are numbered as `Lamb::coefficients` returns them.
// Bindings: params, parameters, gradients, first moment m, second moment v.
// Grid: count / THREADS workgroups.

struct Params {
    constants: vec4<f32>,
    count: u32,
    parameters: u32,
    gradients: u32,
    first: u32,
    second: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> parameters: array<Element>;
@group(1) @binding(2) var<storage, read_write> gradients: array<Element>;
@group(1) @binding(3) var<storage, read_write> first: array<Element>;
@group(1) @binding(4) var<storage, read_write> second: array<Element>;

override THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn direction(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count) {
        return;
    }
    let g = gradients[params.gradients + i];
    var m = first[params.first + i];
    m += args.coefficients[0].z * (g - m);
    first[params.first + i] = m;
    var v = second[params.second + i];
    v += params.constants.y * (g * g - v);
    second[params.second + i] = v;
    let quotient = m / (sqrt(v) * args.coefficients[0].w + params.constants.z);
    gradients[params.gradients + i] = args.coefficients[1].x * quotient
        + params.constants.x * parameters[params.parameters + i];
}
