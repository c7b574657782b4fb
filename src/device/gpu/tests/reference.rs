//! Every instruction in f64, as its documentation says it, element by element.

use crate::nn::{Target, TargetKind};
use crate::op::{Axis, BinaryOp, Op, Pick, Reduction, Rows, StepArgs, View};
use crate::optim::Optimizer;

/// A word that an instruction writes: buffer, index, value. Words that are only moved are f32s.
pub(super) type Written = (usize, usize, f64);

struct Machine<'a> {
    buffers: &'a [Vec<f32>],
    args: &'a StepArgs,
    written: Vec<Written>,
}

pub(super) fn run(op: &Op, buffers: &[Vec<f32>], args: &StepArgs) -> Vec<Written> {
    let mut machine = Machine { buffers, args, written: Vec::new() };
    machine.execute(op);
    machine.written
}

impl Machine<'_> {
    fn at(&self, view: View, row: usize, col: usize) -> f64 {
        f64::from(self.buffers[view.buffer][view.offset + row * view.shape.cols + col])
    }

    fn word(&self, view: View, row: usize) -> usize {
        self.buffers[view.buffer][view.offset + row].to_bits() as usize
    }

    fn row(&self, rows: Rows, i: usize) -> usize {
        match rows.pick {
            Pick::All => i,
            Pick::Range => self.args.first_row as usize + i,
            Pick::Order(order) => self.word(order, self.args.first_row as usize + i),
        }
    }

    fn put(&mut self, view: View, row: usize, col: usize, value: f64) {
        self.written.push((view.buffer, view.offset + row * view.shape.cols + col, value));
    }

    fn each(&mut self, output: View, value: impl Fn(&Self, usize, usize) -> f64) {
        for row in 0..output.shape.rows {
            for col in 0..output.shape.cols {
                let value = value(self, row, col);
                self.put(output, row, col, value);
            }
        }
    }

    fn execute(&mut self, op: &Op) {
        match *op {
            Op::Fill { value, output } => self.each(output, |_, _, _| f64::from(value)),
            Op::Matmul { a, b, transpose_a, transpose_b, output } => {
                let k = if transpose_a { a.shape.rows } else { a.shape.cols };
                self.each(output, |m, i, j| {
                    let left = |k| if transpose_a { m.at(a, k, i) } else { m.at(a, i, k) };
                    let right = |k| if transpose_b { m.at(b, j, k) } else { m.at(b, k, j) };
                    (0..k).map(|k| left(k) * right(k)).sum()
                });
            }
            Op::Binary { op, a, b, output } => self.each(output, |m, i, j| {
                let y = m.at(b, i.min(b.shape.rows - 1), j.min(b.shape.cols - 1));
                binary(op, m.at(a, i, j), y)
            }),
            Op::Scalar { op, a, scalar, output } => {
                self.each(output, |m, i, j| binary(op, m.at(a, i, j), f64::from(scalar)));
            }
            Op::Activate { activation, input, output } => {
                self.each(output, |m, i, j| activation.value(m.at(input, i, j)));
            }
            Op::Differentiate { activation, input, output } => {
                self.each(output, |m, i, j| activation.derivative_at(m.at(input, i, j)));
            }
            Op::Softmax { logarithm, input, output } => {
                for i in 0..input.shape.rows {
                    let row: Vec<f64> =
                        (0..input.shape.cols).map(|j| self.at(input, i, j)).collect();
                    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let sum: f64 = row.iter().map(|x| (x - largest).exp()).sum();
                    for (j, x) in row.into_iter().enumerate() {
                        let log = x - largest - sum.ln();
                        self.put(output, i, j, if logarithm { log } else { log.exp() });
                    }
                }
            }
            Op::Reduce { reduction, axis, input, output } => self.each(output, |m, i, j| {
                let (rows, cols) = match axis {
                    Axis::Rows => (i..i + 1, 0..input.shape.cols),
                    Axis::Columns => (0..input.shape.rows, j..j + 1),
                    Axis::All => (0..input.shape.rows, 0..input.shape.cols),
                };
                let row = |i| cols.clone().map(move |j| m.at(input, i, j));
                reduce(reduction, &rows.flat_map(row).collect::<Vec<_>>())
            }),
            Op::Transpose { input, output } => self.each(output, |m, i, j| m.at(input, j, i)),
            Op::Gather { rows, first, output } => {
                for i in 0..output.shape.rows {
                    let row = self.row(rows, i);
                    if (first..first + rows.source.shape.rows).contains(&row) {
                        for j in 0..output.shape.cols {
                            self.put(output, i, j, self.at(rows.source, row - first, j));
                        }
                    }
                }
            }
            Op::Scatter { input, output } => {
                for i in 0..input.shape.rows {
                    for j in 0..input.shape.cols {
                        let row = self.args.first_row as usize + i;
                        self.put(output, row, j, self.at(input, i, j));
                    }
                }
            }
            Op::Mismatch { a, b, relative, absolute, output } => {
                let differs = |m: &Self, i: usize, j: usize| {
                    let (x, y) = (m.at(a, i, j), m.at(b, i, j));
                    let near = (x - y).abs() <= f64::from(absolute) + f64::from(relative) * y.abs();
                    x != y && !(near && (x - y).is_finite())
                };
                self.each(output, |m, _, _| {
                    let row = |i| (0..a.shape.cols).filter(move |&j| differs(m, i, j)).count();
                    (0..a.shape.rows).map(row).sum::<usize>() as f64
                });
            }
            Op::Dense { .. } | Op::Backward { .. } | Op::Gradient { .. } => self.layer(op),
            Op::Weigh { weights, mean, output } => {
                let at = |m: &Self, i, col| m.at(weights.source, m.row(weights, i), col);
                let last = weights.source.shape.cols - 1;
                let sum: f64 = (0..weights.count).map(|i| at(self, i, last)).sum();
                let scale = if mean { weights.count as f64 / sum } else { 1.0 };
                self.each(output, |m, i, _| scale * at(m, i, 0));
            }
            Op::Loss { .. } => self.loss(op),
            Op::Record { scale, row_losses, losses } => {
                let sum: f64 = (0..row_losses.shape.rows).map(|i| self.at(row_losses, i, 0)).sum();
                self.put(losses, self.args.slot as usize, 0, f64::from(scale) * sum);
            }
            // Held to f64 in tests/ops; here are the ops that programs of this folder use.
            Op::Dropout { .. }
            | Op::Noise { .. }
            | Op::Penalize { .. }
            | Op::Clip { .. }
            | Op::LimitNorm { .. }
            | Op::Average { .. }
            | Op::Direction { .. }
            | Op::TrustStep { .. }
            | Op::Histogram { .. }
            | Op::Keep { .. } => unreachable!("{} is not used here", op.name()),
            Op::Update { optimizer, rate_factor, parameters, gradients, moments } => {
                for i in 0..parameters.shape.len() {
                    self.update(optimizer, rate_factor, i, parameters, gradients, moments);
                }
            }
        }
    }

    fn layer(&mut self, op: &Op) {
        match *op {
            Op::Dense { input, weight, bias, activation, pre, output } => {
                for i in 0..input.count {
                    for j in 0..weight.shape.cols {
                        let row = self.row(input, i);
                        let term = |k| self.at(input.source, row, k) * self.at(weight, k, j);
                        let sum: f64 = (0..weight.shape.rows).map(term).sum();
                        let z = sum + bias.map_or(0.0, |bias| self.at(bias, 0, j));
                        if let Some(pre) = pre {
                            self.put(pre, i, j, z);
                        }
                        self.put(output, i, j, activation.value(z));
                    }
                }
            }
            Op::Backward { delta, weight, activation, cached, output } => {
                self.each(output, |m, i, j| {
                    let term = |k| m.at(delta, i, k) * m.at(weight, j, k);
                    let sum: f64 = (0..weight.shape.cols).map(term).sum();
                    sum * cached.map_or(1.0, |cached| activation.derivative(m.at(cached, i, j)))
                });
            }
            Op::Gradient { accumulate: _, input, delta, weight, bias } => {
                self.each(weight, |m, i, j| {
                    let term = |k| m.at(input.source, m.row(input, k), i) * m.at(delta, k, j);
                    (0..input.count).map(term).sum()
                });
                if let Some(bias) = bias {
                    self.each(bias, |m, _, j| (0..input.count).map(|k| m.at(delta, k, j)).sum());
                }
            }
            _ => unreachable!(),
        }
    }

    fn loss(&mut self, op: &Op) {
        let &Op::Loss { loss, activation, scale, output, cached, targets, kind, .. } = op else {
            unreachable!()
        };
        let &Op::Loss { weights, positive, delta, row_losses, .. } = op else { unreachable!() };
        let positive: Option<Vec<f64>> =
            positive.map(|view| (0..view.shape.cols).map(|j| self.at(view, 0, j)).collect());
        for i in 0..output.shape.rows {
            let row = self.row(targets, i);
            let y: Vec<f64> = (0..output.shape.cols).map(|j| self.at(output, i, j)).collect();
            let mut gradient = vec![0.0; y.len()];
            let values: Vec<f64>;
            let target = if kind == TargetKind::Labels {
                Target::Label(self.word(targets.source, row))
            } else {
                values = (0..y.len()).map(|j| self.at(targets.source, row, j)).collect();
                Target::Values(&values)
            };
            let weight = weights.map_or(1.0, |weights| self.at(weights, i, 0));
            let value = loss.row(&y, target, positive.as_deref(), &mut gradient);
            self.put(row_losses, i, 0, weight * value);
            for (j, gradient) in gradient.into_iter().enumerate() {
                let slope =
                    cached.map_or(1.0, |cached| activation.derivative(self.at(cached, i, j)));
                self.put(delta, i, j, f64::from(scale) * weight * gradient * slope);
            }
        }
    }

    fn update(
        &mut self,
        optimizer: Optimizer,
        rate_factor: f32,
        i: usize,
        parameters: View,
        gradients: View,
        [first, second, _]: [Option<View>; 3],
    ) {
        let [rate, _, c, d, ahead, beside, ..] = self.args.coefficients.map(f64::from);
        let rate = rate * f64::from(rate_factor);
        let [decay, share, epsilon] = optimizer.constants().map(f64::from);
        let p = self.at(parameters, 0, i);
        let g = self.at(gradients, 0, i) + decay * p;
        let old = |view: Option<View>| view.map_or(0.0, |view| self.at(view, 0, i));
        let (mut m, mut v) = (old(first), old(second));
        let p = match optimizer {
            Optimizer::Sgd(_) if first.is_none() => p - rate * g,
            Optimizer::Sgd(_) => {
                m = c * m + d * g;
                p - rate * (ahead * m + beside * g)
            }
            Optimizer::Adam(_) => {
                m += c * (g - m);
                v += share * (g * g - v);
                p - rate * m / (v.sqrt() * d + epsilon)
            }
            // As above: tests/ops holds the other rules to f64.
            other => unreachable!("{} is not used here", other.name()),
        };
        self.put(parameters, 0, i, p);
        for (view, value) in [(first, m), (second, v)] {
            if let Some(view) = view {
                self.put(view, 0, i, value);
            }
        }
    }
}

fn binary(op: BinaryOp, a: f64, b: f64) -> f64 {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
    }
}

fn reduce(reduction: Reduction, values: &[f64]) -> f64 {
    let sum = || values.iter().sum::<f64>();
    match reduction {
        Reduction::Sum => sum(),
        Reduction::Mean => sum() / values.len() as f64,
        Reduction::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Reduction::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
        Reduction::Norm => values.iter().map(|x| x * x).sum::<f64>().sqrt(),
        Reduction::Argmax => {
            let best = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
            (0..values.len()).fold(0, best) as f64
        }
    }
}
