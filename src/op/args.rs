//! What an instruction is told anew at each step.

#[cfg(doc)]
use super::Op;
#[cfg(doc)]
use crate::optim::Optimizer;

/// What changes from step to step while everything else of a program stays.
#[derive(Debug, Clone, Copy, PartialEq, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct StepArgs {
    /// Where the minibatch starts: in the epoch's row order, or in the rows of the data.
    pub first_row: u32,
    /// Where [`Op::Record`] stores the step's loss.
    pub slot: u32,
    /// The number of the minibatch in its run, from 0: what [`Op::Dropout`] and [`Op::Noise`] draw
    /// depends on it.
    pub number: u32,
    /// The row that [`Op::Keep`] stores; [`StepArgs::KEEP_NOTHING`] stores none.
    pub keep: u32,
    /// The optimizer's numbers for this step; see [`Optimizer::coefficients`].
    pub coefficients: [f32; 8],
}

impl StepArgs {
    /// What [`keep`](Self::keep) is in steps that keep nothing.
    pub const KEEP_NOTHING: u32 = u32::MAX;
}
