// Every activation y = phi(z) and its derivative, by the codes of `Activation::code`; the formulas are
// in activation.wgsl, those of the first four codes in activation_fused.wgsl.

// phi(z) where z is a number; `a` is the parameter.
fn value_of_number(code: u32, a: f32, z: f32) -> f32 {
    switch (code) {
        case 4u: { return select(z, a * z, z < 0.0); }
        case 5u: { return clamp(z, 0.0, 6.0); }
        case 6u: { return elu(z, 1.0, a, 1.0); }
        case 7u: { return elu(z, SELU_SCALE, SELU_ALPHA, 1.0); }
        case 8u: { return elu(z, 1.0, a, a); }
        case 9u: { return gelu(z); }
        case 10u: { return gelu_tanh(z); }
        case 11u: { return silu(z); }
        case 12u: { return mish(z); }
        case 13u: { return max(z, 0.0) + softplus_tail(a * z) / a; }
        case 14u: { return z / (1.0 + abs(z)); }
        case 15u: { return min(z, 0.0) - softplus_tail(z); }
        case 16u: { return hard_sigmoid(z); }
        case 17u: { return hard_swish(z); }
        case 18u: { return clamp(z, -1.0, 1.0); }
        case 19u: { return sine_of(within(a * z, 1e30), 0.0); }
        case 20u: { return bell(within(z, BELL_END), -1.0, 1.0); }
        case 21u: { return exp_times(z, 1.0); }
        default: { return activation_value(code, z); }
    }
}

// phi(z). The formulas compare, which may be compiled as if there were no NaN; one passes here.
fn value_of(code: u32, a: f32, z: f32) -> f32 {
    return select(value_of_number(code, a, z), z, is_nan(z));
}

// phi'(z) from what forward keeps: `Activation::cache`.
fn derivative_of(code: u32, a: f32, cached: f32) -> f32 {
    let z = cached;
    let y = cached;
    switch (code) {
        case 4u: { return select(a, 1.0, y > 0.0); }
        case 5u: { return select(0.0, 1.0, y > 0.0 && y < 6.0); }
        case 6u: { return elu_derivative(z, 1.0, a); }
        case 7u: { return elu_derivative(z, SELU_SCALE, SELU_SCALE * SELU_ALPHA); }
        case 8u: { return exp_times(min(z, 0.0) / a, 1.0); }
        case 9u: { return gelu_derivative(z); }
        case 10u: { return gelu_tanh_derivative(z); }
        case 11u: { return silu_derivative(z); }
        case 12u: { return mish_derivative(z); }
        case 13u: { return logistic(a * z); }
        case 14u: { return softsign_derivative(z); }
        case 15u: { return logistic(-z); }
        case 16u: { return select(0.0, 1.0 / 6.0, abs(z) < 3.0); }
        case 17u: { return hard_swish_derivative(z); }
        case 18u: { return select(0.0, 1.0, abs(y) < 1.0); }
        case 19u: { return a * sine_of(within(a * z, 1e30), 1.0); }
        case 20u: { let near = within(z, BELL_END); return bell(near, -1.0, -2.0 * near); }
        case 21u: { return y; }
        default: { return activation_derivative(code, cached); }
    }
}
