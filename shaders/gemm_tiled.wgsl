// C = A . B by tiles of TILE x TILE in workgroup memory, DEPTH deep; BLOCKS x BLOCKS blocks of 4 x 4
// elements a thread, in named registers. Operands, bindings and epilogue: gemm.wgsl.
//
// Grid: one workgroup of SIDE x SIDE threads a tile and split: tiles of a row first, then rows of
// tiles, then splits.

override SIDE: u32 = 16u;
override BLOCKS: u32 = 1u;
override THREADS: u32 = SIDE * SIDE;
override DEPTH: u32 = SIDE;
// Vectors of 4 elements along a tile's side: a multiple of 8.
override VECTORS: u32 = SIDE * BLOCKS;
override TILE: u32 = 4u * VECTORS;
override TILE_VECTORS: u32 = DEPTH * VECTORS;
// Tiles that there is memory for: 2 spare a barrier, as the next is written while one is read.
override STAGES: u32 = 1u;
override ALL_VECTORS: u32 = STAGES * TILE_VECTORS;

// Both tiles have k as their rows, as `place_of` tells.
var<workgroup> a_tile: array<vec4<f32>, ALL_VECTORS>;
var<workgroup> b_tile: array<vec4<f32>, ALL_VECTORS>;

// Where a tile has a vector of row k: swapped with others of the row, so that a column, of which threads
// write one at a time, lies in all banks.
fn place_of(k: u32, vector: u32) -> u32 {
    return k * VECTORS + (vector ^ (k % 8u));
}

// Where rows i .. i + 3 of A begin, if A is not transposed.
fn a_rows(i: u32) -> vec4<u32> {
    if (TRANSPOSE_A == 1u) {
        return vec4(0u);
    }
    let last = params.m - 1u;
    return vec4(
        a_row(min(i, last)),
        a_row(min(i + 1u, last)),
        a_row(min(i + 2u, last)),
        a_row(min(i + 3u, last)),
    );
}

// A(i .. i + 3, k); what lies beyond m is not stored, and needs no value.
fn load_a(rows: vec4<u32>, i: u32, k: u32, end: u32) -> vec4<f32> {
    if (k >= end) {
        return vec4(0.0);
    }
    if (TRANSPOSE_A == 0u) {
        return vec4(
            a_word(rows.x + k),
            a_word(rows.y + k),
            a_word(rows.z + k),
            a_word(rows.w + k),
        );
    }
    let row = a_row(k);
    let ones = vec4(i, i + 1u, i + 2u, i + 3u) == vec4(params.ones);
    return select(a_quad(row + i, row + params.a_cols - 1u), vec4(1.0), ones);
}

// B(k, j .. j + 3); what lies beyond n is not stored, and needs no value.
fn load_b(j: u32, k: u32, end: u32) -> vec4<f32> {
    if (k >= end) {
        return vec4(0.0);
    }
    if (TRANSPOSE_B == 0u) {
        let row = params.b + k * params.b_cols;
        return b_quad(row + j, row + params.b_cols - 1u);
    }
    let columns = min(vec4(j, j + 1u, j + 2u, j + 3u), vec4(params.n - 1u));
    let at = params.b + columns * params.b_cols + k;
    return vec4(b_word(at.x), b_word(at.y), b_word(at.z), b_word(at.w));
}

// What a thread puts into the tiles: one vector of each or, with BLOCKS of 2, two that are SIDE apart.
struct Fetched {
    a0: vec4<f32>,
    a1: vec4<f32>,
    b0: vec4<f32>,
    b1: vec4<f32>,
}

// The place of the vector that a thread loads: neighbours take neighbouring words of memory.
struct Place {
    vector: u32,
    k: u32,
}

fn place(transposed: bool, thread: u32) -> Place {
    if (transposed) {
        return Place(thread % SIDE, thread / SIDE);
    }
    return Place(thread / DEPTH, thread % DEPTH);
}

fn store_block(split: u32, i: u32, j: u32, r0: vec4<f32>, r1: vec4<f32>, r2: vec4<f32>, r3: vec4<f32>) {
    store_quad(split, i, j, r0);
    store_quad(split, i + 1u, j, r1);
    store_quad(split, i + 2u, j, r2);
    store_quad(split, i + 3u, j, r3);
}

@compute @workgroup_size(THREADS)
fn gemm_tiled(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let across = (params.n + TILE - 1u) / TILE;
    let down = (params.m + TILE - 1u) / TILE;
    let number = group_number(group, groups);
    let split = number / (across * down);
    if (split >= params.splits) {
        return;
    }
    let top = number / across % down * TILE;
    let left = number % across * TILE;
    let begin = split * params.per_split;
    let end = min(begin + params.per_split, params.k);

    let a_place = place(TRANSPOSE_A == 1u, thread);
    let b_place = place(TRANSPOSE_B == 0u, thread);
    let a_i = top + 4u * a_place.vector;
    let b_j = left + 4u * b_place.vector;
    let a_rows0 = a_rows(a_i);
    let a_rows1 = a_rows(a_i + 4u * SIDE);

    let x = thread % SIDE;
    let y = thread / SIDE;
    var r00 = vec4(0.0); var r01 = vec4(0.0); var r02 = vec4(0.0); var r03 = vec4(0.0);
    var r10 = vec4(0.0); var r11 = vec4(0.0); var r12 = vec4(0.0); var r13 = vec4(0.0);
    var r20 = vec4(0.0); var r21 = vec4(0.0); var r22 = vec4(0.0); var r23 = vec4(0.0);
    var r30 = vec4(0.0); var r31 = vec4(0.0); var r32 = vec4(0.0); var r33 = vec4(0.0);
    // Fetched before the products of the tiles before it, so that both overlap; at the end nothing is left.
    var next: Fetched;
    next.a0 = load_a(a_rows0, a_i, begin + a_place.k, end);
    next.b0 = load_b(b_j, begin + b_place.k, end);
    if (BLOCKS == 2u) {
        next.a1 = load_a(a_rows1, a_i + 4u * SIDE, begin + a_place.k, end);
        next.b1 = load_b(b_j + 4u * SIDE, begin + b_place.k, end);
    }
    for (var k0 = begin; k0 < end; k0 += DEPTH) {
        let stage = (k0 - begin) / DEPTH % STAGES * TILE_VECTORS;
        if (STAGES == 1u) {
            // Everybody has read the tiles before.
            workgroupBarrier();
        }
        a_tile[stage + place_of(a_place.k, a_place.vector)] = next.a0;
        b_tile[stage + place_of(b_place.k, b_place.vector)] = next.b0;
        if (BLOCKS == 2u) {
            a_tile[stage + place_of(a_place.k, a_place.vector + SIDE)] = next.a1;
            b_tile[stage + place_of(b_place.k, b_place.vector + SIDE)] = next.b1;
        }
        workgroupBarrier();
        next.a0 = load_a(a_rows0, a_i, k0 + DEPTH + a_place.k, end);
        next.b0 = load_b(b_j, k0 + DEPTH + b_place.k, end);
        if (BLOCKS == 2u) {
            next.a1 = load_a(a_rows1, a_i + 4u * SIDE, k0 + DEPTH + a_place.k, end);
            next.b1 = load_b(b_j + 4u * SIDE, k0 + DEPTH + b_place.k, end);
        }
        for (var k = 0u; k < DEPTH; k++) {
            let u = a_tile[stage + place_of(k, y)];
            let v = b_tile[stage + place_of(k, x)];
            r00 = fma(vec4(u.x), v, r00);
            r01 = fma(vec4(u.y), v, r01);
            r02 = fma(vec4(u.z), v, r02);
            r03 = fma(vec4(u.w), v, r03);
            if (BLOCKS == 2u) {
                let s = a_tile[stage + place_of(k, y + SIDE)];
                let t = b_tile[stage + place_of(k, x + SIDE)];
                r10 = fma(vec4(u.x), t, r10);
                r11 = fma(vec4(u.y), t, r11);
                r12 = fma(vec4(u.z), t, r12);
                r13 = fma(vec4(u.w), t, r13);
                r20 = fma(vec4(s.x), v, r20);
                r21 = fma(vec4(s.y), v, r21);
                r22 = fma(vec4(s.z), v, r22);
                r23 = fma(vec4(s.w), v, r23);
                r30 = fma(vec4(s.x), t, r30);
                r31 = fma(vec4(s.y), t, r31);
                r32 = fma(vec4(s.z), t, r32);
                r33 = fma(vec4(s.w), t, r33);
            }
        }
    }
    let i = top + 4u * y;
    let j = left + 4u * x;
    store_block(split, i, j, r00, r01, r02, r03);
    if (BLOCKS == 2u) {
        store_block(split, i, j + 4u * SIDE, r10, r11, r12, r13);
        store_block(split, i + 4u * SIDE, j, r20, r21, r22, r23);
        store_block(split, i + 4u * SIDE, j + 4u * SIDE, r30, r31, r32, r33);
    }
}
