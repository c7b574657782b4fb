//! Reductions, and the comparison of two tensors.

use super::Tensor;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::op::{Axis, Op, Reduction, Shape, View};

/// Reductions: along each row to (rows, 1), along each column to (1, cols), or over all to (1, 1).
impl Tensor {
    /// The sums.
    ///
    /// # Errors
    /// [`Error::Device`].
    ///
    /// ```
    /// use wgrad::op::Axis;
    /// use wgrad::{Device, Tensor};
    ///
    /// let x = Tensor::from_slice(&Device::cpu(), 2, 2, &[1.0, 2.0, 3.0, 4.0])?;
    /// assert_eq!(x.sum(Axis::Rows)?.to_vec()?, [3.0, 7.0]);
    /// assert_eq!(x.sum(Axis::Columns)?.to_vec()?, [4.0, 6.0]);
    /// assert_eq!(x.sum(Axis::All)?.item()?, 10.0);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn sum(&self, axis: Axis) -> Result<Self> {
        self.reduce(Reduction::Sum, axis)
    }

    /// The arithmetic means.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn mean(&self, axis: Axis) -> Result<Self> {
        self.reduce(Reduction::Mean, axis)
    }

    /// The largest elements.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn max(&self, axis: Axis) -> Result<Self> {
        self.reduce(Reduction::Max, axis)
    }

    /// The smallest elements.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn min(&self, axis: Axis) -> Result<Self> {
        self.reduce(Reduction::Min, axis)
    }

    /// The indices of the first largest elements, as f32: along the axis, or row-major for all.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn argmax(&self, axis: Axis) -> Result<Self> {
        self.reduce(Reduction::Argmax, axis)
    }

    /// The square roots of the sums of squares.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn norm(&self, axis: Axis) -> Result<Self> {
        self.reduce(Reduction::Norm, axis)
    }

    fn reduce(&self, reduction: Reduction, axis: Axis) -> Result<Self> {
        let op = |input, output| Op::Reduce { reduction, axis, input, output };
        self.issue_unary(axis.reduced(self.shape), op)
    }
}

/// Comparison.
impl Tensor {
    /// Waits and tells whether |a - b| <= absolute + relative |b| for every element.
    ///
    /// An infinity is close only to itself, and a NaN to nothing.
    ///
    /// # Errors
    /// [`Error::Shape`] unless both have the same shape; [`Error::DeviceMismatch`],
    /// [`Error::Device`].
    ///
    /// ```
    /// use wgrad::{Device, Tensor};
    ///
    /// let device = Device::cpu();
    /// let a = Tensor::full(&device, 2, 3, 1.0)?;
    /// let b = a.add_scalar(1e-6)?;
    /// assert!(a.all_close(&b, 1e-5, 0.0)?);
    /// assert!(!a.all_close(&b, 1e-7, 0.0)?);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn all_close(&self, other: &Self, relative: f32, absolute: f32) -> Result<bool> {
        pollster::block_on(self.all_close_async(other, relative, absolute))
    }

    /// [`all_close`](Self::all_close), without blocking.
    ///
    /// # Errors
    /// Those of [`all_close`](Self::all_close).
    pub async fn all_close_async(
        &self,
        other: &Self,
        relative: f32,
        absolute: f32,
    ) -> Result<bool> {
        let op = |[a, b]: [View; 2], output| Op::Mismatch { a, b, relative, absolute, output };
        let count = Self::issue(self.device(), [self, other], Shape::new(1, 1), op)?;
        Ok(count.item_async().await? == 0.0)
    }
}
