// A as single words, wherever its rows begin.

@group(1) @binding(1) var<storage, read> a: array<f32>;

// The words at, at + 1, .. at + 3, none beyond `last`.
fn a_quad(at: u32, last: u32) -> vec4<f32> {
    return vec4(a[min(at, last)], a[min(at + 1u, last)], a[min(at + 2u, last)], a[min(at + 3u, last)]);
}

fn a_word(at: u32) -> f32 {
    return a[at];
}

