// part[bin] = the number of elements x of a workgroup's part in each of BINS equal bins from low to
// high: bin i holds i <= (x - low) / (high - low) BINS < i + 1, the last one high too. NaN and what
// is outside is in none, and nothing is in any if a bound is not finite. `histogram_total` adds the
// parts up.
//
// Whole numbers are added, so the order in which threads come does not matter.
// Bindings: params, input, bounds, parts. Grid: count / per_group workgroups.

struct Params {
    count: u32,
    per_group: u32,
    input: u32,
    bounds: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> input: array<f32>;
@group(1) @binding(2) var<storage, read> bounds: array<f32>;
@group(1) @binding(3) var<storage, read_write> parts: array<u32>;

override THREADS: u32 = 64u;
override BINS: u32 = 32u;
// The bits of the smallest normal f32.
override SMALLEST_NORMAL: u32 = 0u;

var<workgroup> counts: array<atomic<u32>, BINS>;

@compute @workgroup_size(THREADS)
fn histogram(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    for (var bin = thread; bin < BINS; bin += THREADS) {
        atomicStore(&counts[bin], 0u);
    }
    workgroupBarrier();
    let low = bounds[params.bounds];
    let high = bounds[params.bounds + 1u];
    // By halves: the difference of two finite numbers may be infinite.
    let width = 0.5 * high - 0.5 * low;
    let number = group_number(group, groups);
    let start = number * params.per_group;
    let end = min(start + params.per_group, params.count);
    if (is_finite(low) && is_finite(high)) {
        for (var i = start + thread; i < end; i += THREADS) {
            let x = input[params.input + i];
            if (is_finite(x) && low <= x && x <= high) {
                var bin = 0u;
                if (width >= bitcast<f32>(SMALLEST_NORMAL)) {
                    bin = min(u32((0.5 * x - 0.5 * low) / width * f32(BINS)), BINS - 1u);
                }
                atomicAdd(&counts[bin], 1u);
            }
        }
    }
    workgroupBarrier();
    if (start < params.count) {
        for (var bin = thread; bin < BINS; bin += THREADS) {
            parts[number * BINS + bin] = atomicLoad(&counts[bin]);
        }
    }
}
