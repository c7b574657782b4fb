// C = A . B without workgroup memory: one subgroup of 8 threads computes ROWS x COLUMNS elements.
// For drivers that compute on the processor, whose threads are the lanes of its vectors: there a
// load costs as much as dozens of multiplications, and a broadcast to all lanes nothing, so that a
// load of A serves all columns and a load of B all rows. Shapes, bindings, epilogue: gemm.wgsl.
//
// Lane l holds columns 4 l .. 4 l + 3 of C, or twice as many, one a vector element. Of A it loads row
// l of every 8, for 4 values of k at a time; if A is transposed, rows 4 l .. 4 l + 3 for one.
// Grid: one workgroup a tile and split: tiles of a column first, as what they share, columns of B,
// lies scattered in memory and shall stay in the cache, then columns of tiles, then splits.

// 8, 16 or 32.
override ROWS: u32 = 16u;
// Quads of columns a lane: 1 or 2.
override QUADS: u32 = 1u;

const LANES: u32 = 8u;
override COLUMNS: u32 = 4u * LANES * QUADS;

// Where row i of A begins, if A is not transposed.
fn a_begin(i: u32) -> u32 {
    if (TRANSPOSE_A == 1u) {
        return 0u;
    }
    return a_row(min(i, params.m - 1u));
}

// values, with those for k beyond the end made zero
fn before(end: u32, k: u32, values: vec4<f32>) -> vec4<f32> {
    return select(vec4(0.0), values, k + vec4(0u, 1u, 2u, 3u) < vec4(end));
}

// A(i, k .. k + 3) of the row that begins at `begin`
fn load_a(begin: u32, k: u32, end: u32) -> vec4<f32> {
    return before(end, k, a_quad(begin + k, begin + params.a_cols - 1u));
}

// A(i .. i + 3, k) of the transposed A, whose row k begins at `row`; what lies beyond m is not stored,
// and needs no value.
fn load_a_transposed(row: u32, i: u32, k: u32, end: u32) -> vec4<f32> {
    let ones = i + vec4(0u, 1u, 2u, 3u) == vec4(params.ones);
    let quad = select(a_quad(row + i, row + params.a_cols - 1u), vec4(1.0), ones);
    return select(vec4(0.0), quad, k < end);
}

// B(k, j .. j + 3); what lies beyond n is not stored, and needs no value.
fn load_b(j: u32, k: u32, end: u32) -> vec4<f32> {
    let row = params.b + min(k, end - 1u) * params.b_cols;
    return select(vec4(0.0), b_quad(row + j, row + params.b_cols - 1u), k < end);
}

// B(k .. k + 3, j) of the transposed B
fn load_b_transposed(j: u32, k: u32, end: u32) -> vec4<f32> {
    let row = params.b + min(j, params.n - 1u) * params.b_cols;
    return before(end, k, b_quad(row + k, row + params.b_cols - 1u));
}

// A lane's quad of columns, by rows.
struct Sums {
    r0: vec4<f32>, r1: vec4<f32>, r2: vec4<f32>, r3: vec4<f32>, r4: vec4<f32>, r5: vec4<f32>, r6: vec4<f32>, r7: vec4<f32>,
    r8: vec4<f32>, r9: vec4<f32>, r10: vec4<f32>, r11: vec4<f32>, r12: vec4<f32>, r13: vec4<f32>, r14: vec4<f32>, r15: vec4<f32>,
    r16: vec4<f32>, r17: vec4<f32>, r18: vec4<f32>, r19: vec4<f32>, r20: vec4<f32>, r21: vec4<f32>, r22: vec4<f32>, r23: vec4<f32>,
    r24: vec4<f32>, r25: vec4<f32>, r26: vec4<f32>, r27: vec4<f32>, r28: vec4<f32>, r29: vec4<f32>, r30: vec4<f32>, r31: vec4<f32>,
}

// B(k .. k + 3, j .. j + 3), by rows
fn load_block(j: u32, k: u32, end: u32) -> mat4x4<f32> {
    if (TRANSPOSE_B == 1u) {
        return transpose(mat4x4<f32>(
            load_b_transposed(j, k, end),
            load_b_transposed(j + 1u, k, end),
            load_b_transposed(j + 2u, k, end),
            load_b_transposed(j + 3u, k, end),
        ));
    }
    return mat4x4<f32>(
        load_b(j, k, end),
        load_b(j, k + 1u, end),
        load_b(j, k + 2u, end),
        load_b(j, k + 3u, end),
    );
}

// A(.., k .. k + 3): of this lane's row of each 8, or of its 4 rows of the transposed A.
struct Strip {
    rows0: vec4<f32>,
    rows1: vec4<f32>,
    rows2: vec4<f32>,
    rows3: vec4<f32>,
}

fn load_strip(begin: vec4<u32>, top: u32, lane: u32, k: u32, end: u32) -> Strip {
    if (TRANSPOSE_A == 1u) {
        let i = top + 4u * lane;
        let row = a_row(min(k + lane, end - 1u));
        let rows = transpose(mat4x4<f32>(
            load_a_transposed(subgroupShuffle(row, 0u), i, k, end),
            load_a_transposed(subgroupShuffle(row, 1u), i, k + 1u, end),
            load_a_transposed(subgroupShuffle(row, 2u), i, k + 2u, end),
            load_a_transposed(subgroupShuffle(row, 3u), i, k + 3u, end),
        ));
        return Strip(rows[0], rows[1], rows[2], rows[3]);
    }
    var strip = Strip(load_a(begin.x, k, end), vec4(0.0), vec4(0.0), vec4(0.0));
    if (ROWS > 8u) {
        strip.rows1 = load_a(begin.y, k, end);
    }
    if (ROWS > 16u) {
        strip.rows2 = load_a(begin.z, k, end);
        strip.rows3 = load_a(begin.w, k, end);
    }
    return strip;
}

// A(r, k .. k + 3) for all lanes, from the lane that has row r: lane r % 8 in `rows`, or of the
// transposed A lane r / 4 in `quad`.
fn spread(rows: vec4<f32>, quad: vec4<f32>, r: u32) -> vec4<f32> {
    if (TRANSPOSE_A == 1u) {
        return subgroupShuffle(quad, r / 4u);
    }
    return subgroupShuffle(rows, r % 8u);
}

// sums += A(.., k .. k + 3) block. Four k of a row at once, so that its sums are fetched and put back
// once.
fn multiply(sums: ptr<function, Sums>, a: Strip, block: mat4x4<f32>) {
    (*sums).r0 += block * spread(a.rows0, a.rows0, 0u);
    (*sums).r1 += block * spread(a.rows0, a.rows1, 1u);
    (*sums).r2 += block * spread(a.rows0, a.rows2, 2u);
    (*sums).r3 += block * spread(a.rows0, a.rows3, 3u);
    (*sums).r4 += block * spread(a.rows0, a.rows0, 4u);
    (*sums).r5 += block * spread(a.rows0, a.rows1, 5u);
    (*sums).r6 += block * spread(a.rows0, a.rows2, 6u);
    (*sums).r7 += block * spread(a.rows0, a.rows3, 7u);
    if (ROWS > 8u) {
        (*sums).r8 += block * spread(a.rows1, a.rows0, 8u);
        (*sums).r9 += block * spread(a.rows1, a.rows1, 9u);
        (*sums).r10 += block * spread(a.rows1, a.rows2, 10u);
        (*sums).r11 += block * spread(a.rows1, a.rows3, 11u);
        (*sums).r12 += block * spread(a.rows1, a.rows0, 12u);
        (*sums).r13 += block * spread(a.rows1, a.rows1, 13u);
        (*sums).r14 += block * spread(a.rows1, a.rows2, 14u);
        (*sums).r15 += block * spread(a.rows1, a.rows3, 15u);
    }
    if (ROWS > 16u) {
        (*sums).r16 += block * spread(a.rows2, a.rows0, 16u);
        (*sums).r17 += block * spread(a.rows2, a.rows1, 17u);
        (*sums).r18 += block * spread(a.rows2, a.rows2, 18u);
        (*sums).r19 += block * spread(a.rows2, a.rows3, 19u);
        (*sums).r20 += block * spread(a.rows2, a.rows0, 20u);
        (*sums).r21 += block * spread(a.rows2, a.rows1, 21u);
        (*sums).r22 += block * spread(a.rows2, a.rows2, 22u);
        (*sums).r23 += block * spread(a.rows2, a.rows3, 23u);
        (*sums).r24 += block * spread(a.rows3, a.rows0, 24u);
        (*sums).r25 += block * spread(a.rows3, a.rows1, 25u);
        (*sums).r26 += block * spread(a.rows3, a.rows2, 26u);
        (*sums).r27 += block * spread(a.rows3, a.rows3, 27u);
        (*sums).r28 += block * spread(a.rows3, a.rows0, 28u);
        (*sums).r29 += block * spread(a.rows3, a.rows1, 29u);
        (*sums).r30 += block * spread(a.rows3, a.rows2, 30u);
        (*sums).r31 += block * spread(a.rows3, a.rows3, 31u);
    }
}

// In a loop, as the epilogue would otherwise be compiled for each row.
fn store_sums(split: u32, i: u32, j: u32, sums: Sums) {
    var rows = array<vec4<f32>, 32>(
        sums.r0, sums.r1, sums.r2, sums.r3, sums.r4, sums.r5, sums.r6, sums.r7,
        sums.r8, sums.r9, sums.r10, sums.r11, sums.r12, sums.r13, sums.r14, sums.r15,
        sums.r16, sums.r17, sums.r18, sums.r19, sums.r20, sums.r21, sums.r22, sums.r23,
        sums.r24, sums.r25, sums.r26, sums.r27, sums.r28, sums.r29, sums.r30, sums.r31,
    );
    for (var r = 0u; r < ROWS; r++) {
        store_quad(split, i + r, j, rows[r]);
    }
}

@compute @workgroup_size(LANES)
fn gemm_shuffle(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let across = (params.n + COLUMNS - 1u) / COLUMNS;
    let down = (params.m + ROWS - 1u) / ROWS;
    let number = group_number(group, groups);
    let split = number / (across * down);
    if (split >= params.splits) {
        return;
    }
    let i = number % down * ROWS;
    let j = number / down % across * COLUMNS + 4u * QUADS * lane;
    let begin = split * params.per_split;
    let end = min(begin + params.per_split, params.k);

    let rows = vec4(
        a_begin(i + lane),
        a_begin(i + 8u + lane),
        a_begin(i + 16u + lane),
        a_begin(i + 24u + lane),
    );
    var first: Sums;
    var second: Sums;
    // Four values of k at a time, of which those beyond the end are zero.
    for (var k = begin; k < end; k += 4u) {
        let a = load_strip(rows, i, lane, k, end);
        multiply(&first, a, load_block(j, k, end));
        if (QUADS == 2u) {
            multiply(&second, a, load_block(j + 4u, k, end));
        }
    }
    store_sums(split, i, j, first);
    if (QUADS == 2u) {
        store_sums(split, i, j + 4u, second);
    }
}
