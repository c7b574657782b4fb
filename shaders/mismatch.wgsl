// the number of elements with not |a - b| <= absolute + relative |b|; NaN counts, equal infinities
// do not.
//
// counts[group] = the count in PER_GROUP elements; `mismatch_total` adds them up.
// Bindings: params, a, b, counts. Grid: count / PER_GROUP workgroups.

struct Params {
    count: u32,
    a: u32,
    b: u32,
    relative: f32,
    absolute: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> counts: array<u32>;

override THREADS: u32 = 64u;
override PER_GROUP: u32 = 4096u;

var<workgroup> partial: array<u32, THREADS>;

fn differs(x: f32, y: f32) -> bool {
    let difference = abs(x - y);
    let bound = params.absolute + params.relative * abs(y);
    // Infinities match by equality alone, and that by bits.
    let equal = bitcast<u32>(x) == bitcast<u32>(y) && !is_nan(x);
    return !equal && (!is_finite(difference) || is_nan(bound) || !(difference <= bound));
}

// The sum over the workgroup; thread 0 gets it.
fn group_sum(thread: u32, value: u32) -> u32 {
    partial[thread] = value;
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread < width) {
            partial[thread] += partial[thread + width];
        }
    }
    return partial[thread];
}

@compute @workgroup_size(THREADS)
fn mismatch(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group_number(group, groups);
    let start = number * PER_GROUP;
    let end = min(start + PER_GROUP, params.count);
    var count = 0u;
    for (var i = start + thread; i < end; i += THREADS) {
        count += select(0u, 1u, differs(a[params.a + i], b[params.b + i]));
    }
    let sum = group_sum(thread, count);
    if (thread == 0u && start < params.count) {
        counts[number] = sum;
    }
}
