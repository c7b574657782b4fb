// output(j, i) = input(i, j), word by word.
//
// input (rows, cols), output (cols, rows). Bindings: params, source, destination.
// Grid: one workgroup of TILE x TILE threads a tile, tiles of a row of tiles first.

struct Params {
    rows: u32,
    cols: u32,
    input: u32,
    output: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> source: array<u32>;
@group(1) @binding(2) var<storage, read_write> destination: array<u32>;

override TILE: u32 = 16u;
override THREADS: u32 = TILE * TILE;
// A column of padding keeps the reads of a column in different banks.
override PITCH: u32 = TILE + 1u;
override WORDS: u32 = TILE * PITCH;

var<workgroup> tile: array<u32, WORDS>;

@compute @workgroup_size(THREADS)
fn transpose(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let across = (params.cols + TILE - 1u) / TILE;
    let number = group_number(group, groups);
    // Workgroups beyond the last tile lie below the last row and move nothing.
    let top = number / across * TILE;
    let left = number % across * TILE;
    let x = thread % TILE;
    let y = thread / TILE;
    if (top + y < params.rows && left + x < params.cols) {
        tile[y * PITCH + x] = source[params.input + (top + y) * params.cols + left + x];
    }
    workgroupBarrier();
    if (top + x < params.rows && left + y < params.cols) {
        destination[params.output + (left + y) * params.rows + top + x] = tile[x * PITCH + y];
    }
}
