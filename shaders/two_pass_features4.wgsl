// Features whose rows begin and end at multiples of 4 words.

@group(1) @binding(1) var<storage, read> feature_quads: array<vec4<f32>>;

// Features 4 quad .. 4 quad + 3 of the row that begins at `begin`.
fn feature_quad(begin: u32, quad: u32) -> vec4<f32> {
    return feature_quads[begin / 4u + quad];
}
