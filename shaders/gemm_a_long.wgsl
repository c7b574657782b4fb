// A as pairs of 64-bit integers, where its rows begin and end at multiples of 4 words: for drivers
// to which every element that a thread loads is a loop's iteration, of whatever size.

@group(1) @binding(1) var<storage, read> a: array<vec2<u64>>;

// The words at, at + 1, .. at + 3, all of them in the last vector where they begin beyond `last`.
fn a_quad(at: u32, last: u32) -> vec4<f32> {
    return factor_a(four_words(a[min(at, last) / 4u]));
}

