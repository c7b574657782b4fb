// C and its epilogue as vectors of 4 words: its rows begin and end at multiples of 4.

@group(1) @binding(4) var<storage, read> extra: array<vec4<f32>>;
@group(1) @binding(5) var<storage, read_write> c: array<vec4<f32>>;
@group(1) @binding(6) var<storage, read_write> pre: array<vec4<f32>>;
@group(1) @binding(7) var<storage, read_write> c_half: array<vec2<u32>>;
@group(1) @binding(8) var<storage, read> extra_half: array<vec2<u32>>;

// Whether C is kept in f16, multiplied by C_HALF_SCALE (the bits of an f32): not, beside f32, or instead.
override C_HALF: u32 = 0u;
override C_HALF_SCALE: u32 = 0x3f800000u;
// Whether what the derivative is computed from is kept in f16.
override EXTRA_HALF: u32 = 0u;

fn values(z: vec4<f32>) -> vec4<f32> {
    return vec4(
        activation_value(ACTIVATION, z.x),
        activation_value(ACTIVATION, z.y),
        activation_value(ACTIVATION, z.z),
        activation_value(ACTIVATION, z.w),
    );
}

fn derivatives(cached: vec4<f32>) -> vec4<f32> {
    return vec4(
        activation_derivative(DERIVATIVE, cached.x),
        activation_derivative(DERIVATIVE, cached.y),
        activation_derivative(DERIVATIVE, cached.z),
        activation_derivative(DERIVATIVE, cached.w),
    );
}

fn cached_quad(place: u32) -> vec4<f32> {
    if (EXTRA_HALF == 1u) {
        return four_halves(extra_half[place]);
    }
    return extra[place];
}

// Stores C(i, j .. j + 3), or one split's part of them.
fn store_quad(split: u32, i: u32, j: u32, products: vec4<f32>) {
    let sums = unscaled(products);
    if (i >= params.m || j >= params.n) {
        return;
    }
    let at = i * params.n + j;
    if (SPLIT == 1u) {
        c[(split * params.m * params.n + at) / 4u] = sums;
        return;
    }
    var z = sums;
    if (BIAS == 1u) {
        z += extra[(params.extra + j) / 4u];
    }
    if (PRE == 1u) {
        pre[(params.pre + at) / 4u] = z;
    }
    if (DERIVATIVE != 0u) {
        z *= derivatives(cached_quad((params.extra + at) / 4u));
    }
    z = values(z);
    let to = select(params.c + at, params.bias + j, i == params.ones) / 4u;
    if (ACCUMULATE == 1u) {
        z += c[to];
    }
    if (C_HALF != 0u) {
        c_half[to] = packed_halves(z, bitcast<f32>(C_HALF_SCALE));
    }
    if (C_HALF != 2u) {
        c[to] = z;
    }
}

