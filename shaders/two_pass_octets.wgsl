// Features that do not come in eights; two_pass_octets8.wgsl is for those that do.

// Features 8 octet .. 8 octet + 7 of the row that begins at `begin`, zeros beyond the last.
fn feature_octet(begin: u32, octet: u32) -> Pair {
    let last = vec4(LAYER_0.inputs - 1u);
    let at = 8u * octet + vec4(0u, 1u, 2u, 3u);
    let low = begin + min(at, last);
    let high = begin + min(at + 4u, last);
    let x = vec4(features[low.x], features[low.y], features[low.z], features[low.w]);
    let y = vec4(features[high.x], features[high.y], features[high.z], features[high.w]);
    return Pair(select(x, vec4(0.0), at > last), select(y, vec4(0.0), at + 4u > last));
}
