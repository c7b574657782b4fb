// The step's arguments as most kernels find them; `pipelines.rs` puts this before their sources.
@group(0) @binding(0) var<uniform> args: StepArgs;

