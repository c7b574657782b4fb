
// A as f16, four to an element: its rows begin and end at multiples of 4. It was scaled and rounded when
// it was stored.

@group(1) @binding(1) var<storage, read> a: array<vec2<u32>>;

// The numbers at, at + 1, .. at + 3, all of them in the last vector where they begin beyond `last`.
fn a_quad(at: u32, last: u32) -> vec4<f32> {
    return four_halves(a[min(at, last) / 4u]);
}

fn a_word(at: u32) -> f32 {
    let quad = a[at / 4u];
    let pair = select(quad.x, quad.y, (at & 2u) != 0u);
    return unpack2x16float(pair >> (16u * (at & 1u))).x;
}
