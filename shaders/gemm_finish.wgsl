// C = the sum of the splits' partial products, in order, then the epilogue of gemm.wgsl.
//
// The partial products (splits, m, n) are bound as A. Grid: m n / THREADS workgroups.

override THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn gemm_finish(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = group_number(group, groups) * THREADS + thread;
    let size = params.m * params.n;
    if (at >= size) {
        return;
    }
    var sum = 0.0;
    for (var split = 0u; split < params.splits; split++) {
        sum += a_word(split * size + at);
    }
    finish(at / params.n, at % params.n, sum);
}
