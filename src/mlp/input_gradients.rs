//! Gradients with respect to inputs.

use ndarray::{Array2, ArrayBase, Axis, Data, Ix2};

use super::Mlp;
use super::predict::LAUNCH_ROWS;
use crate::device::{Buffer, Executable, Launch};
use crate::error::{Error, Result};
use crate::op::{Shape, StepArgs};
use crate::program::{InputGradient, Program, names};

impl Mlp {
    /// The gradient of a scalar function of the outputs with respect to the inputs, row by row:
    /// (rows, inputs), from `x`, (rows, inputs), and `upstream`, (rows, outputs).
    ///
    /// `upstream` is the function's derivative with respect to the outputs: ones for their sum, a
    /// single 1 in a row for one output, a loss's derivative for the loss. The result is the product
    /// of each row of it with the Jacobian dy/dx there (PyTorch's `y.backward(upstream)` and
    /// `x.grad`). Any network will do, those with softmax or prelu too; at kinks the derivative is
    /// that of [`Activation`](crate::Activation).
    ///
    /// ```
    /// use ndarray::array;
    /// use wgrad::{Activation, Dense, Device, Init, Mlp};
    ///
    /// // y = tanh(a . x), whose gradient is (1 - y²) a.
    /// let a = array![[0.5f32], [-1.0]];
    /// let layer = Dense::new(1, Activation::Tanh).bias(false).weight_init(Init::Array(a));
    /// let mlp = Mlp::builder(2).layer(layer).build(&Device::cpu())?;
    /// let x = array![[1.0f32, 0.25]];
    /// let y = mlp.predict(&x)?[[0, 0]];
    /// let gradient = mlp.input_gradients(&x, &array![[1.0]])?;
    /// assert!((gradient[[0, 0]] - 0.5 * (1.0 - y * y)).abs() < 1e-6);
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` does not fit the network's inputs or `upstream` its outputs, or the
    /// rows are not as many; [`Error::Empty`], and the device's.
    pub fn input_gradients<S, U>(
        &self,
        x: &ArrayBase<S, Ix2>,
        upstream: &ArrayBase<U, Ix2>,
    ) -> Result<Array2<f32>>
    where
        S: Data<Elem = f32>,
        U: Data<Elem = f32>,
    {
        pollster::block_on(self.input_gradients_async(x, upstream))
    }

    /// [`input_gradients`](Self::input_gradients), without blocking.
    ///
    /// # Errors
    /// Those of [`input_gradients`](Self::input_gradients).
    pub async fn input_gradients_async<S, U>(
        &self,
        x: &ArrayBase<S, Ix2>,
        upstream: &ArrayBase<U, Ix2>,
    ) -> Result<Array2<f32>>
    where
        S: Data<Elem = f32>,
        U: Data<Elem = f32>,
    {
        let shape = Shape::new(x.nrows(), x.ncols());
        self.check_inputs("input_gradients", shape)?;
        let (left, right) = (
            Shape::new(upstream.nrows(), upstream.ncols()),
            Shape::new(shape.rows, self.network.outputs()),
        );
        if left != right {
            let hint = "what comes to the outputs, first, needs their shape, second";
            return Err(Error::Shape { op: "input_gradients", left, right, hint });
        }
        let batch = LAUNCH_ROWS.min(shape.rows);
        let mut gradient = Compiled::new(self, shape.rows, batch)?;
        let mut all = Vec::with_capacity(shape.len());
        for (x, upstream) in
            x.axis_chunks_iter(Axis(0), batch).zip(upstream.axis_chunks_iter(Axis(0), batch))
        {
            let words = [x, upstream].map(|rows| rows.iter().copied().collect::<Vec<f32>>());
            all.extend(gradient.of(&words).await?);
        }
        Array2::from_shape_vec((shape.rows, shape.cols), all)
            .map_err(|error| Error::Program { op: "input_gradients", reason: error.to_string() })
    }
}

/// The compiled program, for whole launches and for the rows that are left.
struct Compiled {
    executable: Box<dyn Executable>,
    /// Inputs and what comes to the outputs.
    given: [Buffer; 2],
    gradient: Buffer,
}

impl Compiled {
    fn new(mlp: &Mlp, rows: usize, batch: usize) -> Result<Self> {
        let lower = |batch| InputGradient { network: mlp.network.clone(), batch }.lower();
        let mut programs: Vec<Program> = vec![lower(batch)?];
        if !rows.is_multiple_of(batch) {
            programs.push(lower(rows % batch)?);
        }
        let parameters = programs[0].buffer(names::PARAMETERS);
        let place = |(at, spec): (usize, &crate::program::BufferSpec)| {
            if Some(at) == parameters {
                Ok(mlp.parameters.clone())
            } else {
                mlp.device.allocate(spec.words)
            }
        };
        let buffers: Vec<Buffer> =
            programs[0].buffers.iter().enumerate().map(place).collect::<Result<_>>()?;
        let executable = mlp.device.compile(&programs, &buffers)?;
        let buffer = |name| buffers[programs[0].buffer(name).unwrap_or(0)].clone();
        let given = [buffer(names::INPUT), buffer(names::UPSTREAM)];
        Ok(Self { executable, given, gradient: buffer(names::INPUT_GRADIENT) })
    }

    /// The gradient of some rows of inputs with what comes to their outputs.
    async fn of(&mut self, words: &[Vec<f32>; 2]) -> Result<Vec<f32>> {
        for (buffer, words) in self.given.iter().zip(words) {
            buffer.write(0, words)?;
        }
        let whole = self.gradient.words() == words[0].len();
        let launch = Launch { program: usize::from(!whole), args: StepArgs::default() };
        self.executable.run(&[launch])?;
        self.gradient.read_range_async(0..words[0].len()).await
    }
}
