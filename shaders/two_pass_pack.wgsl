// Packs the parameters, or a moment, into the vectors of two_pass.wgsl, and unpacks them.
//
// Bindings of group 1: stored, packed. Grid: a thread a word of the packed vectors.
// Rust writes `word_of(i, c)`: where number c of vector i is stored, or WITHOUT.

@group(1) @binding(0) var<storage, read_write> stored: array<f32>;
@group(1) @binding(1) var<storage, read_write> packed: array<f32>;

override THREADS: u32 = 64u;
// 1 to unpack.
override BACK: u32 = 0u;

// The same for vector i of a layer.
fn word_in(layer: Layer, i: u32, c: u32) -> u32 {
    let unit = i % layer.outputs;
    let input = i / layer.outputs * WIDTH + c;
    if (i / layer.outputs == layer.vectors) {
        return select(WITHOUT, layer.stored_bias + unit, c == 0u);
    }
    return select(WITHOUT, layer.stored_weight + input * layer.outputs + unit, input < layer.inputs);
}

@compute @workgroup_size(THREADS)
fn pack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= VECTORS * WIDTH) {
        return;
    }
    let word = word_of(i / WIDTH, i % WIDTH);
    let there = word != WITHOUT;
    if (BACK == 0u) {
        packed[i] = select(0.0, stored[select(0u, word, there)], there);
    } else if (there) {
        stored[word] = packed[i];
    }
}
