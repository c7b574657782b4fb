// B as vectors of 4 words: its rows begin and end at multiples of 4.

@group(1) @binding(2) var<storage, read> b: array<vec4<f32>>;

// The words at, at + 1, .. at + 3, all of them in the last vector where they begin beyond `last`.
fn b_quad(at: u32, last: u32) -> vec4<f32> {
    return factor_b(b[min(at, last) / 4u]);
}

fn b_word(at: u32) -> f32 {
    return factor_b(vec4(b[at / 4u][at % 4u])).x;
}


fn b_staged(at: u32, last: u32) -> Staged {
    return Staged(b_quad(at, last));
}
