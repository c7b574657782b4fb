//! The instruction set: every piece of numerical work that a device can do.
//!
//! An [`Op`] is data: its operands (views into numbered buffers), their shapes and its formula.
//! [`Tensor`](crate::Tensor) issues one at a time, a [`Program`](crate::program::Program) holds a
//! list of them; [`Device::execute`](crate::Device::execute) and the trainer run them, on the CPU
//! as plain Rust and on a GPU as one WGSL kernel each. Both must do what the variant's
//! documentation says, and every op is tested on both against f64.
//!
//! Matrices are row-major (rows, cols) of 4-byte words: f32, or u32 where an operand is said to
//! hold row numbers or class labels. A result below the smallest normal number may be zero instead.
//! Instructions never allocate, never wait, and reduce in a fixed order, so that the same device
//! gives the same bits.

mod args;
mod check;
mod cost;
mod formulas;
mod kinds;
mod operands;
mod view;

pub use args::StepArgs;
pub(crate) use cost::Cost;
pub use formulas::MAX_BINS;
pub(crate) use formulas::{NORM_EPSILON, dropout_threshold};
pub(crate) use kinds::argmax;
pub use kinds::{Axis, BinaryOp, Reduction};
pub(crate) use operands::{Access, Operand};
pub use view::{Pick, Rows, Shape, View};

use crate::nn::{Activation, Loss, TargetKind};
use crate::optim::Optimizer;

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// output = value
    Fill {
        /// The value.
        value: f32,
        /// Any shape.
        output: View,
    },
    /// output = A . B, with A or B transposed where asked
    Matmul {
        /// (m, k), or (k, m) if transposed.
        a: View,
        /// (k, n), or (n, k) if transposed.
        b: View,
        /// Whether to take A's transpose.
        transpose_a: bool,
        /// Whether to take B's transpose.
        transpose_b: bool,
        /// (m, n).
        output: View,
    },
    /// output = a op b, element by element
    Binary {
        /// The operation.
        op: BinaryOp,
        /// (rows, cols).
        a: View,
        /// (rows, cols), or a row (1, cols), a column (rows, 1) or a scalar (1, 1), repeated.
        b: View,
        /// (rows, cols).
        output: View,
    },
    /// output = a op scalar
    Scalar {
        /// The operation.
        op: BinaryOp,
        /// (rows, cols).
        a: View,
        /// The second operand of every element.
        scalar: f32,
        /// (rows, cols).
        output: View,
    },
    /// output = phi(input)
    Activate {
        /// The function phi.
        activation: Activation,
        /// Any shape.
        input: View,
        /// The same shape.
        output: View,
    },
    /// output = phi'(input)
    Differentiate {
        /// The function phi.
        activation: Activation,
        /// Any shape.
        input: View,
        /// The same shape.
        output: View,
    },
    /// output = exp(input - log sum exp(input)) by rows, or its logarithm
    Softmax {
        /// Whether to give the logarithm.
        logarithm: bool,
        /// (rows, cols).
        input: View,
        /// (rows, cols).
        output: View,
    },
    /// output = the reduction of input along an axis
    Reduce {
        /// The reduction.
        reduction: Reduction,
        /// The axis.
        axis: Axis,
        /// (rows, cols).
        input: View,
        /// The shape that [`Axis::reduced`] gives.
        output: View,
    },
    /// output = input, transposed
    Transpose {
        /// (rows, cols).
        input: View,
        /// (cols, rows).
        output: View,
    },
    /// output row i = the minibatch's row i, where the source holds it
    ///
    /// A matrix larger than one binding is kept in parts. The source is the part that holds the
    /// matrix's rows `first..first + source.rows`; rows of other parts are left as they are.
    Gather {
        /// The rows; a source with (part rows, cols).
        rows: Rows,
        /// The number of the part's first row in the whole matrix.
        first: usize,
        /// (rows.count, cols).
        output: View,
    },
    /// output row `first_row + i` = input row i; rows beyond the output's end are an error
    Scatter {
        /// (rows, cols).
        input: View,
        /// (at least `first_row` + rows, cols).
        output: View,
    },
    /// output row `keep` = input's elements, in the steps that keep something
    Keep {
        /// Any shape.
        input: View,
        /// (rows, the input's number of elements).
        output: View,
    },
    /// output = the number of elements with not |a - b| <= absolute + relative |b|
    ///
    /// A NaN on either side counts, whatever the tolerances; an infinity matches only itself.
    Mismatch {
        /// Any shape.
        a: View,
        /// The same shape.
        b: View,
        /// The relative tolerance.
        relative: f32,
        /// The absolute tolerance.
        absolute: f32,
        /// (1, 1).
        output: View,
    },
    /// output bin i = the number of elements with i <= (x - low) / (high - low) bins < i + 1, as u32
    ///
    /// The last bin takes in `high` too. An element that is NaN or outside of the bounds is in no
    /// bin, none is where a bound is not finite, and where the bounds are one number, or their
    /// halves are nearer to each other than the smallest normal number, all others are in the first
    /// bin. The quotient has f32's roundings: an element within some of them of an edge may be on
    /// either side.
    Histogram {
        /// Any shape.
        input: View,
        /// (1, 2): low and high.
        bounds: View,
        /// (1, bins), with at most [`MAX_BINS`] bins.
        output: View,
    },
    /// output = phi(input . weight + bias): a dense layer forward
    Dense {
        /// (batch, inputs).
        input: Rows,
        /// (inputs, outputs).
        weight: View,
        /// (1, outputs).
        bias: Option<View>,
        /// The function phi.
        activation: Activation,
        /// (batch, outputs): where to keep input . weight + bias, if backward needs it.
        pre: Option<View>,
        /// (batch, outputs).
        output: View,
    },
    /// output = the minibatch's weights, a column, brought to a mean of 1
    ///
    /// Where there are two columns, the first is what a row's loss is multiplied with and the second
    /// what it counts in the mean: output = first rows / sum of the second. Where that sum is 0, so
    /// is the output.
    Weigh {
        /// (batch, 1) or (batch, 2), at least 0.
        weights: Rows,
        /// Whether to bring them to a mean of 1; else the output is the first column.
        mean: bool,
        /// (batch, 1).
        output: View,
    },
    /// row_losses = each row's loss, delta = scale dL/dz of the network's last pre-activation z
    ///
    /// Both times the row's weight, and 0 where that is 0. The loss of a batch is `scale` times the
    /// sum of the row losses.
    Loss {
        /// The loss function.
        loss: Loss,
        /// The last layer's activation phi.
        activation: Activation,
        /// 1 / the number of terms that the mean runs over.
        scale: f32,
        /// (batch, outputs): the network's output phi(z).
        output: View,
        /// (batch, outputs): what phi' is computed from; see [`Activation::cache`].
        cached: Option<View>,
        /// (batch, outputs) f32 values, or (batch, 1) u32 labels.
        targets: Rows,
        /// What the targets are.
        kind: TargetKind,
        /// (batch, 1): the weight of each row; none weighs each 1.
        weights: Option<View>,
        /// (1, outputs): the weight of the positive targets of each output; none is 1 each.
        positive: Option<View>,
        /// (batch, outputs).
        delta: View,
        /// (batch, 1).
        row_losses: View,
    },
    /// losses\[slot\] = scale times the sum of the row losses
    Record {
        /// The scale of the mean.
        scale: f32,
        /// (batch, 1).
        row_losses: View,
        /// (slots, 1).
        losses: View,
    },
    /// output = (delta . weight^T) * phi': the delta of the layer before
    Backward {
        /// (batch, outputs): dL/dz of this layer.
        delta: View,
        /// (inputs, outputs).
        weight: View,
        /// The activation of the layer before.
        activation: Activation,
        /// (batch, inputs): what phi' is computed from.
        cached: Option<View>,
        /// (batch, inputs): dL/dz of the layer before.
        output: View,
    },
    /// weight = input^T . delta, bias = column sums of delta: a dense layer's gradients
    Gradient {
        /// Whether to add to what weight and bias hold instead of replacing it.
        accumulate: bool,
        /// (batch, inputs).
        input: Rows,
        /// (batch, outputs).
        delta: View,
        /// (inputs, outputs).
        weight: View,
        /// (1, outputs), in the buffer of `weight`.
        bias: Option<View>,
    },
    /// output = input with each element set to 0 with probability `rate`, the others divided by
    /// 1 - `rate`
    ///
    /// Element i of minibatch number n is dropped if the first word of the counter-based generator
    /// Threefry-2x32 with 20 rounds (Salmon et al., 2011), at key `key` and counter (n, i), is below
    /// 2^32 `rate`: the same elements on every device, in whatever order they are computed.
    Dropout {
        /// The probability, at least 0 and below 1.
        rate: f32,
        /// The key of the random numbers.
        key: [u32; 2],
        /// Any shape; none changes the output in place.
        input: Option<View>,
        /// The same shape.
        output: View,
    },
    /// values += deviation n, with n standard normal
    ///
    /// By the transform of Box and Muller (1958) from the two words that [`Op::Dropout`] describes:
    /// n = sqrt(-2 ln u) cos(2 pi v), with u and v the words' upper 23 bits, plus 1/2, over 2^23.
    Noise {
        /// The standard deviation.
        deviation: f32,
        /// The key of the random numbers.
        key: [u32; 2],
        /// Any shape.
        values: View,
    },
    /// gradients += l1 sign(parameters) + l2 parameters: the gradient of l1 |p| + l2 p^2 / 2
    Penalize {
        /// The factor of the absolute values.
        l1: f32,
        /// The factor of the squares' halves.
        l2: f32,
        /// Any shape.
        parameters: View,
        /// The same shape.
        gradients: View,
    },
    /// values = values limited to [-limit, limit]
    Clip {
        /// The limit, positive.
        limit: f32,
        /// Any shape.
        values: View,
    },
    /// values = values min(1, limit / (norm + 1e-6)): PyTorch's `clip_grad_norm_`
    LimitNorm {
        /// The limit, positive.
        limit: f32,
        /// (1, 1), the norm of all values, or (1, cols), one for each column.
        norms: View,
        /// (rows, cols).
        values: View,
    },
    /// average += (1 - decay) (parameters - average)
    Average {
        /// How much of the old average is kept.
        decay: f32,
        /// Any shape.
        parameters: View,
        /// The same shape.
        average: View,
    },
    /// parameters = the optimizer's step from parameters along gradients
    Update {
        /// The rule.
        optimizer: Optimizer,
        /// The factor of the step's learning rate; see [`Groups`](crate::optim::Groups).
        rate_factor: f32,
        /// (1, words).
        parameters: View,
        /// (1, words).
        gradients: View,
        /// (1, words) each: as many moments as the rule has, the first ones.
        moments: [Option<View>; 3],
    },
    /// gradients = the direction of a rule that needs norms; see [`Lamb`](crate::optim::Lamb)
    Direction {
        /// The rule.
        optimizer: Optimizer,
        /// (1, words).
        parameters: View,
        /// (1, words); the direction afterwards.
        gradients: View,
        /// (1, words) each: as many moments as the rule has, the first ones.
        moments: [Option<View>; 3],
    },
    /// parameters -= rate parameter_norm / direction_norm direction; the quotient is 1 if a norm is 0
    TrustStep {
        /// The factor of the step's learning rate.
        rate_factor: f32,
        /// (rows, cols).
        parameters: View,
        /// (rows, cols).
        direction: View,
        /// (1, 1).
        parameter_norm: View,
        /// (1, 1).
        direction_norm: View,
    },
}

impl Op {
    /// The name, as errors, program listings and GPU labels show it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fill { .. } => "fill",
            Self::Matmul { .. } => "matmul",
            Self::Binary { op: BinaryOp::Add, .. } => "add",
            Self::Binary { op: BinaryOp::Subtract, .. } => "subtract",
            Self::Binary { op: BinaryOp::Multiply, .. } => "multiply",
            Self::Binary { op: BinaryOp::Divide, .. } => "divide",
            Self::Scalar { .. } => "scalar",
            Self::Activate { .. } => "activate",
            Self::Differentiate { .. } => "differentiate",
            Self::Softmax { logarithm: false, .. } => "softmax",
            Self::Softmax { logarithm: true, .. } => "log_softmax",
            Self::Reduce { .. } => "reduce",
            Self::Transpose { .. } => "transpose",
            Self::Gather { .. } => "gather",
            Self::Scatter { .. } => "scatter",
            Self::Keep { .. } => "keep",
            Self::Mismatch { .. } => "mismatch",
            Self::Histogram { .. } => "histogram",
            Self::Dense { .. } => "dense",
            Self::Weigh { .. } => "weigh",
            Self::Loss { .. } => "loss",
            Self::Record { .. } => "record",
            Self::Backward { .. } => "backward",
            Self::Gradient { .. } => "gradient",
            Self::Dropout { .. } => "dropout",
            Self::Noise { .. } => "noise",
            Self::Penalize { .. } => "penalize",
            Self::Clip { .. } => "clip",
            Self::LimitNorm { .. } => "limit_norm",
            Self::Average { .. } => "average",
            Self::Update { .. } => "update",
            Self::Direction { .. } => "direction",
            Self::TrustStep { .. } => "trust_step",
        }
    }
}
