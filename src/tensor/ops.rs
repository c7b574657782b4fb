//! Products, elementwise arithmetic, activations, and operations on rows.
//!
//! Any of them can fail with [`Error::TooLarge`] where the device has no memory for the result, and
//! with [`Error::Device`] where the device itself fails.

use super::Tensor;
use crate::error::{Error, Result};
use crate::nn::Activation;
use crate::op::{BinaryOp, Op, Pick, Rows, Shape, View};

/// Products.
impl Tensor {
    /// A . B: (m, k) . (k, n) gives (m, n).
    ///
    /// # Errors
    /// [`Error::Shape`] unless this tensor's columns are the other's rows;
    /// [`Error::DeviceMismatch`], [`Error::TooLarge`], [`Error::Device`].
    ///
    /// ```
    /// use wgrad::{Device, Tensor};
    ///
    /// let device = Device::cpu();
    /// let a = Tensor::from_slice(&device, 1, 2, &[1.0, 2.0])?;
    /// let b = Tensor::from_slice(&device, 2, 2, &[3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(a.matmul(&b)?.to_vec()?, [13.0, 16.0]);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        self.product(other, false, false)
    }

    /// A^T . B, without transposing A in memory: (k, m) and (k, n) give (m, n).
    ///
    /// # Errors
    /// [`Error::Shape`] unless both have the same number of rows; else those of
    /// [`matmul`](Self::matmul).
    pub fn matmul_tn(&self, other: &Self) -> Result<Self> {
        self.product(other, true, false)
    }

    /// A . B^T, without transposing B in memory: (m, k) and (n, k) give (m, n).
    ///
    /// # Errors
    /// [`Error::Shape`] unless both have the same number of columns; else those of
    /// [`matmul`](Self::matmul).
    pub fn matmul_nt(&self, other: &Self) -> Result<Self> {
        self.product(other, false, true)
    }

    fn product(&self, other: &Self, transpose_a: bool, transpose_b: bool) -> Result<Self> {
        let rows = if transpose_a { self.shape.cols } else { self.shape.rows };
        let cols = if transpose_b { other.shape.rows } else { other.shape.cols };
        let op = |[a, b]: [View; 2], output| Op::Matmul { a, b, transpose_a, transpose_b, output };
        Self::issue(self.device(), [self, other], Shape::new(rows, cols), op)
    }
}

/// Arithmetic, element by element.
///
/// The other tensor has this one's shape (rows, cols), or is a row (1, cols), a column (rows, 1) or
/// a scalar (1, 1), which is repeated.
impl Tensor {
    /// a + b, with b repeated where it is a row, a column or a scalar.
    ///
    /// # Errors
    /// [`Error::Shape`] where b neither has the shape nor can be repeated;
    /// [`Error::DeviceMismatch`], [`Error::TooLarge`], [`Error::Device`].
    ///
    /// ```
    /// use wgrad::{Device, Tensor};
    ///
    /// let device = Device::cpu();
    /// let x = Tensor::from_slice(&device, 2, 2, &[1.0, 2.0, 3.0, 4.0])?;
    /// let row = Tensor::from_slice(&device, 1, 2, &[10.0, 20.0])?;
    /// assert_eq!(x.add(&row)?.to_vec()?, [11.0, 22.0, 13.0, 24.0]);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn add(&self, other: &Self) -> Result<Self> {
        self.binary(BinaryOp::Add, other)
    }

    /// a - b, with b repeated where it is a row, a column or a scalar.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.binary(BinaryOp::Subtract, other)
    }

    /// a b, element by element, with b repeated where it is a row, a column or a scalar.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn mul(&self, other: &Self) -> Result<Self> {
        self.binary(BinaryOp::Multiply, other)
    }

    /// a / b, with b repeated where it is a row, a column or a scalar.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn div(&self, other: &Self) -> Result<Self> {
        self.binary(BinaryOp::Divide, other)
    }

    /// a + scalar
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn add_scalar(&self, scalar: f32) -> Result<Self> {
        self.with_scalar(BinaryOp::Add, scalar)
    }

    /// a - scalar
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn sub_scalar(&self, scalar: f32) -> Result<Self> {
        self.with_scalar(BinaryOp::Subtract, scalar)
    }

    /// a scalar
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn mul_scalar(&self, scalar: f32) -> Result<Self> {
        self.with_scalar(BinaryOp::Multiply, scalar)
    }

    /// a / scalar
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn div_scalar(&self, scalar: f32) -> Result<Self> {
        self.with_scalar(BinaryOp::Divide, scalar)
    }

    /// -a
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn neg(&self) -> Result<Self> {
        self.mul_scalar(-1.0)
    }

    fn binary(&self, op: BinaryOp, other: &Self) -> Result<Self> {
        let op = |[a, b]: [View; 2], output| Op::Binary { op, a, b, output };
        Self::issue(self.device(), [self, other], self.shape, op)
    }

    fn with_scalar(&self, op: BinaryOp, scalar: f32) -> Result<Self> {
        self.issue_unary(self.shape, |a, output| Op::Scalar { op, a, scalar, output })
    }
}

/// Activations, and softmax.
impl Tensor {
    /// phi(z), element by element.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    ///
    /// ```
    /// use wgrad::nn::Activation;
    /// use wgrad::{Device, Tensor};
    ///
    /// let z = Tensor::from_slice(&Device::cpu(), 1, 3, &[-1.0, 0.0, 2.0])?;
    /// assert_eq!(z.activate(Activation::Relu)?.to_vec()?, [0.0, 0.0, 2.0]);
    /// assert_eq!(z.activation_derivative(Activation::Relu)?.to_vec()?, [0.0, 0.0, 1.0]);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn activate(&self, activation: Activation) -> Result<Self> {
        self.issue_unary(self.shape, |input, output| Op::Activate { activation, input, output })
    }

    /// phi'(z), element by element, from z itself.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn activation_derivative(&self, activation: Activation) -> Result<Self> {
        let op = |input, output| Op::Differentiate { activation, input, output };
        self.issue_unary(self.shape, op)
    }

    /// max(z, 0)
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn relu(&self) -> Result<Self> {
        self.activate(Activation::Relu)
    }

    /// tanh z
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn tanh(&self) -> Result<Self> {
        self.activate(Activation::Tanh)
    }

    /// 1 / (1 + e^-z)
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn sigmoid(&self) -> Result<Self> {
        self.activate(Activation::Sigmoid)
    }

    /// e^z / sum e^z by rows: each row becomes positive and sums to 1.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    ///
    /// ```
    /// use wgrad::{Device, Tensor};
    ///
    /// let logits = Tensor::from_slice(&Device::cpu(), 1, 2, &[1000.0, 1000.0])?;
    /// assert_eq!(logits.softmax()?.to_vec()?, [0.5, 0.5]);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn softmax(&self) -> Result<Self> {
        self.softmax_or_log(false)
    }

    /// z - log sum e^z by rows: the logarithm of [`softmax`](Self::softmax).
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn log_softmax(&self) -> Result<Self> {
        self.softmax_or_log(true)
    }

    fn softmax_or_log(&self, logarithm: bool) -> Result<Self> {
        self.issue_unary(self.shape, |input, output| Op::Softmax { logarithm, input, output })
    }
}

/// Rows and columns.
impl Tensor {
    /// A^T: (rows, cols) becomes (cols, rows).
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Device`].
    pub fn transpose(&self) -> Result<Self> {
        self.issue_unary(self.shape.transposed(), |input, output| Op::Transpose { input, output })
    }

    /// The rows of these numbers, in this order, any of them as often as it is named: (n, cols) for
    /// n numbers.
    ///
    /// # Errors
    /// [`Error::Empty`] without row numbers, [`Error::Argument`] for a number that is no row, with
    /// its place in the list; [`Error::TooLarge`], [`Error::Device`].
    ///
    /// ```
    /// use wgrad::{Device, Tensor};
    ///
    /// let x = Tensor::from_slice(&Device::cpu(), 3, 1, &[10.0, 20.0, 30.0])?;
    /// assert_eq!(x.gather_rows(&[2, 0, 2])?.to_vec()?, [30.0, 10.0, 30.0]);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn gather_rows(&self, rows: &[usize]) -> Result<Self> {
        let (shape, count) = (Shape::new(rows.len(), self.shape.cols), rows.len());
        if rows.is_empty() {
            return Err(Error::Empty { what: "gather_rows", shape });
        }
        // u32 row numbers, as the bits of f32.
        let bits: Vec<f32> = (rows.iter().enumerate())
            .map(|(place, &row)| self.row_number(place, row).map(f32::from_bits))
            .collect::<Result<_>>()?;
        let order = Self::from_slice(self.device(), count, 1, &bits)?;
        let op = |[source, order]: [View; 2], output| {
            let rows = Rows { source, pick: Pick::Order(order), count };
            Op::Gather { rows, first: 0, output }
        };
        Self::issue(self.device(), [self, &order], shape, op)
    }

    /// The row number at a place of a list, if there is such a row.
    fn row_number(&self, place: usize, row: usize) -> Result<u32> {
        let there = self.shape.rows;
        u32::try_from(row).ok().filter(|_| row < there).ok_or_else(|| {
            let value = format!("{row} at place {place}");
            let expected =
                format!("a tensor of shape {} has the rows 0 to {}", self.shape, there - 1);
            Error::argument("a row number of `gather_rows`", value, expected)
        })
    }
}
