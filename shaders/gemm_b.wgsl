// B as single words, wherever its rows begin.

@group(1) @binding(2) var<storage, read> b: array<f32>;

// The words at, at + 1, .. at + 3, none beyond `last`.
fn b_quad(at: u32, last: u32) -> vec4<f32> {
    let place = min(at + vec4(0u, 1u, 2u, 3u), vec4(last));
    return factor_b(vec4(b[place.x], b[place.y], b[place.z], b[place.w]));
}

fn b_word(at: u32) -> f32 {
    return factor_b(vec4(b[at])).x;
}


fn b_staged(at: u32, last: u32) -> Staged {
    return Staged(b_quad(at, last));
}
