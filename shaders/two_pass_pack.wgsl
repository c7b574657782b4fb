// Packs the parameters, or a moment, into the vectors of two_pass.wgsl, and unpacks them.
//
// Bindings of group 1: stored, packed. Grid: a thread for 4 words.
// Rust writes `word_of(i, c)`: where number c of vector i is stored, or WITHOUT.

@group(1) @binding(0) var<storage, read_write> stored: array<f32>;
@group(1) @binding(1) var<storage, read_write> packed: array<vec4<f32>>;

override THREADS: u32 = 64u;

// The same for vector i of a layer.
fn word_in(layer: Layer, i: u32, c: u32) -> u32 {
    let unit = i % layer.outputs;
    let input = i / layer.outputs * WIDTH + c;
    if (i / layer.outputs == layer.vectors) {
        return select(WITHOUT, layer.stored_bias + unit, c == 0u);
    }
    return select(WITHOUT, layer.stored_weight + input * layer.outputs + unit, input < layer.inputs);
}

// Where number c of 4 words of the packed vectors is stored.
fn stored_word(quad: u32, c: u32) -> u32 {
    return word_of(4u * quad / WIDTH, 4u * quad % WIDTH + c);
}

@compute @workgroup_size(THREADS)
fn pack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (4u * i >= VECTORS * WIDTH) {
        return;
    }
    var numbers = array<f32, 4>();
    for (var c = 0u; c < 4u; c++) {
        let word = stored_word(i, c);
        if (word != WITHOUT) {
            numbers[c] = stored[word];
        }
    }
    packed[i] = vec4(numbers[0], numbers[1], numbers[2], numbers[3]);
}

@compute @workgroup_size(THREADS)
fn unpack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (4u * i >= VECTORS * WIDTH) {
        return;
    }
    let vector = packed[i];
    let numbers = array(vector.x, vector.y, vector.z, vector.w);
    for (var c = 0u; c < 4u; c++) {
        let word = stored_word(i, c);
        if (word != WITHOUT) {
            stored[word] = numbers[c];
        }
    }
}
