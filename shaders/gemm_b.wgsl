// B as single words, wherever its rows begin.

@group(1) @binding(2) var<storage, read> b: array<f32>;

// The words at, at + 1, .. at + 3, none beyond `last`.
fn b_quad(at: u32, last: u32) -> vec4<f32> {
    return vec4(b[min(at, last)], b[min(at + 1u, last)], b[min(at + 2u, last)], b[min(at + 3u, last)]);
}

fn b_word(at: u32) -> f32 {
    return b[at];
}

