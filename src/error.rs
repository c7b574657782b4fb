//! The one error type of the crate.
//!
//! Every message names the operation, the values or shapes that do not fit, the place they were
//! found in, and what to do about it. No type of a dependency appears here, so a backend can be
//! replaced without breaking a caller.

use std::fmt;
use std::path::PathBuf;

use crate::op::Shape;

/// The result of every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two operands whose shapes do not fit together.
    #[error("{op}: shapes {left} and {right} do not fit: {hint}")]
    Shape {
        /// The operation that was asked for.
        op: &'static str,
        /// The shape of the first operand.
        left: Shape,
        /// The shape of the second operand.
        right: Shape,
        /// What the operation needs.
        hint: &'static str,
    },

    /// A parameter outside its domain, such as a batch size of 0.
    #[error("{what} is {value}: {expected}")]
    Argument {
        /// The parameter.
        what: &'static str,
        /// The value it was given.
        value: String,
        /// What it has to be.
        expected: String,
    },

    /// A class label that the network has no output for.
    #[error(
        "label {label} in row {row} is out of range: the network has {classes} outputs, so labels \
         are 0 to {}", classes.saturating_sub(1)
    )]
    Label {
        /// The row, counted from 0.
        row: usize,
        /// The label found there.
        label: i64,
        /// The number of classes.
        classes: usize,
    },

    /// A NaN or an infinity in data.
    #[error(
        "{what} hold {value} at row {row}, column {column}: clean or impute the data, or allow it \
         with `Dataset::builder().allow_non_finite()`"
    )]
    NonFinite {
        /// Which array.
        what: &'static str,
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The value found there.
        value: f32,
    },

    /// Data without rows or without columns.
    #[error("{what}: no data: there must be at least one row and one column, got {shape}")]
    Empty {
        /// The operation or array.
        what: &'static str,
        /// The shape found.
        shape: Shape,
    },

    /// Targets of one kind where the other is needed.
    #[error("{op}: the targets are {found}, but {needs}")]
    Targets {
        /// The operation.
        op: &'static str,
        /// The kind of targets in the data set.
        found: &'static str,
        /// What is needed, and how to get it.
        needs: &'static str,
    },

    /// A parameter name that the network does not have.
    #[error("the network has no parameter `{name}`: it has {}", Listed(known))]
    UnknownParameter {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },

    /// A device name that fits none of the devices.
    #[error(
        "unknown device `{name}`: use `auto`, `cpu`, `gpu`, `gpu:N` or a part of an adapter's \
         name; this machine has {}",
        Listed(available)
    )]
    UnknownDevice {
        /// The name asked for.
        name: String,
        /// The devices there are.
        available: Vec<String>,
    },

    /// No graphics adapter that can run compute shaders.
    #[error(
        "no GPU adapter found ({reason}): install a Vulkan, Metal or DX12 driver (on Debian or \
         Ubuntu the packages mesa-vulkan-drivers and libvulkan1 hold drivers for AMD and Intel \
         and a software adapter; NVIDIA's come with its own driver), or use `--device cpu`, which \
         works on every machine"
    )]
    NoAdapter {
        /// What the search came back with.
        reason: String,
    },

    /// Operands that live on different devices.
    #[error("{op}: one operand is on {left}, the other on {right}: copy one over with `to_device`")]
    DeviceMismatch {
        /// The operation.
        op: &'static str,
        /// The device of the first operand.
        left: String,
        /// The device of the second operand.
        right: String,
    },

    /// More memory than the device gives to one buffer.
    #[error("{what} needs {bytes} bytes, {device} allows {limit}: {hint}")]
    TooLarge {
        /// What was to be stored.
        what: String,
        /// The bytes it needs.
        bytes: u64,
        /// The bytes a buffer can have.
        limit: u64,
        /// The device.
        device: String,
        /// What to do.
        hint: &'static str,
    },

    /// A failure reported by the device or its driver.
    #[error("{operation} failed on {device}: {reason}")]
    Device {
        /// What was being done.
        operation: &'static str,
        /// The device.
        device: String,
        /// The driver's words.
        reason: String,
    },

    /// A file that is missing, unreadable or not what it should be.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where in it.
        reason: String,
    },

    /// Training that ran out of the numbers that f32 holds.
    #[error(
        "training diverged: {what} is not finite in epoch {epoch}, step {step}: lower the \
         learning rate, scale inputs and targets (`StandardScaler`), or start from smaller weights"
    )]
    Diverged {
        /// The layer or quantity that is not finite, such as `layers.0.weight`.
        what: String,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step of the run, counted from 1.
        step: u64,
    },

    /// An instruction that does not fit the buffers it was given.
    #[error("{op}: {reason}")]
    Program {
        /// The instruction.
        op: &'static str,
        /// What does not fit.
        reason: String,
    },
}

impl Error {
    /// An [`Error::Argument`], with the value as it prints.
    pub(crate) fn argument(
        what: &'static str,
        value: impl fmt::Display,
        expected: impl Into<String>,
    ) -> Self {
        Self::Argument { what, value: value.to_string(), expected: expected.into() }
    }

    /// An [`Error::File`].
    pub(crate) fn file(path: impl Into<PathBuf>, reason: impl fmt::Display) -> Self {
        Self::File { path: path.into(), reason: reason.to_string() }
    }
}

/// Prints a list as prose: "a, b, c", or "none".
struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { f.write_str(&self.0.join(", ")) }
    }
}
