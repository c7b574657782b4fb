// Many whole training steps in one dispatch, of one workgroup a network: parameters and moments are in its
// memory from the first step to the last. The formulas are those of the program's kernels.
//
// A step, with a barrier after each part:
//   gather    the numbers of the minibatch's rows, and where COPIED their features
//   forward   layer by layer y = phi(x . W + b), one element a thread
//   loss      each row's loss and the delta of its outputs, one row a thread
//   backward  layer by layer from the last delta = (delta . W^T) phi', one element a thread
//   descend   of each parameter the gradient, a sum over the rows in their order, and the update
//
// Rust writes the sizes before this text: the layers as constants LAYER_0, LAYER_1, ..., the last one
// also as LAST, the functions forward, backward and descend, which take them in order, and whatever
// memory there is by the network's size. Bindings and grid: steps.wgsl.

// A dense layer; places are in words. WITHOUT stands for what is not there.
struct Layer {
    inputs: u32,
    outputs: u32,
    // In the parameters.
    weight: u32,
    bias: u32,
    // In `values`, (rows, inputs) or (rows, outputs) each. Without an input: the features themselves.
    input: u32,
    pre: u32,
    output: u32,
    delta: u32,
    // What phi' is computed from: `pre` or `output`.
    cached: u32,
    // phi, by its code, and its parameter.
    activation: u32,
    constant: f32,
}

const WITHOUT: u32 = 0xffffffffu;

var<workgroup> parameters: array<f32, PARAMETERS>;
// The rows of the minibatch in the data, and their losses.
var<workgroup> picked: array<u32, ROWS>;
var<workgroup> row_losses: array<f32, ROWS>;
var<workgroup> partial_losses: array<f32, PARTIALS>;

// How many parts the sum of the row losses is taken in.
const PARTIALS: u32 = 16u;

fn output_value(row: Row, col: u32) -> f32 {
    return values[LAST.output + row.number * LAST.outputs + col];
}

fn store_delta(row: Row, col: u32, gradient: f32) {
    let i = row.number * LAST.outputs + col;
    let slope = derivative_of(LAST.activation, LAST.constant, values[LAST.cached + i]);
    values[LAST.delta + i] = delta_scale * gradient * slope;
}

// Input k of a row of the layer.
fn input_value(layer: Layer, row: u32, k: u32) -> f32 {
    if (layer.input == WITHOUT) {
        return features[features_begin(picked[row], layer.inputs) + k];
    }
    return values[layer.input + row * layer.inputs + k];
}

fn gather(rows: u32, thread: u32) {
    for (var row = thread; row < rows; row += THREADS) {
        picked[row] = data_row(row);
    }
    if (COPIED) {
        for (var i = thread; i < rows * LAYER_0.inputs; i += THREADS) {
            let row = data_row(i / LAYER_0.inputs);
            values[LAYER_0.input + i] =
                features[features_begin(row, LAYER_0.inputs) + i % LAYER_0.inputs];
        }
    }
}

fn dense(layer: Layer, rows: u32, thread: u32) {
    for (var i = thread; i < rows * layer.outputs; i += THREADS) {
        let row = i / layer.outputs;
        let unit = i % layer.outputs;
        var z = 0.0;
        if (layer.bias != WITHOUT) {
            z = parameters[layer.bias + unit];
        }
        for (var k = 0u; k < layer.inputs; k++) {
            z += input_value(layer, row, k) * parameters[layer.weight + k * layer.outputs + unit];
        }
        if (layer.pre != WITHOUT) {
            values[layer.pre + i] = z;
        }
        values[layer.output + i] = value_of(layer.activation, layer.constant, z);
    }
    meet();
}

fn losses_of_rows(rows: u32, thread: u32) {
    for (var number = thread; number < rows; number += THREADS) {
        row_losses[number] = loss_of(number, picked[number]);
    }
    meet();
}

// The delta of the layer before.
fn back(layer: Layer, before: Layer, rows: u32, thread: u32) {
    for (var i = thread; i < rows * layer.inputs; i += THREADS) {
        let delta = layer.delta + i / layer.inputs * layer.outputs;
        let weight = layer.weight + i % layer.inputs * layer.outputs;
        var sum = 0.0;
        for (var unit = 0u; unit < layer.outputs; unit++) {
            sum += values[delta + unit] * parameters[weight + unit];
        }
        let slope = derivative_of(before.activation, before.constant, values[before.cached + i]);
        values[before.delta + i] = sum * slope;
    }
    meet();
}

fn move_weights(layer: Layer, constants: vec4<f32>, rows: u32, thread: u32) {
    for (var i = thread; i < layer.inputs * layer.outputs; i += THREADS) {
        let k = i / layer.outputs;
        let unit = i % layer.outputs;
        var sum = 0.0;
        for (var row = 0u; row < rows; row++) {
            sum += input_value(layer, row, k) * values[layer.delta + row * layer.outputs + unit];
        }
        let at = layer.weight + i;
        parameters[at] = moved(at, parameters[at], sum, constants);
    }
}

fn move_biases(layer: Layer, constants: vec4<f32>, rows: u32, thread: u32) {
    for (var unit = thread; unit < layer.outputs; unit += THREADS) {
        var sum = 0.0;
        for (var row = 0u; row < rows; row++) {
            sum += values[layer.delta + row * layer.outputs + unit];
        }
        let at = layer.bias + unit;
        parameters[at] = moved(at, parameters[at], sum, constants);
    }
}

fn add_losses(rows: u32, thread: u32) {
    if (thread < PARTIALS) {
        var sum = 0.0;
        for (var row = thread; row < rows; row += PARTIALS) {
            sum += row_losses[row];
        }
        partial_losses[thread] = sum;
    }
    meet();
}

fn record(loss_scale: f32, thread: u32) {
    if (thread == 0u) {
        var sum = 0.0;
        for (var i = 0u; i < PARTIALS; i++) {
            sum += partial_losses[i];
        }
        store_loss(loss_scale * sum);
    }
}

@compute @workgroup_size(THREADS)
fn persistent(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    member = group.x;
    let begin = group.x * PARAMETERS_STRIDE;
    for (var i = thread; i < PARAMETERS; i += THREADS) {
        parameters[i] = stored[begin + i];
        load_moments(begin, i);
    }
    meet();
    for (var number = 0u; number < span.count; number++) {
        let at = group.x * span.stride + span.first + number;
        args = steps[at].args;
        delta_scale = steps[at].delta_scale;
        let rows = steps[at].rows;
        gather(rows, thread);
        meet();
        forward(rows, thread);
        losses_of_rows(rows, thread);
        add_losses(rows, thread);
        backward(rows, thread);
        descend(rows, thread);
        record(steps[at].loss_scale, thread);
        meet();
    }
    for (var i = thread; i < PARAMETERS; i += THREADS) {
        stored[begin + i] = parameters[i];
        save_moments(begin, i);
    }
}
