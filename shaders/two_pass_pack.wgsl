// Packs the parameters, or a moment, into the vectors of two_pass.wgsl, and unpacks them.
//
// Bindings: stored, packed. Grid: a thread a vector.
// Rust writes `words_of(i)`: the words of vector i.

@group(0) @binding(0) var<storage, read_write> stored: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec4<f32>>;

override THREADS: u32 = 64u;
// 1 to unpack.
override BACK: u32 = 0u;

// Where the words of a vector are stored: so many, `step` apart; the rest of it is zeros.
struct Words {
    begin: u32,
    step: u32,
    count: u32,
}

// The words of vector i of a layer.
fn words_in(layer: Layer, i: u32) -> Words {
    let q = i / (TILE * layer.outputs) * TILE + i % TILE;
    let unit = i / TILE % layer.outputs;
    if (q < layer.vectors) {
        let input = q * WIDTH;
        let begin = layer.stored_weight + input * layer.outputs + unit;
        return Words(begin, layer.outputs, min(WIDTH, layer.inputs - input));
    }
    if (q == layer.vectors && layer.stored_bias != WITHOUT) {
        return Words(layer.stored_bias + unit, 0u, 1u);
    }
    return Words();
}

@compute @workgroup_size(THREADS)
fn pack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= VECTORS) {
        return;
    }
    let words = words_of(i);
    for (var first = 0u; first < WIDTH; first += 4u) {
        let at = (i * WIDTH + first) / 4u;
        var quad = vec4(0.0);
        if (BACK == 1u) {
            quad = packed[at];
        }
        for (var c = 0u; c < 4u; c++) {
            let word = words.begin + (first + c) * words.step;
            if (first + c >= words.count) {
                continue;
            }
            if (BACK == 1u) {
                stored[word] = quad[c];
            } else {
                quad[c] = stored[word];
            }
        }
        if (BACK == 0u) {
            packed[at] = quad;
        }
    }
}
