// Features whose rows begin and end at multiples of 8 words.

@group(1) @binding(1) var<storage, read> feature_octets: array<vec4<u64>>;

// Features 8 octet .. 8 octet + 7 of the row that begins at `begin`.
fn feature_octet(begin: u32, octet: u32) -> Pair {
    return pair_of(feature_octets[begin / 8u + octet]);
}
