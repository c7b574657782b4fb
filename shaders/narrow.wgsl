// halves = words SCALE rounded to f16, four at a time; count and first place are in fours. What of the last
// four lies beyond the buffer is not copied: no operand in fours ends there.
// Bindings: params, words, halves. Grid: count / THREADS workgroups.

struct Params {
    first: u32,
    count: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> words: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> halves: array<vec2<u32>>;

override THREADS: u32 = 64u;
override SCALE: u32 = 0x3f800000u;

@compute @workgroup_size(THREADS)
fn narrow(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count || params.first + i >= arrayLength(&words)) {
        return;
    }
    halves[params.first + i] = packed_halves(words[params.first + i], bitcast<f32>(SCALE));
}
