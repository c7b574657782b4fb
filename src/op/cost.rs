//! What an instruction costs, counted: for who compares its time with what a device can do.

use super::{Access, Op, Pick, Rows};
use std::iter::Sum;
use std::ops::Add;

/// Floating-point operations and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Cost {
    /// Of matrix products the multiplications and additions; of anything else one an element.
    pub(crate) flop: u64,
    /// What is read and what is written, each number once, as if caches held everything in between.
    pub(crate) bytes: u64,
}

impl Add for Cost {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self { flop: self.flop + more.flop, bytes: self.bytes + more.bytes }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Self::add)
    }
}

impl Op {
    /// The cost by the shapes.
    pub(crate) fn cost(&self) -> Cost {
        let words = self.words();
        Cost { flop: self.flop().unwrap_or(words as u64), bytes: 4 * words as u64 }
    }

    /// The operations of a matrix product.
    fn flop(&self) -> Option<u64> {
        let multiplications = match *self {
            Self::Matmul { a, output, .. } => {
                a.shape.len() * output.shape.len() / output.shape.rows
            }
            Self::Dense { input, weight, .. } | Self::Gradient { input, weight, .. } => {
                input.count * weight.shape.len()
            }
            Self::Backward { delta, weight, .. } => delta.shape.rows * weight.shape.len(),
            _ => return None,
        };
        Some(2 * multiplications as u64)
    }

    /// The words that are read and written.
    fn words(&self) -> usize {
        match *self {
            // One place of many.
            Self::Record { row_losses, .. } => return row_losses.shape.len() + 1,
            Self::Keep { input, .. } | Self::Scatter { input, .. } => return 2 * input.shape.len(),
            _ => {}
        }
        let twice = self.is_in_place();
        let times = |access| if twice && access == Access::Write { 2 } else { 1 };
        let operands = self.operands().into_iter();
        let all: usize = operands.map(|o| times(o.access) * o.view.shape.len()).sum();
        // Of the data, the minibatch alone.
        match self.rows() {
            Some(Rows { source, pick: Pick::Order(order), count }) => {
                all - source.shape.len() - order.shape.len() + count * (source.shape.cols + 1)
            }
            Some(Rows { source, pick: Pick::Range, count }) => {
                all - source.shape.len() + count * source.shape.cols
            }
            _ => all,
        }
    }

    /// The rows that the instruction picks, if it does.
    fn rows(&self) -> Option<Rows> {
        match *self {
            Self::Gather { rows, .. } => Some(rows),
            Self::Dense { input, .. } | Self::Gradient { input, .. } => Some(input),
            Self::Weigh { weights, .. } => Some(weights),
            Self::Loss { targets, .. } => Some(targets),
            _ => None,
        }
    }

    /// Whether what is written is read before.
    fn is_in_place(&self) -> bool {
        matches!(
            self,
            Self::Update { .. }
                | Self::Direction { .. }
                | Self::TrustStep { .. }
                | Self::Average { .. }
                | Self::Penalize { .. }
                | Self::Clip { .. }
                | Self::LimitNorm { .. }
                | Self::Noise { .. }
                | Self::Dropout { input: None, .. }
                | Self::Gradient { accumulate: true, .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Activation;
    use crate::op::{Shape, View};
    use crate::optim::Adam;

    #[test]
    fn a_dense_layer_counts_its_minibatch_alone() {
        let view = |buffer, rows, cols| View::new(buffer, Shape::new(rows, cols));
        let pick = Pick::Order(view(4, 1, 1_000));
        let dense = Op::Dense {
            input: Rows { source: view(0, 1_000, 30), pick, count: 8 },
            weight: view(1, 30, 5),
            bias: Some(view(2, 1, 5)),
            activation: Activation::Tanh,
            pre: None,
            output: view(3, 8, 5),
        };
        // Minibatch and its row numbers, weights, biases, outputs.
        let words = 8 * 31 + 150 + 5 + 40;
        assert_eq!(dense.cost(), Cost { flop: 2 * 8 * 150, bytes: 4 * words });
    }

    #[test]
    fn adam_reads_and_writes_28_bytes_a_parameter() {
        let view = |buffer| View::new(buffer, Shape::new(1, 100));
        let update = Op::Update {
            optimizer: Adam::default().into(),
            rate_factor: 1.0,
            parameters: view(0),
            gradients: view(1),
            moments: [Some(view(2)), Some(view(3)), None],
        };
        assert_eq!(update.cost().bytes, 2_800);
    }
}
