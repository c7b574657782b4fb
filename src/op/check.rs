//! The shape rules of the instruction set, checked once before anything is executed.
//!
//! What passes here may be trusted by the devices: shapes fit, views lie inside their buffers, and
//! no instruction writes memory that another of its operands lies in.

use super::operands::{Access, Operand};
use super::{MAX_BINS, Op, Pick, Shape, StepArgs, View};
use crate::error::{Error, Result};
use crate::optim::Optimizer;

impl Op {
    /// Checks shapes, ranges and aliasing against buffers of the given sizes.
    ///
    /// # Errors
    /// [`Error::Shape`] where operands do not fit each other, [`Error::Program`] where a view does
    /// not fit its buffer or shares it with an output.
    pub(crate) fn check(&self, buffer_words: &[usize]) -> Result<()> {
        let operands = self.operands();
        for operand in &operands {
            self.check_range(operand, buffer_words)?;
        }
        self.check_aliases(|buffer| buffer)?;
        self.check_elementwise()?;
        self.check_shapes()
    }

    /// Checks that an activation that is applied element by element is such a function.
    fn check_elementwise(&self) -> Result<()> {
        let (Self::Activate { activation, .. }
        | Self::Differentiate { activation, .. }
        | Self::Dense { activation, .. }
        | Self::Backward { activation, .. }
        | Self::Loss { activation, .. }) = self
        else {
            return Ok(());
        };
        if activation.is_elementwise() {
            return Ok(());
        }
        Err(self.refuse(format!("{activation} is no function of one element: it is a layer's map")))
    }

    /// Checks that what is written lies in memory of its own, given what memory a buffer is.
    ///
    /// # Errors
    /// [`Error::Program`] where an output shares its memory with another operand; only the two
    /// outputs of [`Op::Gradient`] may.
    pub(crate) fn check_aliases(&self, memory: impl Fn(usize) -> usize) -> Result<()> {
        let operands = self.operands();
        let pairs = operands
            .iter()
            .enumerate()
            .flat_map(|(i, operand)| operands[i + 1..].iter().map(move |other| (operand, other)));
        for (one, two) in pairs {
            let writes = (one.access == Access::Write, two.access == Access::Write);
            let together = matches!(self, Self::Gradient { .. }) && writes == (true, true);
            if writes == (false, false) || together {
                continue;
            }
            if memory(one.view.buffer) == memory(two.view.buffer) {
                let how = |write| if write { "written" } else { "read" };
                return Err(self.refuse(format!(
                    "buffer {} holds both `{}`, which is {}, and `{}`, which is {}",
                    one.view.buffer,
                    one.name,
                    how(writes.0),
                    two.name,
                    how(writes.1)
                )));
            }
        }
        Ok(())
    }

    /// Checks that the rows a step asks for are there.
    ///
    /// # Errors
    /// [`Error::Program`] where `first_row` or `slot` point beyond the data.
    pub(crate) fn check_args(&self, args: &StepArgs) -> Result<()> {
        let first = args.first_row as usize;
        let ends = match *self {
            Self::Gather { rows, first: part, .. } => match rows.pick {
                Pick::Order(order) => Some((first + rows.count, order.shape.rows)),
                // The part may end inside the minibatch: what it lacks is in the next part.
                Pick::Range => Some((first + rows.count, usize::MAX - part)),
                Pick::All => None,
            },
            Self::Dense { input: rows, .. }
            | Self::Weigh { weights: rows, .. }
            | Self::Loss { targets: rows, .. }
            | Self::Gradient { input: rows, .. } => match rows.pick {
                Pick::Order(order) => Some((first + rows.count, order.shape.rows)),
                Pick::Range => Some((first + rows.count, rows.source.shape.rows)),
                Pick::All => Some((rows.count, rows.source.shape.rows)),
            },
            Self::Scatter { input, output } => Some((first + input.shape.rows, output.shape.rows)),
            Self::Keep { output, .. } if args.keep != StepArgs::KEEP_NOTHING => {
                Some((args.keep as usize + 1, output.shape.rows))
            }
            Self::Record { losses, .. } => Some((args.slot as usize + 1, losses.shape.rows)),
            _ => None,
        };
        match ends {
            Some((end, rows)) if end > rows => {
                Err(self.refuse(format!("the step asks for row {}, there are {rows}", end - 1)))
            }
            _ => Ok(()),
        }
    }

    /// An [`Error::Program`] of this op.
    pub(crate) fn refuse(&self, reason: String) -> Error {
        Error::Program { op: self.name(), reason }
    }

    fn check_range(&self, operand: &Operand, buffer_words: &[usize]) -> Result<()> {
        let View { buffer, .. } = operand.view;
        let end = operand.view.range().end;
        match buffer_words.get(buffer) {
            None => Err(self
                .refuse(format!("`{}` names buffer {buffer}, which is not there", operand.name))),
            Some(&words) if end > words => Err(self.refuse(format!(
                "`{}` ends at word {end} of buffer {buffer}, which has {words}",
                operand.name
            ))),
            _ if operand.view.shape.is_empty() => {
                Err(Error::Empty { what: self.name(), shape: operand.view.shape })
            }
            _ => Ok(()),
        }
    }

    fn check_shapes(&self) -> Result<()> {
        match *self {
            Self::Fill { .. } => Ok(()),
            Self::Matmul { a, b, transpose_a, transpose_b, output } => {
                let left = if transpose_a { a.shape.transposed() } else { a.shape };
                let right = if transpose_b { b.shape.transposed() } else { b.shape };
                let hint = "the columns of the first must be the rows of the second";
                self.same(left, right, left.cols == right.rows, hint)?;
                self.output(output.shape, Shape::new(left.rows, right.cols))
            }
            Self::Binary { a, b, output, .. } => {
                let fits = (b.shape.rows == a.shape.rows || b.shape.rows == 1)
                    && (b.shape.cols == a.shape.cols || b.shape.cols == 1);
                self.same(a.shape, b.shape, fits, BROADCAST)?;
                self.output(output.shape, a.shape)
            }
            Self::Scalar { a, output, .. } => self.output(output.shape, a.shape),
            Self::Activate { input, output, .. }
            | Self::Differentiate { input, output, .. }
            | Self::Softmax { input, output, .. } => self.output(output.shape, input.shape),
            Self::Reduce { axis, input, output, .. } => {
                self.output(output.shape, axis.reduced(input.shape))
            }
            Self::Transpose { input, output } => {
                self.output(output.shape, input.shape.transposed())
            }
            Self::Gather { rows, output, .. } => self.output(output.shape, rows.shape()),
            Self::Scatter { input, output } => {
                let hint = "both need the same number of columns";
                self.same(input.shape, output.shape, input.shape.cols == output.shape.cols, hint)
            }
            Self::Keep { input, output } => {
                let hint = "a kept row, second, has one column for each element, first";
                self.same(input.shape, output.shape, input.shape.len() == output.shape.cols, hint)
            }
            Self::Mismatch { a, b, output, .. } => {
                self.same(a.shape, b.shape, a.shape == b.shape, "both need the same shape")?;
                self.output(output.shape, Shape::new(1, 1))
            }
            Self::Histogram { bounds, output, .. } => {
                self.output(bounds.shape, Shape::new(1, 2))?;
                let hint = "the counts, first, are one row of at most so many bins as the second";
                let most = Shape::new(1, MAX_BINS);
                let fits = output.shape.rows == 1 && output.shape.cols <= MAX_BINS;
                self.same(output.shape, most, fits, hint)
            }
            Self::Dense { input, weight, bias, pre, output, .. } => {
                let hint = "the input's columns must be the weight's rows";
                let fits = input.shape().cols == weight.shape.rows;
                self.same(input.shape(), weight.shape, fits, hint)?;
                self.bias(weight.shape, bias)?;
                let result = Shape::new(input.count, weight.shape.cols);
                self.output(output.shape, result)?;
                pre.map_or(Ok(()), |pre| self.output(pre.shape, result))
            }
            Self::Weigh { weights, output, .. } => {
                let needed = Shape::new(weights.count, 1);
                let fits = (1..=2).contains(&weights.source.shape.cols);
                let hint = "weights, first, are one or two columns for the second";
                self.same(weights.shape(), needed, fits, hint)?;
                self.output(output.shape, needed)
            }
            Self::Loss { .. } => self.check_loss(),
            Self::Record { row_losses, losses, .. } => {
                let fits = row_losses.shape.cols == 1 && losses.shape.cols == 1;
                self.same(row_losses.shape, losses.shape, fits, "both must be columns")
            }
            Self::Backward { delta, weight, activation, cached, output } => {
                let hint = "the delta's columns must be the weight's columns";
                let fits = delta.shape.cols == weight.shape.cols;
                self.same(delta.shape, weight.shape, fits, hint)?;
                self.cached(activation, cached, output.shape)?;
                self.output(output.shape, Shape::new(delta.shape.rows, weight.shape.rows))
            }
            Self::Gradient { input, delta, weight, bias, .. } => {
                let fits = input.count == delta.shape.rows;
                self.same(input.shape(), delta.shape, fits, "both need one row a sample")?;
                self.bias(weight.shape, bias)?;
                if bias.is_some_and(|bias| bias.buffer != weight.buffer) {
                    return Err(self.refuse("weight and bias must be in one buffer".into()));
                }
                self.output(weight.shape, Shape::new(input.shape().cols, delta.shape.cols))
            }
            Self::Dropout { rate, input, output, .. } => {
                self.domain("rate", rate, (0.0..1.0).contains(&rate), "at least 0 and below 1")?;
                input.map_or(Ok(()), |input| self.output(output.shape, input.shape))
            }
            Self::Noise { deviation, .. } => {
                let fits = deviation.is_finite() && deviation >= 0.0;
                self.domain("deviation", deviation, fits, "finite and at least 0")
            }
            Self::Penalize { parameters, gradients, .. } => {
                self.output(gradients.shape, parameters.shape)
            }
            Self::Clip { limit, .. } => self.limit(limit),
            Self::LimitNorm { limit, norms, values } => {
                self.limit(limit)?;
                let fits =
                    norms.shape.rows == 1 && [1, values.shape.cols].contains(&norms.shape.cols);
                let hint = "one norm is needed for all values, or one for each column";
                self.same(norms.shape, values.shape, fits, hint)
            }
            Self::Average { decay, parameters, average } => {
                self.domain("decay", decay, (0.0..=1.0).contains(&decay), "0 to 1")?;
                self.output(average.shape, parameters.shape)
            }
            Self::Update { optimizer, parameters, gradients, moments, .. }
            | Self::Direction { optimizer, parameters, gradients, moments } => {
                for view in moments.into_iter().flatten().chain([gradients]) {
                    self.output(view.shape, parameters.shape)?;
                }
                self.moments(optimizer, moments)
            }
            Self::TrustStep { parameters, direction, parameter_norm, direction_norm, .. } => {
                self.output(direction.shape, parameters.shape)?;
                self.output(parameter_norm.shape, Shape::new(1, 1))?;
                self.output(direction_norm.shape, Shape::new(1, 1))
            }
        }
    }

    /// Checks that a rule is given the moments that it has, by the instruction that is its own.
    fn moments(&self, optimizer: Optimizer, moments: [Option<View>; 3]) -> Result<()> {
        let direction = matches!(self, Self::Direction { .. });
        if optimizer.needs_norms() != direction {
            let other = if direction { "update" } else { "direction" };
            return Err(self.refuse(format!("{} takes its step by `{other}`", optimizer.name())));
        }
        let (needs, given) = (optimizer.moments(), moments.iter().flatten().count());
        if needs != given || moments.iter().take(given).any(Option::is_none) {
            return Err(self.refuse(format!("needs {needs} moments, got {given}")));
        }
        Ok(())
    }

    fn check_loss(&self) -> Result<()> {
        let &Self::Loss { loss, activation, output, cached, targets, kind, .. } = self else {
            return Ok(());
        };
        let &Self::Loss { weights, positive, delta, row_losses, .. } = self else {
            return Ok(());
        };
        if !loss.accepts(kind) {
            return Err(self.refuse(format!("{loss} does not take {kind:?}")));
        }
        let Shape { rows, cols } = output.shape;
        let needed = Shape::new(rows, kind.columns(cols));
        let hint = "the loss needs one row of targets for each row of output";
        self.same(output.shape, targets.shape(), targets.shape() == needed, hint)?;
        self.cached(activation, cached, output.shape)?;
        weights.map_or(Ok(()), |weights| self.output(weights.shape, Shape::new(rows, 1)))?;
        if let Some(positive) = positive {
            if !loss.takes_positive_weights() {
                return Err(self.refuse(format!("{loss} knows no positive weights")));
            }
            self.output(positive.shape, Shape::new(1, cols))?;
        }
        self.output(delta.shape, output.shape)?;
        self.output(row_losses.shape, Shape::new(rows, 1))
    }

    fn same(&self, left: Shape, right: Shape, fits: bool, hint: &'static str) -> Result<()> {
        if fits { Ok(()) } else { Err(Error::Shape { op: self.name(), left, right, hint }) }
    }

    fn output(&self, got: Shape, needed: Shape) -> Result<()> {
        self.same(got, needed, got == needed, "the first is given, the second is needed")
    }

    fn limit(&self, limit: f32) -> Result<()> {
        self.domain("limit", limit, limit.is_finite() && limit > 0.0, "finite and more than 0")
    }

    fn domain(&self, what: &str, value: f32, fits: bool, expected: &str) -> Result<()> {
        if fits {
            Ok(())
        } else {
            Err(self.refuse(format!("`{what}` is {value}, must be {expected}")))
        }
    }

    fn bias(&self, weight: Shape, bias: Option<View>) -> Result<()> {
        let needed = Shape::new(1, weight.cols);
        bias.map_or(Ok(()), |bias| self.output(bias.shape, needed))
    }

    fn cached(
        &self,
        activation: crate::nn::Activation,
        cached: Option<View>,
        shape: Shape,
    ) -> Result<()> {
        match cached {
            Some(cached) => self.output(cached.shape, shape),
            None if activation.cache() == crate::nn::Cache::Nothing => Ok(()),
            None => Err(self.refuse(format!("the derivative of {activation} needs its cache"))),
        }
    }
}

const BROADCAST: &str = "the second must have the shape of the first, or be a row, a column or a \
                         scalar that is repeated over it";
