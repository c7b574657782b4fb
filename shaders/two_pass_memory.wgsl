// What the kernels of a step share beside two_pass.wgsl and steps.wgsl: their bindings and what they read.

@group(0) @binding(0) var<uniform> step: Step;
@group(1) @binding(0) var<storage, read_write> values: array<vec4<f32>>;
@group(1) @binding(5) var<storage, read_write> parameters: array<vec4<f32>>;

fn begin_step() {
    args = step.args;
    delta_scale = step.delta_scale;
}

// Where row i of the minibatch begins in the features, in words.
fn row_features(i: u32) -> u32 {
    return features_of(data_row(i), LAYER_0.inputs);
}

// The biases of a layer.
fn biases(layer: Layer) -> u32 {
    return layer.weight + layer.quads * layer.outputs;
}

// Moves the vector of weights `quad` of a unit along its gradient; what lies beyond the last input, or
// beside a bias, stays 0.
fn descend(layer: Layer, quad: u32, unit: u32, gradient: vec4<f32>, constants: vec4<f32>) {
    let at = layer.weight + quad * layer.outputs + unit;
    let end = select(layer.inputs, 4u * quad + 1u, quad == layer.quads);
    let next = moved(at, parameters[at], gradient, constants);
    parameters[at] = select(next, vec4(0.0), 4u * quad + vec4(0u, 1u, 2u, 3u) >= vec4(end));
}
