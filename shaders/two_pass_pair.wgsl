// 8 words that are loaded and stored as four 64-bit integers.

struct Pair {
    low: vec4<f32>,
    high: vec4<f32>,
}

fn pair_of(octet: vec4<u64>) -> Pair {
    let low = vec4(u32(octet.x), u32(octet.x >> 32u), u32(octet.y), u32(octet.y >> 32u));
    let high = vec4(u32(octet.z), u32(octet.z >> 32u), u32(octet.w), u32(octet.w >> 32u));
    return Pair(bitcast<vec4<f32>>(low), bitcast<vec4<f32>>(high));
}

fn octet_of(pair: Pair) -> vec4<u64> {
    let low = bitcast<vec4<u32>>(pair.low);
    let high = bitcast<vec4<u32>>(pair.high);
    return vec4<u64>(
        u64(low.x) | (u64(low.y) << 32u),
        u64(low.z) | (u64(low.w) << 32u),
        u64(high.x) | (u64(high.y) << 32u),
        u64(high.z) | (u64(high.w) << 32u),
    );
}

// The pair of lane i, for all lanes.
fn spread(pair: Pair, i: u32) -> Pair {
    return Pair(subgroupShuffle(pair.low, i), subgroupShuffle(pair.high, i));
}

// Two vectors, of which lanes `distance` apart exchange one: those without that bit in their number give b
// for a.
fn exchanged(a: vec4<f32>, b: vec4<f32>, lane: u32, distance: u32) -> Pair {
    let upper = (lane & distance) != 0u;
    let got = subgroupShuffleXor(select(b, a, upper), distance);
    return Pair(select(a, got, upper), select(got, b, upper));
}

// The 8 words of 8 lanes transposed: lane i gets word i of all lanes.
fn transposed(pair: Pair, lane: u32) -> Pair {
    let four = exchanged(pair.low, pair.high, lane, 4u);
    let a = vec4(four.low.xy, four.high.xy);
    let two = exchanged(a, vec4(four.low.zw, four.high.zw), lane, 2u);
    // Words 0 1 4 5 and 2 3 6 7.
    let b = vec4(two.low.xz, two.high.xz);
    let one = exchanged(b, vec4(two.low.yw, two.high.yw), lane, 1u);
    // Words 0 4 2 6 and 1 5 3 7.
    return Pair(
        vec4(one.low.x, one.high.x, one.low.z, one.high.z),
        vec4(one.low.y, one.high.y, one.low.w, one.high.w),
    );
}

// sum + x . w
fn along(sum: f32, x: Pair, w: Pair) -> f32 {
    let a = fma(x.low.z, w.low.z, fma(x.low.y, w.low.y, fma(x.low.x, w.low.x, sum)));
    let b = fma(x.high.y, w.high.y, fma(x.high.x, w.high.x, fma(x.low.w, w.low.w, a)));
    return fma(x.high.w, w.high.w, fma(x.high.z, w.high.z, b));
}

// sum + x factor
fn plus(sum: Pair, x: Pair, factor: f32) -> Pair {
    return Pair(fma(x.low, vec4(factor), sum.low), fma(x.high, vec4(factor), sum.high));
}

fn number_in(pair: Pair, i: u32) -> f32 {
    return select(pair.low, pair.high, i >= 4u)[i % 4u];
}
