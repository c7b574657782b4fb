//! The WGSL of a plan: what the forms of the persistent strategy have in common.

use super::super::fused::plan::Plan;
use super::super::fused::wgsl;
use super::super::kernels::{Constants, word};

/// The storage buffers before the moments: steps, features, targets, order, losses, parameters.
const BUFFERS: usize = 6;

/// A plan as a kernel, and what running it needs.
pub(super) struct Source {
    pub(super) text: String,
    /// The values of its `override` constants.
    pub(super) constants: Constants,
    pub(super) threads: usize,
    /// The words of a buffer of values, after the moments, if there is one.
    pub(super) values: Option<usize>,
    /// The iterations of one thread's loops in a step.
    pub(super) iterations: usize,
}

impl Source {
    /// How many storage buffers there are.
    pub(super) fn buffers(&self, plan: &Plan) -> usize {
        BUFFERS + plan.moments.len() + usize::from(self.values.is_some())
    }
}

/// The values of the `override` constants.
pub(super) fn constants(plan: &Plan, threads: usize) -> Constants {
    let mut constants = wgsl::constants(plan);
    constants.push(("THREADS", word(threads)));
    constants
}

/// The moments in the address space `space`, `words` long each, and the buffers they come from.
pub(super) fn moments(plan: &Plan, space: &str, words: usize) -> String {
    let mut text = String::new();
    for (i, name) in wgsl::MOMENTS.into_iter().enumerate() {
        let there = i < plan.moments.len();
        // The formulas name all three.
        let words = if there { words } else { 1 };
        text += &format!("var<{space}> {name}: array<f32, {words}>;\n");
        if there {
            text += &binding(BUFFERS + i, &format!("stored_{name}"));
        }
    }
    text
}

/// The buffer of values, if it is needed.
pub(super) fn values_binding(plan: &Plan) -> String {
    binding(BUFFERS + plan.moments.len(), "values")
}

fn binding(number: usize, name: &str) -> String {
    format!("@group(1) @binding({number}) var<storage, read_write> {name}: array<f32>;\n")
}
