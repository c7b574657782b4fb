//! How a device runs the steps of a training.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How the steps of a training are executed. All strategies compute the same formulas; they may add
/// up sums in another order, so that results differ by rounding between strategies, and never
/// between runs of one.
///
/// ```
/// use wgrad::device::Strategy;
///
/// assert_eq!("persistent".parse(), Ok(Strategy::Persistent));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Strategy {
    /// The one that a rule finds the fastest: from what a step demands, what the device costs, and the
    /// number of steps that are planned, which have to pay for compiling a kernel for the network (a
    /// few thousand do). What the device costs is measured once and kept in a file, so that the same
    /// training gets the same strategy, and so the same bits: see
    /// [`Device::calibration`](crate::Device::calibration). To be sure of them on any machine, name the
    /// strategy, or hand a calibration to [`Trainer::calibration`](crate::Trainer::calibration).
    #[default]
    Auto,
    /// Instruction by instruction, each over the whole device. Runs everything, and is the only one
    /// of the CPU.
    Program,
    /// Many whole steps in one dispatch of one workgroup, whose memory holds the parameters and the
    /// optimizer's state. For networks of up to some thousand parameters on a GPU, with elementwise
    /// activations, any loss and any optimizer but LAMB; without weighted rows, dropout, noise,
    /// penalties, clipping, averages, accumulated gradients, frozen layers and recording.
    Persistent,
    /// As persistent, with everything in the registers of one subgroup's threads: for networks of up
    /// to 128 parameters, on a GPU whose subgroups all have one size.
    Registers,
    /// A step in two dispatches, or three where the first layer is wide: forward, loss and deltas by
    /// blocks of rows, then all gradients and updates. For minibatches of any size and hidden widths up
    /// to a few hundred, with what `persistent` asks of a training.
    TwoPass,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 5] =
        [Self::Auto, Self::Program, Self::Persistent, Self::Registers, Self::TwoPass];

    /// The name: `auto`, `program`, `persistent`, `registers`, `two_pass`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Program => "program",
            Self::Persistent => "persistent",
            Self::Registers => "registers",
            Self::TwoPass => "two_pass",
        }
    }

    /// Why this strategy cannot run a step.
    pub(crate) fn unfit(self, reason: impl fmt::Display) -> Error {
        let expected = format!("it cannot run this training: {reason}; or use `auto`");
        Error::argument("the strategy", self, expected)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Strategy {
    type Err = Error;

    /// # Errors
    /// [`Error::Argument`] for a name that none has.
    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|strategy| strategy.name() == text);
        named.ok_or_else(|| {
            let names = "`auto`, `program`, `persistent`, `registers` or `two_pass`";
            Error::argument("the strategy", text, names)
        })
    }
}
