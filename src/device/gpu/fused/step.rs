//! What differs from step to step: the minibatch and the arguments.

use super::super::super::Launch;
use super::super::kernels::word;
use crate::op::StepArgs;

/// `Step` of `shaders/steps.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in super::super) struct Step {
    args: StepArgs,
    rows: u32,
    delta_scale: f32,
    loss_scale: f32,
    padding: u32,
}

/// What differs between the minibatches of an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Minibatch {
    pub(super) rows: usize,
    pub(super) delta_scale: f32,
    pub(super) loss_scale: f32,
}

/// The minibatches of an epoch, one a program.
#[derive(Debug, Clone)]
pub(in super::super) struct Minibatches(pub(super) Vec<Minibatch>);

impl Minibatches {
    /// The step of a launch.
    pub(in super::super) fn step(&self, launch: &Launch) -> Step {
        let Minibatch { rows, delta_scale, loss_scale } = self.0[launch.program];
        Step { args: launch.args, rows: word(rows), delta_scale, loss_scale, padding: 0 }
    }

    /// The rows of a launch.
    pub(in super::super) fn rows(&self, launch: &Launch) -> usize {
        self.0[launch.program].rows
    }

    /// The rows of the largest.
    pub(in super::super) fn most_rows(&self) -> usize {
        self.0.iter().map(|minibatch| minibatch.rows).max().unwrap_or(1)
    }
}
