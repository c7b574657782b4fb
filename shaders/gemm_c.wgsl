// C and its epilogue as single words, wherever its rows begin.

@group(1) @binding(4) var<storage, read> extra: array<f32>;
@group(1) @binding(5) var<storage, read_write> c: array<f32>;
@group(1) @binding(6) var<storage, read_write> pre: array<f32>;

// Stores an element of C for which all of k is summed up.
fn finish(i: u32, j: u32, sum: f32) {
    let at = i * params.n + j;
    var z = sum;
    if (BIAS == 1u) {
        z += extra[params.extra + j];
    }
    if (PRE == 1u) {
        pre[params.pre + at] = z;
    }
    if (DERIVATIVE != 0u) {
        z *= activation_derivative(DERIVATIVE, extra[params.extra + at]);
    }
    z = activation_value(ACTIVATION, z);
    let to = select(params.c + at, params.bias + j, i == params.ones);
    if (ACCUMULATE == 1u) {
        z += c[to];
    }
    c[to] = z;
}

// Stores an element of C, or of one split's part of it.
fn store(split: u32, i: u32, j: u32, sum: f32) {
    if (i >= params.m || j >= params.n) {
        return;
    }
    if (SPLIT == 1u) {
        c[(split * params.m + i) * params.n + j] = sum;
    } else {
        finish(i, j, sum);
    }
}

// Stores C(i, j .. j + 3), or one split's part of them.
fn store_quad(split: u32, i: u32, j: u32, products: vec4<f32>) {
    let sums = unscaled(products);
    store(split, i, j, sums.x);
    store(split, i, j + 1u, sums.y);
    store(split, i, j + 2u, sums.z);
    store(split, i, j + 3u, sums.w);
}

