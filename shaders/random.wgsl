// Random numbers by counter, one element a thread:
//   dropout  destination = source with elements dropped; in place if IN_PLACE
//   noise    destination += scale n, n standard normal
//
// Element i of minibatch number n has the two words of Threefry-2x32 (Salmon et al., 2011) at the
// counter (n, i); `random/threefry.rs` gives the same bits.
// Bindings: params, source, destination. Grid: count / THREADS workgroups.

struct Params {
    key: vec2<u32>,
    count: u32,
    source: u32,
    destination: u32,
    // The random word from which on an element is kept.
    threshold: u32,
    // What a kept element is multiplied with, or the noise's standard deviation.
    scale: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> source: array<f32>;
@group(1) @binding(2) var<storage, read_write> destination: array<f32>;

override THREADS: u32 = 64u;
override IN_PLACE: u32 = 0u;

const TAU: f32 = 6.28318530717958647692;

fn rotated(x: u32, by: u32) -> u32 {
    return (x << by) | (x >> (32u - by));
}

fn round(words: vec2<u32>, by: u32) -> vec2<u32> {
    let x = words.x + words.y;
    return vec2(x, rotated(words.y, by) ^ x);
}

fn threefry(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
    let keys = vec3(key, 0x1bd11bdau ^ key.x ^ key.y);
    var words = counter + key;
    words = round(round(round(round(words, 13u), 15u), 26u), 6u) + vec2(keys.y, keys.z + 1u);
    words = round(round(round(round(words, 17u), 29u), 16u), 24u) + vec2(keys.z, keys.x + 2u);
    words = round(round(round(round(words, 13u), 15u), 26u), 6u) + vec2(keys.x, keys.y + 3u);
    words = round(round(round(round(words, 17u), 29u), 16u), 24u) + vec2(keys.y, keys.z + 4u);
    return round(round(round(round(words, 13u), 15u), 26u), 6u) + vec2(keys.z, keys.x + 5u);
}

@compute @workgroup_size(THREADS)
fn dropout(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count) {
        return;
    }
    var x = 0.0;
    if (IN_PLACE == 1u) {
        x = destination[params.destination + i];
    } else {
        x = source[params.source + i];
    }
    let word = threefry(params.key, vec2(args.number, i)).x;
    destination[params.destination + i] = select(x * params.scale, 0.0, word < params.threshold);
}

// The upper 23 bits and a half, over 2^23: exact, never 0 nor 1.
fn unit(word: u32) -> f32 {
    return (f32(word >> 9u) + 0.5) * (1.0 / 8388608.0);
}

@compute @workgroup_size(THREADS)
fn noise(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group_number(group, groups) * THREADS + thread;
    if (i >= params.count) {
        return;
    }
    let words = threefry(params.key, vec2(args.number, i));
    let normal = sqrt(-2.0 * log(unit(words.x))) * cos(TAU * unit(words.y));
    destination[params.destination + i] += params.scale * normal;
}
