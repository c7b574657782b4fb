// The kernels of two_pass.wgsl for a driver that computes on the processor, whose subgroups are the 8
// lanes of a vector. There a load is a loop over the lanes, as dear as dozens of multiplications whether
// it brings a lane one word or eight, while a shuffle costs as much as a multiplication. So vectors have 8
// words, which are loaded as four 64-bit integers, and what all lanes need is loaded by one and shuffled.
//
// Lanes are rows in `inputs` and `rows`, which need no memory that lanes share, and inputs in `weights`.
// Grids: `inputs` (INPUT_BLOCKS rows of 8 x tiles of units, slices); `rows` a workgroup every BLOCKS times
// 8 rows; `weights` a workgroup for 64 inputs of a tile of units, and one more for the losses.
//
// Rust writes, with a line for every number that is kept in a register, before this text the functions
// sum_tile, dense_8 or dense_16, back, and weights_0, weights_1, ...; and the functions forward,
// backward and weights_at, which take the layers in order.

@group(1) @binding(0) var<storage, read_write> values: array<vec4<u64>>;
@group(1) @binding(5) var<storage, read_write> parameters: array<vec4<u64>>;

fn values_at(i: u32) -> Pair {
    return pair_of(values[i]);
}

fn parameters_at(i: u32) -> Pair {
    return pair_of(parameters[i]);
}

fn set_values(i: u32, pair: Pair) {
    values[i] = octet_of(pair);
}

// Where the record of a row begins.
fn record_of(row: u32) -> u32 {
    return row * RECORD;
}

// What a dense layer computes from: inputs 8 octet .. of a row, whose features begin at `begin`.
fn input_octet(layer: Layer, row: u32, begin: u32, octet: u32) -> Pair {
    if (layer.input == WITHOUT) {
        return feature_octet(begin, octet);
    }
    return values_at(record_of(row) + layer.input + octet);
}

// The factors of biases where these are meant.
fn with_bias(is_bias: bool, x: Pair) -> Pair {
    let one = vec4(1.0, 0.0, 0.0, 0.0);
    return Pair(select(x.low, one, is_bias), select(x.high, vec4(0.0), is_bias));
}

// Zeros instead of x where it is not meant.
fn without(is_none: bool, x: Pair) -> Pair {
    return Pair(select(x.low, vec4(0.0), is_none), select(x.high, vec4(0.0), is_none));
}

// A row of the minibatch that is there: rows beyond the end are computed as copies of the last.
fn there(row: u32) -> u32 {
    return min(row, step.rows - 1u);
}

fn output_value(row: Row, col: u32) -> f32 {
    return number_in(values_at(record_of(row.number) + LAST.output + col / 8u), col % 8u);
}

fn store_delta(row: Row, col: u32, gradient: f32) {
    let record = record_of(row.number);
    let cached = number_in(values_at(record + LAST.cached + col / 8u), col % 8u);
    let slope = derivative_of(LAST.activation, LAST.constant, cached);
    let delta = select(0.0, delta_scale * gradient * slope, row.number < step.rows);
    let at = record + LAST.delta + col / 8u;
    let lanes = vec4(0u, 1u, 2u, 3u);
    let pair = values_at(at);
    let low = select(pair.low, vec4(delta), lanes == vec4(col % 8u));
    let high = select(pair.high, vec4(delta), lanes + 4u == vec4(col % 8u));
    set_values(at, Pair(low, high));
}

fn values_of(layer: Layer, z: vec4<f32>) -> vec4<f32> {
    let code = layer.activation;
    let a = layer.constant;
    return vec4(
        value_of(code, a, z.x), value_of(code, a, z.y), value_of(code, a, z.z), value_of(code, a, z.w)
    );
}

fn derivatives_of(layer: Layer, x: vec4<f32>) -> vec4<f32> {
    let code = layer.activation;
    let a = layer.constant;
    return vec4(
        derivative_of(code, a, x.x), derivative_of(code, a, x.y),
        derivative_of(code, a, x.z), derivative_of(code, a, x.w)
    );
}

// The sums of a row that `inputs` has left in slices.
fn sliced(row: u32, octet: u32) -> Pair {
    let units = vectors_of(LAYER_0.outputs);
    var sum = Pair(vec4(0.0), vec4(0.0));
    for (var slice = 0u; slice < SLICES; slice++) {
        sum = plus(sum, values_at(PARTIALS + (slice * ROWS + row) * units + octet), 1.0);
    }
    return sum;
}

// The sums of a layer, which lie where its outputs shall, with biases and through phi.
fn finish(layer: Layer, first: u32, lane: u32) {
    for (var octet = 0u; octet < vectors_of(layer.outputs); octet++) {
        var own = 0.0;
        if (layer.stored_bias != WITHOUT) {
            let unit = min(8u * octet + lane, layer.outputs - 1u);
            own = parameters_at(bias_at(layer, unit)).low.x;
        }
        let low = vec4(
            subgroupShuffle(own, 0u), subgroupShuffle(own, 1u),
            subgroupShuffle(own, 2u), subgroupShuffle(own, 3u)
        );
        let high = vec4(
            subgroupShuffle(own, 4u), subgroupShuffle(own, 5u),
            subgroupShuffle(own, 6u), subgroupShuffle(own, 7u)
        );
        for (var block = 0u; block < BLOCKS; block++) {
            let row = first + 8u * block + lane;
            let at = record_of(row) + octet;
            var z: Pair;
            if (layer.input == WITHOUT && SLICES > 0u) {
                z = sliced(row, octet);
            } else {
                z = values_at(at + layer.output);
            }
            z = Pair(z.low + low, z.high + high);
            if (layer.pre != WITHOUT) {
                set_values(at + layer.pre, below(layer.outputs, 8u * octet, z));
            }
            let y = Pair(values_of(layer, z.low), values_of(layer, z.high));
            set_values(at + layer.output, below(layer.outputs, 8u * octet, y));
        }
    }
}

// The words with numbers first, first + 1, .. below `end`, and zeros for the others.
fn below(end: u32, first: u32, pair: Pair) -> Pair {
    let number = first + vec4(0u, 1u, 2u, 3u);
    return Pair(
        select(vec4(0.0), pair.low, number < vec4(end)),
        select(vec4(0.0), pair.high, number + 4u < vec4(end))
    );
}

// The losses of the rows, and the deltas of their outputs.
fn losses_of_rows(first: u32, lane: u32) {
    let zeros = Pair(vec4(0.0), vec4(0.0));
    for (var block = 0u; block < BLOCKS; block++) {
        let row = first + 8u * block + lane;
        for (var octet = 0u; octet < vectors_of(LAST.outputs); octet++) {
            set_values(record_of(row) + LAST.delta + octet, zeros);
        }
        let loss = loss_of(row, data_row(there(row)));
        let counted = select(0.0, loss, row < step.rows);
        set_values(record_of(row) + LOSS_PLACE, Pair(vec4(counted, 0.0, 0.0, 0.0), zeros.high));
    }
}

// The sums over the deltas of the next layer become deltas.
fn multiply_slopes(layer: Layer, first: u32, lane: u32) {
    for (var octet = 0u; octet < vectors_of(layer.outputs); octet++) {
        for (var block = 0u; block < BLOCKS; block++) {
            let at = record_of(first + 8u * block + lane) + octet;
            let sums = values_at(at + layer.delta);
            let cached = values_at(at + layer.cached);
            let low = sums.low * derivatives_of(layer, cached.low);
            let high = sums.high * derivatives_of(layer, cached.high);
            set_values(at + layer.delta, Pair(low, high));
        }
    }
}

// Where the deltas of a layer's unit are in the turned ones: those of `held` rows lie side by side.
fn turned_at(layer: Layer, held: u32, first: u32, unit: u32) -> u32 {
    let units = 8u * vectors_of(layer.outputs);
    return TURNED + layer.turned + (first / held * units + unit) * (held / 8u);
}

// Puts the deltas of a layer where `weights` finds them: with rows instead of units side by side.
fn turn_deltas(layer: Layer, held: u32, first: u32, lane: u32) {
    for (var octet = 0u; octet < vectors_of(layer.outputs); octet++) {
        for (var block = 0u; block < BLOCKS; block++) {
            let begin = first + 8u * block;
            let deltas = values_at(record_of(begin + lane) + layer.delta + octet);
            let at = turned_at(layer, held, begin, 8u * octet + lane);
            set_values(at + begin % held / 8u, transposed(deltas, lane));
        }
    }
}

// The deltas of `held` rows of `count` units from `unit` on, 8 rows a lane; 0 beyond the minibatch.
fn unit_deltas(layer: Layer, held: u32, count: u32, first: u32, unit: u32, lane: u32) -> Pair {
    var deltas = Pair(vec4(0.0), vec4(0.0));
    if (lane < count * held / 8u) {
        deltas = values_at(turned_at(layer, held, first, unit) + lane);
    }
    return below(step.rows, first + 8u * lane % held, deltas);
}

@compute @workgroup_size(THREADS)
fn inputs(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    begin_step();
    let first = group.x / INPUT_TILES * 8u * INPUT_BLOCKS;
    let end = min((group.y + 1u) * SLICE, LAYER_0.vectors);
    sum_tile(first, group.x % INPUT_TILES, group.y, end, lane);
}

@compute @workgroup_size(THREADS)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    begin_step();
    let first = group.x * 8u * BLOCKS;
    forward(first, lane);
    losses_of_rows(first, lane);
    backward(first, lane);
}

// Moves an octet of weights of a unit along its gradient; what lies beyond the last input, or beside a
// bias, stays 0.
fn descend(
    layer: Layer, octet: u32, unit: u32, gradient: Pair, weight: vec4<f32>, bias: vec4<f32>
) {
    let at = packed_at(layer, octet, unit);
    let constants = select(weight, bias, octet == layer.vectors);
    let end = select(layer.inputs, 8u * octet + 1u, octet == layer.vectors);
    let p = parameters_at(at);
    load_moments(at);
    let low = moved(0u, p.low, gradient.low, constants);
    let high = moved(1u, p.high, gradient.high, constants);
    save_moments(at);
    parameters[at] = octet_of(below(end, 8u * octet, Pair(low, high)));
}

fn record(lane: u32) {
    var sum = 0.0;
    for (var row = lane; row < step.rows; row += 8u) {
        sum += values_at(record_of(row) + LOSS_PLACE).low.x;
    }
    sum += subgroupShuffleXor(sum, 1u);
    sum += subgroupShuffleXor(sum, 2u);
    sum += subgroupShuffleXor(sum, 4u);
    if (lane == 0u) {
        store_loss(step.loss_scale * sum);
    }
}

@compute @workgroup_size(THREADS)
fn weights(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    begin_step();
    weights_at(group_number(group, groups), lane);
}
