// parameters -= rate |parameters| / |direction| direction, where the quotient is 1 if a norm is 0;
// the norms are those before the step.
//
// One element a thread, or 4 where everything lies at multiples of 4; count, parameters and
// direction are in elements, the places of the norms in words.
// Bindings: params, direction, parameter norm, direction norm, parameters.
// Grid: count / THREADS workgroups.

struct Params {
    count: u32,
    parameters: u32,
    direction: u32,
    parameter_norm: u32,
    direction_norm: u32,
    rate_factor: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> direction: array<Element>;
@group(1) @binding(2) var<storage, read> parameter_norm: array<f32>;
@group(1) @binding(3) var<storage, read> direction_norm: array<f32>;
@group(1) @binding(4) var<storage, read_write> parameters: array<Element>;

override THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn trust_step(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count) {
        return;
    }
    let p = parameter_norm[params.parameter_norm];
    let d = direction_norm[params.direction_norm];
    var trust = 1.0;
    if (p > 0.0 && d > 0.0) {
        trust = p / d;
    }
    let rate = args.coefficients[0].x * params.rate_factor * trust;
    parameters[params.parameters + i] -= rate * direction[params.direction + i];
}
