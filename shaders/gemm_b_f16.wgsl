
// B as f16, four to an element: its rows begin and end at multiples of 4. It was scaled and rounded when
// it was stored.

@group(1) @binding(2) var<storage, read> b: array<vec4<f16>>;

// The numbers at, at + 1, .. at + 3, all of them in the last vector where they begin beyond `last`.
fn b_staged(at: u32, last: u32) -> Staged {
    return b[min(at, last) / 4u];
}
