//! Programs: a list of instructions over named buffers, compiled once and replayed.
//!
//! [`Step`] describes one training step as data and lowers to a [`Program`], which is its meaning:
//! whatever a device does instead (fewer, fused dispatches, say) must leave what the program
//! leaves. Printing a program lists it.

mod backward;
mod forward;
mod input_gradient;
mod kept;
mod map;
pub mod names;
mod predict;
mod regularize;
mod source;
mod step;
mod trace;
mod update;

use std::fmt;

pub use input_gradient::InputGradient;
pub use kept::Kept;
pub use predict::Predict;
pub use source::Source;
pub use step::{Share, Step};
pub use trace::{Quantity, Statistic, Trace};

use crate::error::Result;
use crate::op::{Op, View};

/// A buffer that a program works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferSpec {
    /// What it holds.
    pub name: String,
    /// Its size in 4-byte words; a larger buffer will do.
    pub words: usize,
    /// Whether nobody needs what a program leaves here: a device that runs the program as a whole
    /// may leave anything.
    pub transient: bool,
}

/// Named buffers and the instructions that run over them, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The buffers; a [`View`] names one by its place in this list.
    pub buffers: Vec<BufferSpec>,
    /// The instructions.
    pub ops: Vec<Op>,
}

impl Program {
    /// The place of a buffer.
    #[must_use]
    pub fn buffer(&self, name: &str) -> Option<usize> {
        self.buffers.iter().position(|buffer| buffer.name == name)
    }

    /// Checks every instruction: shapes, ranges, aliasing.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) or [`Error::Program`](crate::Error::Program) of the
    /// first instruction that does not fit.
    pub fn check(&self) -> Result<()> {
        let words: Vec<usize> = self.buffers.iter().map(|buffer| buffer.words).collect();
        self.ops.iter().try_for_each(|op| op.check(&words))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for buffer in &self.buffers {
            writeln!(f, "buffer {}: {} words", buffer.name, buffer.words)?;
        }
        let show = |view: View| {
            let name = self.buffers.get(view.buffer).map_or("?", |buffer| buffer.name.as_str());
            format!("{name}[{}..]{}", view.offset, view.shape)
        };
        for op in &self.ops {
            write!(f, "{}", op.name())?;
            for operand in op.operands() {
                write!(f, " {}={}", operand.name, show(operand.view))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
