// Rounding to f16 in f32's bits, to even, as hardware does; what a shader's own conversion does is up to
// its driver.

const LARGEST_HALF: u32 = 0x477fe000u;
// 2^-14: smaller numbers are multiples of 2^-24.
const SMALLEST_NORMAL_HALF: u32 = 0x38800000u;
const HALF_STEP: f32 = 0x1p-24f;

// x scale in f16. Too large a number becomes the largest; NaN and infinity stay.
fn to_half(x: vec4<f32>, scale: f32) -> vec4<f32> {
    let word = bitcast<vec4<u32>>(x * scale);
    let sign = word & vec4(0x80000000u);
    let size = word & vec4(0x7fffffffu);
    let odd = (size >> vec4(13u)) & vec4(1u);
    let normal = min((size + odd + 0xfffu) & vec4(0xffffe000u), vec4(LARGEST_HALF));

    // 24 significant bits, less those below 2^-24; by 25 bits all are gone.
    let significand = (size & vec4(0x7fffffu)) | vec4(0x800000u);
    let drop = min(126u - (size >> vec4(23u)), vec4(25u));
    let last = (significand >> drop) & vec4(1u);
    let steps = (significand + (vec4(1u) << (drop - 1u)) - 1u + last) >> drop;
    let small = bitcast<vec4<u32>>(vec4<f32>(steps) * HALF_STEP);

    let rounded = sign | select(normal, small, size < vec4(SMALLEST_NORMAL_HALF));
    let finite = (bitcast<vec4<u32>>(x) & vec4(0x7f800000u)) != vec4(0x7f800000u);
    return select(x, bitcast<vec4<f32>>(rounded), finite);
}


// x scale in f16, packed.
fn packed_halves(x: vec4<f32>, scale: f32) -> vec2<u32> {
    let halves = to_half(x, scale);
    // Exact, however a driver rounds, but for what is not finite and for subnormal numbers.
    return vec2(pack2x16float(halves.xy), pack2x16float(halves.zw));
}

fn four_halves(packed: vec2<u32>) -> vec4<f32> {
    return vec4(unpack2x16float(packed.x), unpack2x16float(packed.y));
}
