//! [`Tensor`]: a matrix of f32 in a device's memory, computed with one [`Op`] at a time.
//!
//! Every tensor has two dimensions, (rows, cols), and is never changed: an operation queues its
//! instruction and gives a new tensor at once. Only reading (`to_array`, `to_vec`, `item`,
//! `all_close`, `to_device`) waits. Training does not go through here: a
//! [`Program`](crate::program::Program) issues the same ops without allocating.
//!
//! - this file: what a tensor is, and the one place that issues an op;
//! - `transfer`: slices and arrays in and out, from device to device;
//! - `ops`: products and elementwise arithmetic, activations, row operations;
//! - `reduce`: sums and other reductions, comparison.

mod ops;
mod reduce;
mod transfer;

use std::fmt;

use crate::device::{Buffer, Device};
use crate::error::{Error, Result};
use crate::op::{Op, Shape, StepArgs, View};

/// A matrix of f32 on a device. Cheap to clone: a handle of memory that is never written again.
///
/// ```
/// use wgrad::op::Axis;
/// use wgrad::{Device, Tensor};
///
/// let device = Device::cpu();
/// let x = Tensor::from_slice(&device, 2, 2, &[1.0, 2.0, 3.0, 4.0])?;
/// let mean = x.mean(Axis::Columns)?;
/// assert_eq!(x.sub(&mean)?.to_vec()?, [-1.0, -1.0, 1.0, 1.0]);
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor {
    /// Exactly `shape.len()` words.
    buffer: Buffer,
    shape: Shape,
}

impl Tensor {
    /// The shape, (rows, cols); neither is 0.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The device that holds it.
    #[must_use]
    pub fn device(&self) -> &Device {
        self.buffer.device()
    }

    /// Queues the op that `op` makes of the inputs' views and the output's; its result.
    ///
    /// Shapes are checked before any memory is asked for, so a misfit is named as such.
    fn issue<const N: usize>(
        device: &Device,
        inputs: [&Self; N],
        shape: Shape,
        op: impl FnOnce([View; N], View) -> Op,
    ) -> Result<Self> {
        let views = std::array::from_fn(|i| View::new(i, inputs[i].shape));
        let op = op(views, View::new(N, shape));
        let words: Vec<usize> = inputs.iter().map(|x| x.shape.len()).chain([shape.len()]).collect();
        op.check(&words)?;
        check_size(op.name(), device, shape)?;
        let output = Self { buffer: device.allocate(shape.len())?, shape };
        let buffers: Vec<&Buffer> =
            inputs.iter().map(|x| &x.buffer).chain([&output.buffer]).collect();
        device.execute(&op, &buffers, &StepArgs::default())?;
        Ok(output)
    }

    /// [`issue`](Self::issue) for an op that reads this tensor alone.
    fn issue_unary(&self, shape: Shape, op: impl FnOnce(View, View) -> Op) -> Result<Self> {
        Self::issue(self.device(), [self], shape, |[input], output| op(input, output))
    }
}

/// Shape and device; not the values, which would have to be waited for.
impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({} on {})", self.shape, self.device())
    }
}

/// Checks that a tensor of `shape` has elements, and that one buffer can hold them.
fn check_size(what: &'static str, device: &Device, shape: Shape) -> Result<()> {
    if shape.is_empty() {
        return Err(Error::Empty { what, shape });
    }
    if shape.len() > device.max_words() {
        return Err(Error::TooLarge {
            what: format!("{what}: a tensor of shape {shape}"),
            bytes: (shape.len() as u64).saturating_mul(4),
            limit: device.info().limits.max_binding_bytes,
            device: device.to_string(),
            hint: "compute it in parts of fewer rows",
        });
    }
    Ok(())
}
