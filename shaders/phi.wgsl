// One activation function, chosen when the kernel is compiled; see activation_cases.wgsl.

override ACTIVATION: u32 = 0u;
// The bits of its parameter.
override PARAMETER: u32 = 0u;

fn phi(z: f32) -> f32 {
    let parameter = PARAMETER;
    return value_of(ACTIVATION, bitcast<f32>(parameter), z);
}

// phi'(z) from what forward keeps.
fn phi_derivative(cached: f32) -> f32 {
    let parameter = PARAMETER;
    return derivative_of(ACTIVATION, bitcast<f32>(parameter), cached);
}

// phi'(z) from z.
fn phi_derivative_at(z: f32) -> f32 {
    switch (ACTIVATION) {
        // Those whose derivatives are computed from y.
        case 1u, 2u, 3u, 4u, 5u, 18u, 21u: { return phi_derivative(phi(z)); }
        default: { return phi_derivative(z); }
    }
}
