//! In what numbers a device trains.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The numbers that the matrix products of a training's steps take. Parameters, moments, gradients,
/// losses and updates are `f32` in either, as are predictions and evaluations.
///
/// ```
/// use wgrad::device::Precision;
///
/// assert_eq!("mixed".parse(), Ok(Precision::MIXED));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Precision {
    /// f32.
    #[default]
    F32,
    /// Both operands of every product are rounded to f16 (11 significant bits, to even), and their
    /// products are added up in f32, as in Micikevicius et al., Mixed Precision Training (2018): master
    /// weights are f32, and losses are scaled, statically, so that small deltas are not rounded to 0.
    /// The scale is taken off as soon as a product is summed up, so that whoever looks at gradients
    /// (clipping, traces, callbacks) finds them as they are.
    ///
    /// What f16 cannot hold, from 65,520 on, or 65,520 / `loss_scale` in deltas, becomes the largest
    /// number that it can; no update is skipped. NaN and infinity stay what they are.
    ///
    /// On a GPU, by the strategy `program`; on its cooperative matrices where the driver lists those of
    /// 16 x 16 or 8 x 8 with sums in f32. Where numbers come in fours (layers of a multiple of 4 units,
    /// with one of the activations identity, ReLU, tanh and sigmoid, and without dropout) activations and
    /// deltas take 16 bits in memory, and weights are kept twice, for products and for updates; there the
    /// activation's derivative is computed from the rounded activation. Everything else is rounded where a
    /// product fetches it.
    Mixed {
        /// What deltas are multiplied by before they are rounded, a power of two up to 2^24.
        loss_scale: u32,
    },
}

impl Precision {
    /// Mixed, with losses scaled by 1,024.
    pub const MIXED: Self = Self::Mixed { loss_scale: 1_024 };

    /// The name: `f32` or `mixed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Mixed { .. } => "mixed",
        }
    }

    /// Checks the scale.
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Mixed { loss_scale } if !loss_scale.is_power_of_two() || loss_scale > 1 << 24 => {
                Err(Error::argument("the loss scale", loss_scale, "a power of two up to 2^24"))
            }
            _ => Ok(()),
        }
    }

    /// Why something cannot train in this precision.
    pub(crate) fn unfit(self, reason: impl fmt::Display) -> Error {
        Error::argument("the precision", self, format!("{reason}; or use `f32`"))
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = Error;

    /// # Errors
    /// [`Error::Argument`] for a name that none has.
    fn from_str(text: &str) -> Result<Self> {
        let named = [Self::F32, Self::MIXED].into_iter().find(|precision| precision.name() == text);
        named.ok_or_else(|| Error::argument("the precision", text, "`f32` or `mixed`"))
    }
}
