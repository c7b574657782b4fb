// output = the sum of the counts that `mismatch` leaves, as f32.
//
// Bindings: params, counts, output. Grid: one workgroup.

struct Params {
    count: u32,
    output: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> counts: array<u32>;
@group(1) @binding(2) var<storage, read_write> output: array<f32>;

override THREADS: u32 = 64u;

var<workgroup> partial: array<u32, THREADS>;

@compute @workgroup_size(THREADS)
fn mismatch_total(@builtin(local_invocation_index) thread: u32) {
    var count = 0u;
    for (var i = thread; i < params.count; i += THREADS) {
        count += counts[i];
    }
    partial[thread] = count;
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread < width) {
            partial[thread] += partial[thread + width];
        }
    }
    if (thread == 0u) {
        output[params.output] = f32(partial[0]);
    }
}
