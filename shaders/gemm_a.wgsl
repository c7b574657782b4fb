// A as single words, wherever its rows begin.

@group(1) @binding(1) var<storage, read> a: array<f32>;

// The words at, at + 1, .. at + 3, none beyond `last`.
fn a_quad(at: u32, last: u32) -> vec4<f32> {
    let place = min(at + vec4(0u, 1u, 2u, 3u), vec4(last));
    return factor_a(vec4(a[place.x], a[place.y], a[place.z], a[place.w]));
}

fn a_word(at: u32) -> f32 {
    return factor_a(vec4(a[at])).x;
}


fn a_staged(at: u32, last: u32) -> Staged {
    return Staged(a_quad(at, last));
}
