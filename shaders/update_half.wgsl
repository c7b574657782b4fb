
// The kernel of update.wgsl where a copy of the parameters is kept in f16, rounded after SCALE (the bits of
// an f32); an Element is a vector of 4. One binding more: the copy.

@group(1) @binding(6) var<storage, read_write> halves: array<vec2<u32>>;

override SCALE: u32 = 0x3f800000u;

@compute @workgroup_size(THREADS)
fn update_half(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count) {
        return;
    }
    let at = params.parameters + i;
    let p = moved(i, parameters[at], gradients[params.gradients + i], params.constants);
    parameters[at] = p;
    halves[at] = packed_halves(p, bitcast<f32>(SCALE));
}
