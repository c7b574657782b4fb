//! Reads the plan of a step out of its programs; or says why it has none.

use super::plan::{Plan, PlanLayer, Strides, Trained};
use super::step::{Minibatch, Minibatches};
use crate::nn::Activation;
use crate::op::{Op, Pick, Rows, View};
use crate::optim::Optimizer;
use crate::program::Program;

/// A program's instructions, taken one after the other.
struct Reader<'a> {
    ops: std::iter::Peekable<std::slice::Iter<'a, Op>>,
}

impl Reader<'_> {
    /// The next instruction, if it is of the wanted kind.
    fn next_if<T>(&mut self, wanted: impl Fn(&Op) -> Option<T>) -> Option<T> {
        let found = self.ops.peek().and_then(|op| wanted(op))?;
        self.ops.next();
        Some(found)
    }

    /// The next instruction, which has to be of the wanted kind.
    fn next<T>(&mut self, wanted: impl Fn(&Op) -> Option<T>) -> Result<T, String> {
        let found = self.next_if(wanted);
        found.ok_or_else(|| self.unknown())
    }

    /// Why the next instruction does not fit.
    fn unknown(&mut self) -> String {
        self.ops.peek().map_or_else(
            || "it accumulates gradients, or computes nothing else".to_owned(),
            |op| match op {
                Op::Gradient { accumulate: true, .. } => "it accumulates gradients".to_owned(),
                Op::Update { .. } => "a layer is frozen".to_owned(),
                _ => format!("the step has the instruction `{}` where it knows none", op.name()),
            },
        )
    }
}

/// The operands of a forward instruction.
struct Forward {
    input: Rows,
    weight: View,
    bias: Option<View>,
    activation: Activation,
    output: View,
}

fn dense(op: &Op) -> Option<Forward> {
    match *op {
        Op::Dense { input, weight, bias, activation, output, .. } => {
            Some(Forward { input, weight, bias, activation, output })
        }
        _ => None,
    }
}

impl Plan {
    /// The plan of programs that differ in their minibatches alone, and what those are.
    ///
    /// # Errors
    /// What the strategy cannot do.
    pub(in super::super) fn of(programs: &[Program]) -> Result<(Self, Minibatches), String> {
        let read: Result<Vec<_>, String> = programs.iter().map(Self::read).collect();
        let (mut plans, minibatches): (Vec<Self>, Vec<_>) = read?.into_iter().unzip();
        let plan = plans.pop().ok_or("there is no step")?;
        if plans.iter().any(|other| *other != plan) {
            return Err("the minibatches of an epoch differ in more than their rows".into());
        }
        Ok((plan, Minibatches(minibatches)))
    }

    fn read(program: &Program) -> Result<(Self, Minibatch), String> {
        let mut reader = Reader { ops: program.ops.iter().peekable() };
        let mut forward = vec![reader.next(dense)?];
        while let Some(next) = reader.next_if(dense) {
            forward.push(next);
        }
        let (first, last) = (&forward[0], &forward[forward.len() - 1]);
        let output = last.output;
        let head = reader.next(|op| match *op {
            Op::Loss {
                loss, scale, output: y, targets, kind, weights, positive, delta, ..
            } if y == output && weights.is_none() && positive.is_none() => {
                Some((loss, scale, targets, kind, delta))
            }
            _ => None,
        });
        let (loss, delta_scale, targets, kind, mut delta) = head
            .map_err(|reason| format!("{reason}: rows and outputs that are weighted, for one"))?;
        let (loss_scale, losses) = reader.next(|op| match *op {
            Op::Record { scale, losses, .. } => Some((scale, losses)),
            _ => None,
        })?;
        for (i, layer) in forward.iter().enumerate().rev() {
            if let Some(next) = forward.get(i + 1) {
                delta = reader.next(|op| match *op {
                    Op::Backward { delta: d, weight, output, .. }
                        if d == delta && weight == next.weight =>
                    {
                        Some(output)
                    }
                    _ => None,
                })?;
            }
            reader.next(|op| match *op {
                Op::Gradient { accumulate: false, input, delta: d, bias, .. } => {
                    let fits = input == layer.input && d == delta;
                    (fits && bias.is_some() == layer.bias.is_some()).then_some(())
                }
                _ => None,
            })?;
        }
        let updates = Updates::read(&mut reader)?;
        let layers: Result<Vec<_>, String> =
            forward.iter().map(|layer| updates.layer(layer)).collect();
        let Rows { source: features, pick, count: rows } = first.input;
        let plan = Self {
            layers: layers?,
            loss,
            kind,
            optimizer: updates.list[0].0.without_weight_decay(),
            features,
            targets: targets.source,
            pick,
            losses,
            parameters: first.weight.buffer,
            moments: updates.moments,
            words: program.buffers[first.weight.buffer].words,
            strides: Strides::default(),
        };
        if pick != targets.pick || pick == Pick::All {
            return Err("features and targets are gathered into minibatches of their own".into());
        }
        Ok((plan, Minibatch { rows, delta_scale, loss_scale }))
    }
}

/// The updates at the end of a step.
struct Updates {
    list: Vec<(Optimizer, f32, View)>,
    moments: Vec<usize>,
}

impl Updates {
    fn read(reader: &mut Reader<'_>) -> Result<Self, String> {
        let mut list = Vec::new();
        let mut buffers = Vec::new();
        let update = |op: &Op| match *op {
            Op::Update { optimizer, rate_factor, parameters, moments, .. } => {
                Some((optimizer, rate_factor, parameters, moments))
            }
            _ => None,
        };
        while reader.ops.peek().is_some() || list.is_empty() {
            let (optimizer, factor, parameters, moments) = reader.next(update)?;
            list.push((optimizer, factor, parameters));
            buffers = moments.into_iter().flatten().map(|view| view.buffer).collect();
        }
        Ok(Self { list, moments: buffers })
    }

    fn layer(&self, forward: &Forward) -> Result<PlanLayer, String> {
        let trained = |view: View| {
            let holds = |(_, _, run): &&(Optimizer, f32, View)| {
                run.range().start <= view.offset && view.range().end <= run.range().end
            };
            let found = self.list.iter().find(holds);
            let &(optimizer, factor, _) = found.ok_or("a layer is frozen")?;
            let [decay, a, b] = optimizer.constants();
            Ok::<_, String>(Trained { offset: view.offset, constants: [decay, a, b, factor] })
        };
        Ok(PlanLayer {
            inputs: forward.weight.shape.rows,
            outputs: forward.weight.shape.cols,
            activation: forward.activation,
            weight: trained(forward.weight)?,
            bias: forward.bias.map(trained).transpose()?,
        })
    }
}
