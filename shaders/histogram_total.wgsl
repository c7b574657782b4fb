// output[bin] = the sum of the parts that `histogram` leaves.
//
// Bindings: params, parts, output. Grid: BINS / THREADS workgroups.

struct Params {
    parts: u32,
    output: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> parts: array<u32>;
@group(1) @binding(2) var<storage, read_write> output: array<u32>;

override THREADS: u32 = 64u;
override BINS: u32 = 32u;

@compute @workgroup_size(THREADS)
fn histogram_total(@builtin(global_invocation_id) id: vec3<u32>) {
    let bin = id.x;
    if (bin >= BINS) {
        return;
    }
    var count = 0u;
    for (var part = 0u; part < params.parts; part += 1u) {
        count += parts[part * BINS + bin];
    }
    output[params.output + bin] = count;
}
