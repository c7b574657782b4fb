
// C = A . B on cooperative matrices: products of f16, sums of f32. DOWN x ACROSS subgroups compute a tile
// of ROWS x COLUMNS, each of them 4 x 2 matrices of SIZE x SIZE (gemm_coop8.wgsl, gemm_coop16.wgsl), out of
// tiles of A and B in workgroup memory, DEPTH deep. Operands, bindings and epilogue: gemm.wgsl.
//
// What a thread stages next it fetches before it multiplies, so that the fetch and the products overlap.
// Tiles lie as A and B are stored: transposed ones are read by columns. Elements of a matrix belong to nobody
// in particular, so the epilogue goes through workgroup memory.
//
// Grid: one workgroup a tile and split: tiles of a row first, then rows of tiles, then splits.

override LANES: u32 = 32u;
override DOWN: u32 = 2u;
override ACROSS: u32 = 4u;
override THREADS: u32 = LANES * DOWN * ACROSS;
override ROWS: u32 = 4u * SIZE * DOWN;
override COLUMNS: u32 = 2u * SIZE * ACROSS;
const DEPTH: u32 = 2u * SIZE;
// Vectors of 4 that lie behind a row, so that rows begin in different banks.
const PADDING: u32 = 2u;
// The tiles as they are stored: rows, vectors of 4 in a row, and from row to row.
override A_HEIGHT: u32 = DEPTH * TRANSPOSE_A + ROWS * (1u - TRANSPOSE_A);
override A_WIDTH: u32 = (ROWS * TRANSPOSE_A + DEPTH * (1u - TRANSPOSE_A)) / 4u;
override A_PITCH: u32 = A_WIDTH + PADDING;
override A_VECTORS: u32 = A_HEIGHT * A_PITCH;
override B_HEIGHT: u32 = COLUMNS * TRANSPOSE_B + DEPTH * (1u - TRANSPOSE_B);
override B_WIDTH: u32 = (DEPTH * TRANSPOSE_B + COLUMNS * (1u - TRANSPOSE_B)) / 4u;
override B_PITCH: u32 = B_WIDTH + PADDING;
override B_VECTORS: u32 = B_HEIGHT * B_PITCH;
// How many vectors of each tile a thread stages: 4 or 8.
override A_SHARE: u32 = A_HEIGHT * A_WIDTH / THREADS;
override B_SHARE: u32 = B_HEIGHT * B_WIDTH / THREADS;
// One matrix of sums a subgroup.
const SUM_WIDTH: u32 = SIZE / 4u;
override SUM_VECTORS: u32 = SIZE * SUM_WIDTH * DOWN * ACROSS;

var<workgroup> a_tile: array<vec4<f16>, A_VECTORS>;
var<workgroup> b_tile: array<vec4<f16>, B_VECTORS>;
var<workgroup> sum_tile: array<vec4<f32>, SUM_VECTORS>;

// Vector number `vector` of A's tile at row `top` and k.
fn fetch_a(top: u32, k: u32, end: u32, vector: u32) -> vec4<f16> {
    let y = vector / A_WIDTH;
    let x = 4u * (vector % A_WIDTH);
    if (TRANSPOSE_A == 0u) {
        let row = a_row(min(top + y, params.m - 1u));
        return until(end, k + x, a_staged(row + k + x, row + params.a_cols - 1u));
    }
    if (k + y >= end) {
        return vec4<f16>();
    }
    let row = a_row(k + y);
    let i = top + x;
    let ones = i + vec4(0u, 1u, 2u, 3u) == vec4(params.ones);
    return select(a_staged(row + i, row + params.a_cols - 1u), vec4(1.0h), ones);
}

// The same of B's tile at column `left`.
fn fetch_b(left: u32, k: u32, end: u32, vector: u32) -> vec4<f16> {
    let y = vector / B_WIDTH;
    let x = 4u * (vector % B_WIDTH);
    if (TRANSPOSE_B == 1u) {
        let row = params.b + min(left + y, params.n - 1u) * params.b_cols;
        return until(end, k + x, b_staged(row + k + x, row + params.b_cols - 1u));
    }
    if (k + y >= end) {
        return vec4<f16>();
    }
    let row = params.b + (k + y) * params.b_cols;
    return b_staged(row + left + x, row + params.b_cols - 1u);
}

// values, with those for k beyond the end made zero
fn until(end: u32, k: u32, values: vec4<f16>) -> vec4<f16> {
    return select(vec4<f16>(), values, k + vec4(0u, 1u, 2u, 3u) < vec4(end));
}

// What a thread stages of a tile: vectors number thread, thread + THREADS and so on.
struct Share {
    v0: vec4<f16>, v1: vec4<f16>, v2: vec4<f16>, v3: vec4<f16>,
    v4: vec4<f16>, v5: vec4<f16>, v6: vec4<f16>, v7: vec4<f16>,
}

fn fetch_a_share(top: u32, k: u32, end: u32, thread: u32) -> Share {
    var share: Share;
    share.v0 = fetch_a(top, k, end, thread);
    share.v1 = fetch_a(top, k, end, thread + THREADS);
    share.v2 = fetch_a(top, k, end, thread + 2u * THREADS);
    share.v3 = fetch_a(top, k, end, thread + 3u * THREADS);
    if (A_SHARE > 4u) {
        share.v4 = fetch_a(top, k, end, thread + 4u * THREADS);
        share.v5 = fetch_a(top, k, end, thread + 5u * THREADS);
        share.v6 = fetch_a(top, k, end, thread + 6u * THREADS);
        share.v7 = fetch_a(top, k, end, thread + 7u * THREADS);
    }
    return share;
}

fn fetch_b_share(left: u32, k: u32, end: u32, thread: u32) -> Share {
    var share: Share;
    share.v0 = fetch_b(left, k, end, thread);
    share.v1 = fetch_b(left, k, end, thread + THREADS);
    share.v2 = fetch_b(left, k, end, thread + 2u * THREADS);
    share.v3 = fetch_b(left, k, end, thread + 3u * THREADS);
    if (B_SHARE > 4u) {
        share.v4 = fetch_b(left, k, end, thread + 4u * THREADS);
        share.v5 = fetch_b(left, k, end, thread + 5u * THREADS);
        share.v6 = fetch_b(left, k, end, thread + 6u * THREADS);
        share.v7 = fetch_b(left, k, end, thread + 7u * THREADS);
    }
    return share;
}

fn stage_a(vector: u32, value: vec4<f16>) {
    a_tile[vector / A_WIDTH * A_PITCH + vector % A_WIDTH] = value;
}

fn stage_b(vector: u32, value: vec4<f16>) {
    b_tile[vector / B_WIDTH * B_PITCH + vector % B_WIDTH] = value;
}

fn stage(thread: u32, a: Share, b: Share) {
    stage_a(thread, a.v0);
    stage_a(thread + THREADS, a.v1);
    stage_a(thread + 2u * THREADS, a.v2);
    stage_a(thread + 3u * THREADS, a.v3);
    if (A_SHARE > 4u) {
        stage_a(thread + 4u * THREADS, a.v4);
        stage_a(thread + 5u * THREADS, a.v5);
        stage_a(thread + 6u * THREADS, a.v6);
        stage_a(thread + 7u * THREADS, a.v7);
    }
    stage_b(thread, b.v0);
    stage_b(thread + THREADS, b.v1);
    stage_b(thread + 2u * THREADS, b.v2);
    stage_b(thread + 3u * THREADS, b.v3);
    if (B_SHARE > 4u) {
        stage_b(thread + 4u * THREADS, b.v4);
        stage_b(thread + 5u * THREADS, b.v5);
        stage_b(thread + 6u * THREADS, b.v6);
        stage_b(thread + 7u * THREADS, b.v7);
    }
}

// The matrix of A's tile at row i and k.
fn matrix_a(i: u32, k: u32) -> MatrixA {
    let pitch = A_PITCH;
    if (TRANSPOSE_A == 0u) {
        let at = i * A_PITCH + k / 4u;
        return coopLoadT<MatrixA>(&a_tile[at], pitch);
    }
    let at = k * A_PITCH + i / 4u;
    return coopLoad<MatrixA>(&a_tile[at], pitch);
}

// The matrix of B's tile at k and column j.
fn matrix_b(k: u32, j: u32) -> MatrixB {
    let pitch = B_PITCH;
    if (TRANSPOSE_B == 0u) {
        let at = k * B_PITCH + j / 4u;
        return coopLoadT<MatrixB>(&b_tile[at], pitch);
    }
    let at = j * B_PITCH + k / 4u;
    return coopLoad<MatrixB>(&b_tile[at], pitch);
}

// Stores a subgroup's matrix of sums, which begins at C(i, j).
fn store_matrix(split: u32, i: u32, j: u32, subgroup: u32, lane: u32, sums: MatrixC) {
    let begin = subgroup * SIZE * SUM_WIDTH;
    let width = SUM_WIDTH;
    // Everybody has read the matrix before.
    workgroupBarrier();
    coopStoreT(sums, &sum_tile[begin], width);
    workgroupBarrier();
    for (var vector = lane; vector < SIZE * SUM_WIDTH; vector += LANES) {
        let y = vector / SUM_WIDTH;
        let x = 4u * (vector % SUM_WIDTH);
        store_quad(split, i + y, j + x, sum_tile[begin + vector]);
    }
}

@compute @workgroup_size(THREADS)
fn gemm_coop(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let across = (params.n + COLUMNS - 1u) / COLUMNS;
    let down = (params.m + ROWS - 1u) / ROWS;
    // Not by group_number: naga takes what functions return for different in each thread.
    let number = group.x + group.y * groups.x;
    let split = number / (across * down);
    if (split >= params.splits) {
        return;
    }
    let top = number / across % down * ROWS;
    let left = number % across * COLUMNS;
    let begin = split * params.per_split;
    let end = min(begin + params.per_split, params.k);

    // Where the subgroup's matrices begin in the tile.
    let i = subgroup / ACROSS * 4u * SIZE;
    let j = subgroup % ACROSS * 2u * SIZE;
    var c00: MatrixC; var c01: MatrixC;
    var c10: MatrixC; var c11: MatrixC;
    var c20: MatrixC; var c21: MatrixC;
    var c30: MatrixC; var c31: MatrixC;
    var a_next = fetch_a_share(top, begin, end, thread);
    var b_next = fetch_b_share(left, begin, end, thread);
    for (var k0 = begin; k0 < end; k0 += DEPTH) {
        // Everybody has read the tiles before.
        workgroupBarrier();
        stage(thread, a_next, b_next);
        workgroupBarrier();
        // Zeros, not fetched, behind the last tile.
        a_next = fetch_a_share(top, k0 + DEPTH, end, thread);
        b_next = fetch_b_share(left, k0 + DEPTH, end, thread);
        for (var k = 0u; k < DEPTH; k += SIZE) {
            let b0 = matrix_b(k, j);
            let b1 = matrix_b(k, j + SIZE);
            let a0 = matrix_a(i, k);
            c00 = coopMultiplyAdd(a0, b0, c00);
            c01 = coopMultiplyAdd(a0, b1, c01);
            let a1 = matrix_a(i + SIZE, k);
            c10 = coopMultiplyAdd(a1, b0, c10);
            c11 = coopMultiplyAdd(a1, b1, c11);
            let a2 = matrix_a(i + 2u * SIZE, k);
            c20 = coopMultiplyAdd(a2, b0, c20);
            c21 = coopMultiplyAdd(a2, b1, c21);
            let a3 = matrix_a(i + 3u * SIZE, k);
            c30 = coopMultiplyAdd(a3, b0, c30);
            c31 = coopMultiplyAdd(a3, b1, c31);
        }
    }
    let row = top + i;
    let column = left + j;
    store_matrix(split, row, column, subgroup, lane, c00);
    store_matrix(split, row, column + SIZE, subgroup, lane, c01);
    store_matrix(split, row + SIZE, column, subgroup, lane, c10);
    store_matrix(split, row + SIZE, column + SIZE, subgroup, lane, c11);
    store_matrix(split, row + 2u * SIZE, column, subgroup, lane, c20);
    store_matrix(split, row + 2u * SIZE, column + SIZE, subgroup, lane, c21);
    store_matrix(split, row + 3u * SIZE, column, subgroup, lane, c30);
    store_matrix(split, row + 3u * SIZE, column + SIZE, subgroup, lane, c31);
}
