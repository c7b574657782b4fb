// parameters = the optimizer's step along the gradients, by the rules of `update_rules.wgsl`.
//
// An Element is a word, or a vector of 4 where everything lies at multiples of 4; count and offsets
// are in elements.
// Bindings: params, gradients, parameters, first, second and third moment.
// Grid: count / THREADS workgroups.

struct Params {
    constants: vec4<f32>,
    count: u32,
    parameters: u32,
    gradients: u32,
    first: u32,
    second: u32,
    third: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> gradients: array<Element>;
@group(1) @binding(2) var<storage, read_write> parameters: array<Element>;
@group(1) @binding(3) var<storage, read_write> first: array<Element>;
@group(1) @binding(4) var<storage, read_write> second: array<Element>;
@group(1) @binding(5) var<storage, read_write> third: array<Element>;

override THREADS: u32 = 64u;
override OPTIMIZER: u32 = 0u;
override MOMENTS: u32 = 0u;
override VARIANT: u32 = 0u;

@compute @workgroup_size(THREADS)
fn update(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count) {
        return;
    }
    let p = parameters[params.parameters + i];
    let gradient = gradients[params.gradients + i];
    parameters[params.parameters + i] = moved(i, p, gradient, params.constants);
}
