// Features that do not come in fours; two_pass_features4.wgsl is for those that do.

// Features 4 quad .. 4 quad + 3 of the row that begins at `begin`, zeros beyond the last.
fn feature_quad(begin: u32, quad: u32) -> vec4<f32> {
    let last = vec4(LAYER_0.inputs - 1u);
    let at = 4u * quad + vec4(0u, 1u, 2u, 3u);
    let words = begin + min(at, last);
    let x = vec4(features[words.x], features[words.y], features[words.z], features[words.w]);
    return select(x, vec4(0.0), at > last);
}
