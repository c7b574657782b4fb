// What the kernels of a step share beside two_pass.wgsl and steps.wgsl.

@group(0) @binding(0) var<uniform> step: Step;

fn begin_step() {
    args = step.args;
    delta_scale = step.delta_scale;
}

// Where row i of the minibatch begins in the features, in words.
fn minibatch_features(i: u32) -> u32 {
    return features_of(data_row(i), LAYER_0.inputs);
}

// Where the bias of a unit is.
fn bias_at(layer: Layer, unit: u32) -> u32 {
    return packed_at(layer, layer.vectors, unit);
}
