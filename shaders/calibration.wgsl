// What a multiplication with its addition costs, as the strategies do it: in a loop with both factors out
// of the workgroup's memory, as loops over inputs, units and rows are written; and PRODUCTS an iteration
// in registers, as written out networks and the tiles of products have them. One kernel, as a driver on
// the processor takes tens of milliseconds for each.
//
// group 0, binding 0   the iterations of both loops, and how many threads of a workgroup take part
// group 1, binding 0   one word a thread of a workgroup, between 0 and 1: read, and written as far as a
//                      compiler can tell, so that nothing is left out and a dispatch waits for the one before
//
// Grid: any number of workgroups of THREADS threads, which all do the same.

override THREADS: u32;

// A power of two.
const WORDS: u32 = 256u;

struct Length {
    memory: u32,
    registers: u32,
    threads: u32,
    padding: u32,
}

@group(0) @binding(0) var<uniform> length_of: Length;
@group(1) @binding(0) var<storage, read_write> words: array<f32>;

var<workgroup> held: array<f32, WORDS>;

@compute @workgroup_size(THREADS)
fn calibration(@builtin(local_invocation_index) thread: u32) {
    let factor = words[thread];
    for (var i = thread; i < WORDS; i += THREADS) {
        held[i] = factor;
    }
    workgroupBarrier();
    if (thread >= length_of.threads) {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i < length_of.memory; i++) {
        sum += held[i & (WORDS - 1u)] * held[(i + thread) & (WORDS - 1u)];
    }
    // Each product brings a sum nearer to 1, so that none is ever too large or subnormal.
    let rest = 1.0 - factor;
    var sums = vec4(0.0, 0.25, 0.5, 0.75);
    for (var i = 0u; i < length_of.registers; i++) {
        sums = sums * factor + rest;
        sums = sums * factor + rest;
        sums = sums * factor + rest;
        sums = sums * factor + rest;
        sums = sums * factor + rest;
        sums = sums * factor + rest;
    }
    sum += sums.x + sums.y + sums.z + sums.w;
    // Never that large.
    if (sum > 1e30) {
        words[thread] = sum;
    }
}
