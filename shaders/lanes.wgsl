// LANES threads work together on a row; a workgroup of THREADS has THREADS / LANES rows.

override LANES: u32 = 1u;
override THREADS: u32 = 64u;

var<workgroup> partial: array<f32, THREADS>;

// The sum over the lanes of a row, in a fixed order; every lane gets it.
fn lanes_sum(thread: u32, value: f32) -> f32 {
    if (LANES == 1u) {
        return value;
    }
    partial[thread] = value;
    for (var width = LANES / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread % LANES < width) {
            partial[thread] += partial[thread + width];
        }
    }
    workgroupBarrier();
    let sum = partial[thread - thread % LANES];
    // Nobody may write again before everybody has read.
    workgroupBarrier();
    return sum;
}

// The largest value of the lanes of a row; every lane gets it.
fn lanes_max(thread: u32, value: f32) -> f32 {
    if (LANES == 1u) {
        return value;
    }
    partial[thread] = value;
    for (var width = LANES / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (thread % LANES < width) {
            partial[thread] = max(partial[thread], partial[thread + width]);
        }
    }
    workgroupBarrier();
    let largest = partial[thread - thread % LANES];
    workgroupBarrier();
    return largest;
}

