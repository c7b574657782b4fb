// The activations that kernels of products and losses apply to their results, by the codes of
// `Activation::code`: 0 identity, 1 relu, 2 tanh, 3 sigmoid. Such kernels are unrolled, and with them
// what they apply, so that only the cheapest are here; activation.wgsl has them all.
//
// NaN passes through all of them. exp is only taken of arguments <= 0, so that nothing overflows.

// Negative numbers become 0, by bits: comparisons may be compiled as if there were no NaN. As
// integers the negative numbers from -0's successor to -inf are 0x80000001 to 0xff800000.
fn relu(z: f32) -> f32 {
    return select(z, 0.0, bitcast<u32>(z) - 0x80000001u <= 0x7f7fffffu);
}

// (1 - e^-2|z|) / (1 + e^-2|z|) away from zero, and near zero, where that cancels, an odd Taylor
// polynomial; `nn/real.rs` has the same.
fn hyperbolic_tangent(z: f32) -> f32 {
    let magnitude = abs(z);
    let e = exp(-2.0 * magnitude);
    let far = (1.0 - e) / (1.0 + e);
    let s = z * z;
    let p5 = -1382.0 / 155925.0 + s * (21844.0 / 6081075.0);
    let p3 = -17.0 / 315.0 + s * (62.0 / 2835.0 + s * p5);
    let near = magnitude * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * p3)));
    let value = select(far, near, magnitude < 0.3);
    return bitcast<f32>((bitcast<u32>(value) & 0x7fffffffu) | (bitcast<u32>(z) & 0x80000000u));
}

fn sigmoid(z: f32) -> f32 {
    let e = exp(-abs(z));
    return select(1.0, e, z < 0.0) / (1.0 + e);
}

// phi(z)
fn activation_value(code: u32, z: f32) -> f32 {
    switch (code) {
        case 1u: { return relu(z); }
        case 2u: { return hyperbolic_tangent(z); }
        case 3u: { return sigmoid(z); }
        default: { return z; }
    }
}

// phi'(z) from what forward keeps: `Activation::cache`.
fn activation_derivative(code: u32, cached: f32) -> f32 {
    switch (code) {
        case 1u: { return select(0.0, 1.0, cached > 0.0); }
        case 2u: { return 1.0 - cached * cached; }
        case 3u: { return cached * (1.0 - cached); }
        default: { return 1.0; }
    }
}
