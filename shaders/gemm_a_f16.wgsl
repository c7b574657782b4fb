
// A as f16, four to an element: its rows begin and end at multiples of 4. It was scaled and rounded when
// it was stored.

@group(1) @binding(1) var<storage, read> a: array<vec4<f16>>;

// The numbers at, at + 1, .. at + 3, all of them in the last vector where they begin beyond `last`.
fn a_staged(at: u32, last: u32) -> Staged {
    return a[min(at, last) / 4u];
}
