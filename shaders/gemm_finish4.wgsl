
// C = the sum of the splits' partial products, in order, then the epilogue of gemm_c4.wgsl.
//
// The partial products (splits, m, n) are bound as A. Grid: m n / 4 / THREADS workgroups.

override THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn gemm_finish4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = 4u * (group_number(group, groups) * THREADS + thread);
    let size = params.m * params.n;
    if (at >= size) {
        return;
    }
    var sums = vec4(0.0);
    for (var split = 0u; split < params.splits; split++) {
        let place = split * size + at;
        sums += a_quad(place, place);
    }
    store_quad(0u, at / params.n, at % params.n, sums);
}
