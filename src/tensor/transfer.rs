//! Values in and out of tensors: slices, arrays, other devices.

use std::sync::Arc;

use ndarray::{Array2, ArrayBase, Data, Dimension};

use super::{Tensor, check_size};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::op::{Op, Shape};

/// From the host.
impl Tensor {
    /// A tensor of `rows` by `cols` with the given elements, row by row.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows or columns, [`Error::Shape`] unless there are rows * cols
    /// values, [`Error::TooLarge`], [`Error::Device`].
    pub fn from_slice(device: &Device, rows: usize, cols: usize, values: &[f32]) -> Result<Self> {
        Self::upload("from_slice", device, Shape::new(rows, cols), values.to_vec())
    }

    /// A tensor with the elements of an array or view of one or two dimensions, in any memory
    /// order. An array of one dimension, n, becomes a row: (1, n).
    ///
    /// # Errors
    /// [`Error::Argument`] for 0, 3 or more dimensions, [`Error::Empty`] without elements,
    /// [`Error::TooLarge`], [`Error::Device`].
    ///
    /// ```
    /// use ndarray::array;
    /// use wgrad::{Device, Tensor};
    ///
    /// let x = array![[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
    /// let t = Tensor::from_array(&Device::cpu(), &x.t())?;
    /// assert_eq!(t.to_array()?, x.t());
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn from_array<S, D>(device: &Device, array: &ArrayBase<S, D>) -> Result<Self>
    where
        S: Data<Elem = f32>,
        D: Dimension,
    {
        let shape = match *array.shape() {
            [cols] => Shape::new(1, cols),
            [rows, cols] => Shape::new(rows, cols),
            _ => {
                let expected = "a tensor is made of 1 dimension (a row) or 2 (rows, columns)";
                return Err(Error::argument("the array's dimension", array.ndim(), expected));
            }
        };
        Self::upload("from_array", device, shape, array.iter().copied().collect())
    }

    /// A tensor of zeros.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows or columns, [`Error::TooLarge`], [`Error::Device`].
    pub fn zeros(device: &Device, rows: usize, cols: usize) -> Result<Self> {
        let shape = Shape::new(rows, cols);
        check_size("zeros", device, shape)?;
        Ok(Self { buffer: device.allocate(shape.len())?, shape })
    }

    /// A tensor with the same value everywhere.
    ///
    /// # Errors
    /// Those of [`zeros`](Self::zeros).
    pub fn full(device: &Device, rows: usize, cols: usize, value: f32) -> Result<Self> {
        Self::issue(device, [], Shape::new(rows, cols), |[], output| Op::Fill { value, output })
    }

    /// A tensor of one element, (1, 1).
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn scalar(device: &Device, value: f32) -> Result<Self> {
        Self::from_slice(device, 1, 1, &[value])
    }

    /// Copies `values` to the device; the CPU keeps the vector itself.
    fn upload(op: &'static str, device: &Device, shape: Shape, values: Vec<f32>) -> Result<Self> {
        check_size(op, device, shape)?;
        if shape.len() != values.len() {
            let hint = "the first is asked for, the second is the number of values given";
            return Err(Error::Shape { op, left: shape, right: Shape::new(1, values.len()), hint });
        }
        Ok(Self { buffer: device.upload_shared(Arc::new(values))?, shape })
    }
}

/// To the host, and to other devices. These wait for the work queued before.
impl Tensor {
    /// The values as an array.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn to_array(&self) -> Result<Array2<f32>> {
        pollster::block_on(self.to_array_async())
    }

    /// [`to_array`](Self::to_array), without blocking.
    ///
    /// # Errors
    /// Those of [`to_array`](Self::to_array).
    pub async fn to_array_async(&self) -> Result<Array2<f32>> {
        let values = self.to_vec_async().await?;
        Array2::from_shape_vec((self.shape.rows, self.shape.cols), values).map_err(|misfit| {
            Error::Program { op: "to_array", reason: format!("{}: {misfit}", self.shape) }
        })
    }

    /// The values, row by row.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn to_vec(&self) -> Result<Vec<f32>> {
        pollster::block_on(self.to_vec_async())
    }

    /// [`to_vec`](Self::to_vec), without blocking.
    ///
    /// # Errors
    /// Those of [`to_vec`](Self::to_vec).
    pub async fn to_vec_async(&self) -> Result<Vec<f32>> {
        self.buffer.read_range_async(0..self.shape.len()).await
    }

    /// The one value of a (1, 1) tensor.
    ///
    /// # Errors
    /// [`Error::Shape`] for any other shape, [`Error::Device`].
    pub fn item(&self) -> Result<f32> {
        pollster::block_on(self.item_async())
    }

    /// [`item`](Self::item), without blocking.
    ///
    /// # Errors
    /// Those of [`item`](Self::item).
    pub async fn item_async(&self) -> Result<f32> {
        let misfit = Error::Shape {
            op: "item",
            left: self.shape,
            right: Shape::new(1, 1),
            hint: "only a tensor of one element has an item: reduce it or read it with `to_array`",
        };
        match self.shape.len() {
            1 => self.to_vec_async().await?.first().copied().ok_or(misfit),
            _ => Err(misfit),
        }
    }

    /// The same values on another device, by way of the host; on the same device another handle.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where the other device allows less, [`Error::Device`].
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        pollster::block_on(self.to_device_async(device))
    }

    /// [`to_device`](Self::to_device), without blocking.
    ///
    /// # Errors
    /// Those of [`to_device`](Self::to_device).
    pub async fn to_device_async(&self, device: &Device) -> Result<Self> {
        if self.device() == device {
            return Ok(self.clone());
        }
        Self::upload("to_device", device, self.shape, self.to_vec_async().await?)
    }
}
