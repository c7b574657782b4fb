//! The shape rules of the instruction set, checked once before anything is executed.
//!
//! What passes here may be trusted by the devices: shapes fit, views lie inside their buffers, and
//! no instruction writes memory that another of its operands lies in.

use super::{Op, Pick, Rows, Shape, StepArgs, View};
use crate::error::{Error, Result};

/// How an instruction uses an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only read.
    Read,
    /// Written, and perhaps read before.
    Write,
}

/// One operand: its name in listings, its place, its use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand {
    pub(crate) name: &'static str,
    pub(crate) view: View,
    pub(crate) access: Access,
}

impl Op {
    /// Every operand, reads before writes.
    pub(crate) fn operands(&self) -> Vec<Operand> {
        let mut list = List::default();
        match *self {
            Self::Fill { output, .. } => list.write("output", output),
            Self::Matmul { a, b, output, .. } | Self::Binary { a, b, output, .. } => {
                list.read("a", a).read("b", b).write("output", output)
            }
            Self::Mismatch { a, b, output, .. } => {
                list.read("a", a).read("b", b).write("output", output)
            }
            Self::Scalar { a, output, .. } => list.read("a", a).write("output", output),
            Self::Activate { input, output, .. }
            | Self::Differentiate { input, output, .. }
            | Self::Softmax { input, output, .. }
            | Self::Reduce { input, output, .. }
            | Self::Transpose { input, output }
            | Self::Scatter { input, output } => list.read("input", input).write("output", output),
            Self::Gather { rows, output, .. } => list.rows("rows", rows).write("output", output),
            Self::Dense { input, weight, bias, pre, output, .. } => list
                .rows("input", input)
                .read("weight", weight)
                .maybe("bias", bias, Access::Read)
                .maybe("pre", pre, Access::Write)
                .write("output", output),
            Self::Weigh { weights, output, .. } => {
                list.rows("weights", weights).write("output", output)
            }
            Self::Loss {
                output, cached, targets, weights, positive, delta, row_losses, ..
            } => list
                .read("output", output)
                .maybe("cached", cached, Access::Read)
                .rows("targets", targets)
                .maybe("weights", weights, Access::Read)
                .maybe("positive", positive, Access::Read)
                .write("delta", delta)
                .write("row_losses", row_losses),
            Self::Record { row_losses, losses, .. } => {
                list.read("row_losses", row_losses).write("losses", losses)
            }
            Self::Backward { delta, weight, cached, output, .. } => list
                .read("delta", delta)
                .read("weight", weight)
                .maybe("cached", cached, Access::Read)
                .write("output", output),
            Self::Gradient { input, delta, weight, bias } => list
                .rows("input", input)
                .read("delta", delta)
                .write("weight", weight)
                .maybe("bias", bias, Access::Write),
            Self::Update { parameters, gradients, first, second, .. } => list
                .read("gradients", gradients)
                .write("parameters", parameters)
                .maybe("first", first, Access::Write)
                .maybe("second", second, Access::Write),
        };
        list.0
    }

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
        self.check_shapes()
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
            Self::Mismatch { a, b, output, .. } => {
                self.same(a.shape, b.shape, a.shape == b.shape, "both need the same shape")?;
                self.output(output.shape, Shape::new(1, 1))
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
            Self::Gradient { input, delta, weight, bias } => {
                let fits = input.count == delta.shape.rows;
                self.same(input.shape(), delta.shape, fits, "both need one row a sample")?;
                self.bias(weight.shape, bias)?;
                if bias.is_some_and(|bias| bias.buffer != weight.buffer) {
                    return Err(self.refuse("weight and bias must be in one buffer".into()));
                }
                self.output(weight.shape, Shape::new(input.shape().cols, delta.shape.cols))
            }
            Self::Update { optimizer, parameters, gradients, first, second } => {
                for moment in [first, second].into_iter().flatten().chain([gradients]) {
                    self.output(moment.shape, parameters.shape)?;
                }
                let given = usize::from(first.is_some()) + usize::from(second.is_some());
                if optimizer.moments() != given || (second.is_some() && first.is_none()) {
                    let needs = optimizer.moments();
                    return Err(self.refuse(format!("needs {needs} moments, got {given}")));
                }
                Ok(())
            }
        }
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

/// Collects operands in a chain of calls.
#[derive(Default)]
struct List(Vec<Operand>);

impl List {
    fn push(&mut self, name: &'static str, view: View, access: Access) -> &mut Self {
        self.0.push(Operand { name, view, access });
        self
    }

    fn read(&mut self, name: &'static str, view: View) -> &mut Self {
        self.push(name, view, Access::Read)
    }

    fn write(&mut self, name: &'static str, view: View) -> &mut Self {
        self.push(name, view, Access::Write)
    }

    fn maybe(&mut self, name: &'static str, view: Option<View>, access: Access) -> &mut Self {
        if let Some(view) = view {
            self.push(name, view, access);
        }
        self
    }

    fn rows(&mut self, name: &'static str, rows: Rows) -> &mut Self {
        self.read(name, rows.source);
        match rows.pick {
            Pick::Order(order) => self.read("order", order),
            Pick::All | Pick::Range => self,
        }
    }
}
