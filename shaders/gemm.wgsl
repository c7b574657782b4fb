// Matrix products: C = A . B with an epilogue. This file has the shapes; A, B and C, with its
// epilogue, are bound by gemm_a.wgsl, gemm_b.wgsl and gemm_c.wgsl, or gemm_a4.wgsl and so on where
// words come in fours. The loops are in gemm_tiled.wgsl and gemm_shuffle.wgsl, and gemm_finish.wgsl
// adds up what is split along k.
//
//   matmul    C = A . B, A or B transposed
//   dense     C = phi(gathered A . B + bias), and the sum itself to `pre`
//   backward  C = (A . B^T) phi'(cached)
//   gradient  C = gathered A^T . B; A^T has one row of ones more, whose products are the column
//             sums of B: the gradient of the bias, which is stored elsewhere in C's buffer
//
// A (m, k), stored as (k, m) if TRANSPOSE_A; B (k, n), stored as (n, k) if TRANSPOSE_B; C (m, n).
// The rows of A as stored are picked out of `source_rows`.
// Bindings: params, a, b, order, extra (bias or cached), c, pre.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    a: u32,
    b: u32,
    c: u32,
    extra: u32,
    pre: u32,
    order: u32,
    source_rows: u32,
    // The columns of A and of B as stored.
    a_cols: u32,
    b_cols: u32,
    // The row of ones of A^T, or 2^32 - 1, and where its products go.
    ones: u32,
    bias: u32,
    // How much of k one split takes, and how many there are.
    per_split: u32,
    splits: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(3) var<storage, read> order: array<u32>;

override TRANSPOSE_A: u32 = 0u;
override TRANSPOSE_B: u32 = 0u;
// Whether C holds something to be added to.
override ACCUMULATE: u32 = 0u;
override BIAS: u32 = 0u;
// The code of phi, if it is not the identity.
override ACTIVATION: u32 = 0u;
// The code of the activation whose derivative is multiplied on, if it is not 1.
override DERIVATIVE: u32 = 0u;
// Whether the sum before phi is kept in `pre`.
override PRE: u32 = 0u;
// Whether A and B are rounded to f16, what they are multiplied by before, and what their products are
// multiplied by after: f32 bits, powers of 2.
override HALF: u32 = 0u;
override A_SCALE: u32 = 0x3f800000u;
override B_SCALE: u32 = 0x3f800000u;
override C_SCALE: u32 = 0x3f800000u;
// Whether C are partial sums, to be finished by gemm_finish.
override SPLIT: u32 = 0u;

// What a product takes for values of A.
fn factor_a(values: vec4<f32>) -> vec4<f32> {
    if (HALF == 1u) {
        return to_half(values, bitcast<f32>(A_SCALE));
    }
    return values;
}

// What a product takes for values of B.
fn factor_b(values: vec4<f32>) -> vec4<f32> {
    if (HALF == 1u) {
        return to_half(values, bitcast<f32>(B_SCALE));
    }
    return values;
}

// What a sum of products stands for.
fn unscaled(sums: vec4<f32>) -> vec4<f32> {
    if (HALF == 1u) {
        return sums * bitcast<f32>(C_SCALE);
    }
    return sums;
}

// Where a row of A, as stored, begins.
fn a_row(row: u32) -> u32 {
    return params.a + min(pick_row(row, params.order), params.source_rows - 1u) * params.a_cols;
}

