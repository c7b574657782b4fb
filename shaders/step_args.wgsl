// The arguments of a step; `StepArgs` in Rust.
struct StepArgs {
    first_row: u32,
    slot: u32,
    number: u32,
    keep: u32,
    coefficients: array<vec4<f32>, 2>,
}

