// C = A . B without workgroup memory: one subgroup of 8 threads computes ROWS x 32 elements.
// For drivers that compute on the processor, whose threads are the lanes of its vectors: there a
// load costs as much as dozens of multiplications, and a broadcast to all lanes nothing, so that a
// load of A serves all columns and a load of B all rows. Shapes, bindings, epilogue: gemm.wgsl.
//
// Lane l holds columns 4 l .. 4 l + 3 of C, one a vector element. Of A it loads row l of every 8, for
// 4 values of k at a time; if A is transposed, rows 4 l .. 4 l + 3 for one.
// Grid: one workgroup a tile and split: tiles of a row first, then rows of tiles, then splits.

// 8, 16 or 32.
override ROWS: u32 = 16u;

const LANES: u32 = 8u;
const COLUMNS: u32 = 32u;

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

// A(i .. i + 3, k) of the transposed A; what lies beyond m is not stored, and needs no value.
fn load_a_transposed(i: u32, k: u32, end: u32) -> vec4<f32> {
    let row = a_row(min(k, end - 1u));
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

struct Sums {
    r0: vec4<f32>, r1: vec4<f32>, r2: vec4<f32>, r3: vec4<f32>,
    r4: vec4<f32>, r5: vec4<f32>, r6: vec4<f32>, r7: vec4<f32>,
    r8: vec4<f32>, r9: vec4<f32>, r10: vec4<f32>, r11: vec4<f32>,
    r12: vec4<f32>, r13: vec4<f32>, r14: vec4<f32>, r15: vec4<f32>,
    r16: vec4<f32>, r17: vec4<f32>, r18: vec4<f32>, r19: vec4<f32>,
    r20: vec4<f32>, r21: vec4<f32>, r22: vec4<f32>, r23: vec4<f32>,
    r24: vec4<f32>, r25: vec4<f32>, r26: vec4<f32>, r27: vec4<f32>,
    r28: vec4<f32>, r29: vec4<f32>, r30: vec4<f32>, r31: vec4<f32>,
}

// A(r, k) for all lanes: from the lane that loaded row r, or rows 4 (r / 4) .. of the transposed A.
fn spread(row: f32, column: f32, r: u32) -> f32 {
    if (TRANSPOSE_A == 1u) {
        return subgroupShuffle(column, r / 4u);
    }
    return subgroupShuffle(row, r % 8u);
}

// sums += A(.., k) B(k, ..) for one k: `rows` has this lane's rows of each 8, `quad` its 4 rows of
// the transposed A, `v` its columns of B.
fn multiply(sums: ptr<function, Sums>, rows: vec4<f32>, quad: vec4<f32>, v: vec4<f32>) {
    (*sums).r0 = fma(vec4(spread(rows.x, quad.x, 0u)), v, (*sums).r0);
    (*sums).r1 = fma(vec4(spread(rows.x, quad.y, 1u)), v, (*sums).r1);
    (*sums).r2 = fma(vec4(spread(rows.x, quad.z, 2u)), v, (*sums).r2);
    (*sums).r3 = fma(vec4(spread(rows.x, quad.w, 3u)), v, (*sums).r3);
    (*sums).r4 = fma(vec4(spread(rows.x, quad.x, 4u)), v, (*sums).r4);
    (*sums).r5 = fma(vec4(spread(rows.x, quad.y, 5u)), v, (*sums).r5);
    (*sums).r6 = fma(vec4(spread(rows.x, quad.z, 6u)), v, (*sums).r6);
    (*sums).r7 = fma(vec4(spread(rows.x, quad.w, 7u)), v, (*sums).r7);
    if (ROWS > 8u) {
        (*sums).r8 = fma(vec4(spread(rows.y, quad.x, 8u)), v, (*sums).r8);
        (*sums).r9 = fma(vec4(spread(rows.y, quad.y, 9u)), v, (*sums).r9);
        (*sums).r10 = fma(vec4(spread(rows.y, quad.z, 10u)), v, (*sums).r10);
        (*sums).r11 = fma(vec4(spread(rows.y, quad.w, 11u)), v, (*sums).r11);
        (*sums).r12 = fma(vec4(spread(rows.y, quad.x, 12u)), v, (*sums).r12);
        (*sums).r13 = fma(vec4(spread(rows.y, quad.y, 13u)), v, (*sums).r13);
        (*sums).r14 = fma(vec4(spread(rows.y, quad.z, 14u)), v, (*sums).r14);
        (*sums).r15 = fma(vec4(spread(rows.y, quad.w, 15u)), v, (*sums).r15);
    }
    if (ROWS > 16u) {
        (*sums).r16 = fma(vec4(spread(rows.z, quad.x, 16u)), v, (*sums).r16);
        (*sums).r17 = fma(vec4(spread(rows.z, quad.y, 17u)), v, (*sums).r17);
        (*sums).r18 = fma(vec4(spread(rows.z, quad.z, 18u)), v, (*sums).r18);
        (*sums).r19 = fma(vec4(spread(rows.z, quad.w, 19u)), v, (*sums).r19);
        (*sums).r20 = fma(vec4(spread(rows.z, quad.x, 20u)), v, (*sums).r20);
        (*sums).r21 = fma(vec4(spread(rows.z, quad.y, 21u)), v, (*sums).r21);
        (*sums).r22 = fma(vec4(spread(rows.z, quad.z, 22u)), v, (*sums).r22);
        (*sums).r23 = fma(vec4(spread(rows.z, quad.w, 23u)), v, (*sums).r23);
        (*sums).r24 = fma(vec4(spread(rows.w, quad.x, 24u)), v, (*sums).r24);
        (*sums).r25 = fma(vec4(spread(rows.w, quad.y, 25u)), v, (*sums).r25);
        (*sums).r26 = fma(vec4(spread(rows.w, quad.z, 26u)), v, (*sums).r26);
        (*sums).r27 = fma(vec4(spread(rows.w, quad.w, 27u)), v, (*sums).r27);
        (*sums).r28 = fma(vec4(spread(rows.w, quad.x, 28u)), v, (*sums).r28);
        (*sums).r29 = fma(vec4(spread(rows.w, quad.y, 29u)), v, (*sums).r29);
        (*sums).r30 = fma(vec4(spread(rows.w, quad.z, 30u)), v, (*sums).r30);
        (*sums).r31 = fma(vec4(spread(rows.w, quad.w, 31u)), v, (*sums).r31);
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
    let i = number / across % down * ROWS;
    let j = number % across * COLUMNS + 4u * lane;
    let begin = split * params.per_split;
    let end = min(begin + params.per_split, params.k);

    let begin0 = a_begin(i + 0u + lane);
    let begin1 = a_begin(i + 8u + lane);
    let begin2 = a_begin(i + 16u + lane);
    let begin3 = a_begin(i + 24u + lane);
    var sums: Sums;
    for (var k = begin; k < end; k += 4u) {
        // Four values of k, of which those beyond the end are zero.
        var a0 = vec4(0.0); var a1 = vec4(0.0); var a2 = vec4(0.0); var a3 = vec4(0.0);
        var t0 = vec4(0.0); var t1 = vec4(0.0); var t2 = vec4(0.0); var t3 = vec4(0.0);
        if (TRANSPOSE_A == 1u) {
            t0 = load_a_transposed(i + 4u * lane, k, end);
            t1 = load_a_transposed(i + 4u * lane, k + 1u, end);
            t2 = load_a_transposed(i + 4u * lane, k + 2u, end);
            t3 = load_a_transposed(i + 4u * lane, k + 3u, end);
        } else {
            a0 = load_a(begin0, k, end);
            if (ROWS > 8u) {
                a1 = load_a(begin1, k, end);
            }
            if (ROWS > 16u) {
                a2 = load_a(begin2, k, end);
                a3 = load_a(begin3, k, end);
            }
        }
        var v = mat4x4<f32>();
        if (TRANSPOSE_B == 1u) {
            v = transpose(mat4x4<f32>(
                load_b_transposed(j, k, end),
                load_b_transposed(j + 1u, k, end),
                load_b_transposed(j + 2u, k, end),
                load_b_transposed(j + 3u, k, end),
            ));
        } else {
            v = mat4x4<f32>(
                load_b(j, k, end),
                load_b(j, k + 1u, end),
                load_b(j, k + 2u, end),
                load_b(j, k + 3u, end),
            );
        }
        multiply(&sums, vec4(a0.x, a1.x, a2.x, a3.x), t0, v[0]);
        multiply(&sums, vec4(a0.y, a1.y, a2.y, a3.y), t1, v[1]);
        multiply(&sums, vec4(a0.z, a1.z, a2.z, a3.z), t2, v[2]);
        multiply(&sums, vec4(a0.w, a1.w, a2.w, a3.w), t3, v[3]);
    }
    store_quad(split, i + 0u, j, sums.r0);
    store_quad(split, i + 1u, j, sums.r1);
    store_quad(split, i + 2u, j, sums.r2);
    store_quad(split, i + 3u, j, sums.r3);
    store_quad(split, i + 4u, j, sums.r4);
    store_quad(split, i + 5u, j, sums.r5);
    store_quad(split, i + 6u, j, sums.r6);
    store_quad(split, i + 7u, j, sums.r7);
    if (ROWS > 8u) {
        store_quad(split, i + 8u, j, sums.r8);
        store_quad(split, i + 9u, j, sums.r9);
        store_quad(split, i + 10u, j, sums.r10);
        store_quad(split, i + 11u, j, sums.r11);
        store_quad(split, i + 12u, j, sums.r12);
        store_quad(split, i + 13u, j, sums.r13);
        store_quad(split, i + 14u, j, sums.r14);
        store_quad(split, i + 15u, j, sums.r15);
    }
    if (ROWS > 16u) {
        store_quad(split, i + 16u, j, sums.r16);
        store_quad(split, i + 17u, j, sums.r17);
        store_quad(split, i + 18u, j, sums.r18);
        store_quad(split, i + 19u, j, sums.r19);
        store_quad(split, i + 20u, j, sums.r20);
        store_quad(split, i + 21u, j, sums.r21);
        store_quad(split, i + 22u, j, sums.r22);
        store_quad(split, i + 23u, j, sums.r23);
        store_quad(split, i + 24u, j, sums.r24);
        store_quad(split, i + 25u, j, sums.r25);
        store_quad(split, i + 26u, j, sums.r26);
        store_quad(split, i + 27u, j, sums.r27);
        store_quad(split, i + 28u, j, sums.r28);
        store_quad(split, i + 29u, j, sums.r29);
        store_quad(split, i + 30u, j, sums.r30);
        store_quad(split, i + 31u, j, sums.r31);
    }
}
