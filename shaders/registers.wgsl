// Many whole training steps in one dispatch, of one subgroup a network, without memory that its threads
// share: each thread has all parameters, moments and gradients in registers. For the smallest networks, whose
// steps are shorter than the waiting for anybody else.
//
// A thread goes through every THREADS-th row of the minibatch, forward, loss, delta and backward, and
// adds up its part of each gradient. A gradient is the sum of the parts, which every thread has after
// a butterfly of additions, bitwise the same; and every thread moves all parameters itself.
//
// Rust writes the network before this text, unit by unit: learn, which takes a row through it, and
// descend, which moves the parameters, and total, the butterfly; arrays have no other indices than numbers there, so that a
// compiler keeps them in registers. Bindings and grid: steps.wgsl.

var<private> parameters: array<f32, PARAMETERS>;
var<private> gradients: array<f32, PARAMETERS>;
// The network's outputs of the row under way, and the loss's gradient with respect to them.
var<private> outputs: array<f32, OUTPUTS>;
var<private> deltas: array<f32, OUTPUTS>;

fn output_value(row: Row, col: u32) -> f32 {
    return outputs[col];
}

fn store_delta(row: Row, col: u32, gradient: f32) {
    deltas[col] = delta_scale * gradient;
}

@compute @workgroup_size(THREADS)
fn persistent(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    member = group.x;
    let begin = group.x * PARAMETERS_STRIDE;
    load(begin);
    for (var number = 0u; number < span.count; number++) {
        let at = group.x * span.stride + span.first + number;
        args = steps[at].args;
        delta_scale = steps[at].delta_scale;
        let rows = steps[at].rows;
        clear();
        var loss = 0.0;
        for (var first = 0u; first < rows; first += THREADS) {
            let row = first + thread;
            // Rows beyond the end are computed as copies of the last, and do not count.
            let value = learn(min(row, rows - 1u), row < rows);
            loss += select(0.0, value, row < rows);
        }
        descend();
        let sum = total(loss);
        if (thread == 0u) {
            store_loss(steps[at].loss_scale * sum);
        }
    }
    if (thread == 0u) {
        save(begin);
    }
}
