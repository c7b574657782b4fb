// A as vectors of 4 words: its rows begin and end at multiples of 4.

@group(1) @binding(1) var<storage, read> a: array<vec4<f32>>;

// The words at, at + 1, .. at + 3, all of them in the last vector where they begin beyond `last`.
fn a_quad(at: u32, last: u32) -> vec4<f32> {
    return factor_a(a[min(at, last) / 4u]);
}

fn a_word(at: u32) -> f32 {
    return factor_a(vec4(a[at / 4u][at % 4u])).x;
}


fn a_staged(at: u32, last: u32) -> Staged {
    return Staged(a_quad(at, last));
}
