// A training step in two dispatches, or three where the first layer is wide: the memory that they share.
//
//   inputs   the first layer's sums of a row over a slice of its inputs, to be added up by `rows`
//   rows     of a block of rows everything that is local to a row: forward, loss, every delta
//   weights  of every parameter the gradient, a sum over the rows in their order, and its update; and
//            the sum of the row losses
//
// Vectors are of WIDTH words, 4 or 8. Weights and moments are packed: vector (q, unit) of a layer holds the
// weights from inputs WIDTH q, WIDTH q + 1, .. to a unit, with zeros beyond the last input; biases are the
// first numbers of one q more. So everything that is summed over inputs comes in vectors, whatever the
// widths of layers (two_pass_pack.wgsl packs and unpacks). TILE vectors of a unit lie side by side, then
// those of the next unit.
//
// Bindings of group 0: the step; of group 1: values, features, targets, order, losses, parameters, then
// as many moments as there are. `values` has a record of vectors a row: outputs, where phi' needs them
// sums, deltas, all padded with zeros, and its loss; behind the records the deltas once more, by unit, if
// the form reads them so, and the partial sums of `inputs`, (SLICES, ROWS, units).
//
// Rust writes the sizes before this text: the layers as constants LAYER_0, LAYER_1, ..., the last one
// also as LAST.

// A dense layer; places are in vectors.
struct Layer {
    inputs: u32,
    outputs: u32,
    // Vectors of inputs, without the biases.
    vectors: u32,
    // In the parameters, and of its deltas by unit.
    weight: u32,
    turned: u32,
    // In a row's record. Without an input: the features.
    input: u32,
    pre: u32,
    output: u32,
    delta: u32,
    // What phi' is computed from: `pre` or `output`.
    cached: u32,
    // phi, by its code, and its parameter.
    activation: u32,
    constant: f32,
    // In words of the parameters as the program stores them.
    stored_weight: u32,
    stored_bias: u32,
}

const WITHOUT: u32 = 0xffffffffu;

// The vectors that hold so many numbers.
fn vectors_of(count: u32) -> u32 {
    return (count + WIDTH - 1u) / WIDTH;
}

// Where vector (q, unit) of a layer is.
fn packed_at(layer: Layer, q: u32, unit: u32) -> u32 {
    return layer.weight + (q / TILE * layer.outputs + unit) * TILE + q % TILE;
}
