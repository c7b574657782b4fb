// B as pairs of 64-bit integers, where its rows begin and end at multiples of 4 words: for drivers
// to which every element that a thread loads is a loop's iteration, of whatever size.

@group(1) @binding(2) var<storage, read> b: array<vec2<u64>>;

// The words at, at + 1, .. at + 3, all of them in the last vector where they begin beyond `last`.
fn b_quad(at: u32, last: u32) -> vec4<f32> {
    return factor_b(four_words(b[min(at, last) / 4u]));
}

