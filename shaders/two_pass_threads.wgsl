// The kernels of two_pass.wgsl for hardware: one number, or one vector, a thread.
//
// Grids: `inputs` (rows x vectors of units / THREADS, slices); `rows` a workgroup every BLOCK rows, whose
// records are in its memory; `weights` a vector of parameters a thread, and one workgroup more for the
// losses.
//
// Rust writes the functions forward and backward, which take the layers in order, and descend_at, which
// finds the layer of a vector.

@group(1) @binding(0) var<storage, read_write> values: array<vec4<f32>>;
@group(1) @binding(5) var<storage, read_write> parameters: array<vec4<f32>>;

// The records of the block's rows, in words.
var<workgroup> held: array<f32, HELD>;
var<workgroup> partial_losses: array<f32, THREADS>;

fn held_quad(at: u32) -> vec4<f32> {
    return vec4(held[at], held[at + 1u], held[at + 2u], held[at + 3u]);
}

// Where a part of the record of a row of the block begins.
fn held_at(row: u32, place: u32) -> u32 {
    return 4u * (row * RECORD + place);
}

fn output_value(row: Row, col: u32) -> f32 {
    return held[held_at(row.number, LAST.output) + col];
}

fn store_delta(row: Row, col: u32, gradient: f32) {
    let cached = held[held_at(row.number, LAST.cached) + col];
    let slope = derivative_of(LAST.activation, LAST.constant, cached);
    held[held_at(row.number, LAST.delta) + col] = delta_scale * gradient * slope;
}

@compute @workgroup_size(THREADS)
fn inputs(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    begin_step();
    let units = vectors_of(LAYER_0.outputs);
    let item = group.x * THREADS + thread;
    if (item >= step.rows * units) {
        return;
    }
    let row = item / units;
    let unit = min(item % units * 4u + vec4(0u, 1u, 2u, 3u), vec4(LAYER_0.outputs - 1u));
    let begin = minibatch_features(row);
    let end = min((group.y + 1u) * SLICE, LAYER_0.vectors);
    var sums = vec4(0.0);
    for (var quad = group.y * SLICE; quad < end; quad++) {
        let x = feature_quad(begin, quad);
        sums.x += dot(x, parameters[packed_at(LAYER_0, quad, unit.x)]);
        sums.y += dot(x, parameters[packed_at(LAYER_0, quad, unit.y)]);
        sums.z += dot(x, parameters[packed_at(LAYER_0, quad, unit.z)]);
        sums.w += dot(x, parameters[packed_at(LAYER_0, quad, unit.w)]);
    }
    values[PARTIALS + (group.y * ROWS + row) * units + item % units] = sums;
}

// The sum of a unit over all inputs of a row of the block.
fn weighted_sum(layer: Layer, first: u32, row: u32, unit: u32) -> f32 {
    var z = 0.0;
    if (layer.stored_bias != WITHOUT) {
        z = parameters[bias_at(layer, unit)].x;
    }
    if (layer.input != WITHOUT) {
        let input = held_at(row, layer.input);
        for (var quad = 0u; quad < layer.vectors; quad++) {
            z += dot(held_quad(input + 4u * quad), parameters[packed_at(layer, quad, unit)]);
        }
        return z;
    }
    if (SLICES > 0u) {
        let units = vectors_of(layer.outputs);
        let at = PARTIALS + (first + row) * units + unit / 4u;
        for (var slice = 0u; slice < SLICES; slice++) {
            z += values[at + slice * ROWS * units][unit % 4u];
        }
        return z;
    }
    let begin = minibatch_features(first + row);
    for (var quad = 0u; quad < layer.vectors; quad++) {
        z += dot(feature_quad(begin, quad), parameters[packed_at(layer, quad, unit)]);
    }
    return z;
}

fn dense(layer: Layer, first: u32, rows: u32, thread: u32) {
    let width = 4u * vectors_of(layer.outputs);
    for (var i = thread; i < rows * width; i += THREADS) {
        let row = i / width;
        let unit = i % width;
        var z = 0.0;
        var y = 0.0;
        if (unit < layer.outputs) {
            z = weighted_sum(layer, first, row, unit);
            y = value_of(layer.activation, layer.constant, z);
        }
        if (layer.pre != WITHOUT) {
            held[held_at(row, layer.pre) + unit] = z;
        }
        held[held_at(row, layer.output) + unit] = y;
    }
    workgroupBarrier();
}

// The losses of the rows, and the deltas of their outputs.
fn losses_of_rows(first: u32, rows: u32, thread: u32) {
    for (var row = thread; row < rows; row += THREADS) {
        let delta = held_at(row, LAST.delta);
        for (var unit = LAST.outputs; unit < 4u * vectors_of(LAST.outputs); unit++) {
            held[delta + unit] = 0.0;
        }
        let at = held_at(row, LOSS_PLACE);
        held[at] = loss_of(row, data_row(first + row));
        held[at + 1u] = 0.0;
        held[at + 2u] = 0.0;
        held[at + 3u] = 0.0;
    }
    workgroupBarrier();
}

// The delta of the layer before.
fn back(layer: Layer, before: Layer, rows: u32, thread: u32) {
    for (var i = thread; i < rows * layer.vectors; i += THREADS) {
        let row = i / layer.vectors;
        let quad = i % layer.vectors;
        let delta = held_at(row, layer.delta);
        var sums = vec4(0.0);
        for (var unit = 0u; unit < layer.outputs; unit++) {
            sums += held[delta + unit] * parameters[packed_at(layer, quad, unit)];
        }
        let cached = held_at(row, before.cached) + 4u * quad;
        let output = held_at(row, before.delta) + 4u * quad;
        for (var c = 0u; c < 4u; c++) {
            let slope = derivative_of(before.activation, before.constant, held[cached + c]);
            // There is nothing beyond the last input.
            held[output + c] = select(0.0, sums[c] * slope, 4u * quad + c < layer.inputs);
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(THREADS)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    begin_step();
    let first = group.x * BLOCK;
    let count = min(BLOCK, step.rows - first);
    forward(first, count, thread);
    losses_of_rows(first, count, thread);
    backward(count, thread);
    for (var i = thread; i < count * RECORD; i += THREADS) {
        values[first * RECORD + i] = held_quad(4u * i);
    }
}

// Moves the vector of weights `quad` of a unit along its gradient; what lies beyond the last input, or
// beside a bias, stays 0.
fn descend(layer: Layer, quad: u32, unit: u32, gradient: vec4<f32>, constants: vec4<f32>) {
    let at = packed_at(layer, quad, unit);
    let end = select(layer.inputs, 4u * quad + 1u, quad == layer.vectors);
    let next = moved(at, parameters[at], gradient, constants);
    parameters[at] = select(next, vec4(0.0), 4u * quad + vec4(0u, 1u, 2u, 3u) >= vec4(end));
}

// Vector i of a layer's parameters.
fn descend_in(layer: Layer, i: u32, weight: vec4<f32>, bias: vec4<f32>) {
    let quad = i / layer.outputs;
    let unit = i % layer.outputs;
    let delta = layer.delta + unit / 4u;
    var sums = vec4(0.0);
    if (quad == layer.vectors) {
        for (var row = 0u; row < step.rows; row++) {
            sums.x += values[row * RECORD + delta][unit % 4u];
        }
        descend(layer, quad, unit, sums, bias);
        return;
    }
    for (var row = 0u; row < step.rows; row++) {
        var x: vec4<f32>;
        if (layer.input == WITHOUT) {
            x = feature_quad(minibatch_features(row), quad);
        } else {
            x = values[row * RECORD + layer.input + quad];
        }
        sums += x * values[row * RECORD + delta][unit % 4u];
    }
    descend(layer, quad, unit, sums, weight);
}

fn record(thread: u32) {
    var sum = 0.0;
    for (var row = thread; row < step.rows; row += THREADS) {
        sum += values[row * RECORD + LOSS_PLACE].x;
    }
    partial_losses[thread] = sum;
    workgroupBarrier();
    if (thread == 0u) {
        for (var i = 1u; i < THREADS; i++) {
            sum += partial_losses[i];
        }
        store_loss(step.loss_scale * sum);
    }
}

@compute @workgroup_size(THREADS)
fn weights(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    begin_step();
    let number = group_number(group, groups);
    if (number == 0u) {
        record(thread);
    } else {
        descend_at((number - 1u) * THREADS + thread);
    }
}
