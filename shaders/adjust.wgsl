// Between gradient and update, and after it, one element a thread:
//   penalize    values += l1 sign(p) + l2 p
//   clip        values limited to [-limit, limit]
//   limit_norm  values *= min(1, limit / (norm + epsilon)), one norm for all or one a column
//   average     values += share (p - values)
//
// Bindings: params, operand (p or norms), values. Grid: count / THREADS workgroups.

struct Params {
    count: u32,
    operand: u32,
    values: u32,
    // How far apart the norms of neighbouring columns are: 0 or 1.
    norm_stride: u32,
    cols: u32,
    // l1 and l2; limit and epsilon; share.
    first: f32,
    second: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> operand: array<f32>;
@group(1) @binding(2) var<storage, read_write> values: array<f32>;

override THREADS: u32 = 64u;

fn element(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
    return group_number(group, groups) * THREADS + thread;
}

@compute @workgroup_size(THREADS)
fn penalize(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = element(group, groups, thread);
    if (i < params.count) {
        let p = operand[params.operand + i];
        values[params.values + i] += params.first * sign(p) + params.second * p;
    }
}

@compute @workgroup_size(THREADS)
fn clip(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = element(group, groups, thread);
    if (i < params.count) {
        let x = values[params.values + i];
        // A NaN passes through, so that divergence is seen.
        values[params.values + i] = select(clamp(x, -params.first, params.first), x, is_nan(x));
    }
}

@compute @workgroup_size(THREADS)
fn limit_norm(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = element(group, groups, thread);
    if (i < params.count) {
        let norm = operand[params.operand + (i % params.cols) * params.norm_stride];
        let factor = params.first / (norm + params.second);
        values[params.values + i] *= select(min(factor, 1.0), factor, is_nan(factor));
    }
}

@compute @workgroup_size(THREADS)
fn average(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = element(group, groups, thread);
    if (i < params.count) {
        let mean = values[params.values + i];
        values[params.values + i] = mean + params.first * (operand[params.operand + i] - mean);
    }
}
