//! Where the rows of data lie, and the list of buffers while a program is lowered.

use super::{BufferSpec, names};
use crate::op::{Op, Pick, Rows, Shape, View};

/// A matrix of data on the device, whole or in parts that each fit one binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The columns.
    pub cols: usize,
    /// The rows of each part, in order.
    pub parts: Vec<usize>,
}

impl Source {
    /// Rows of `cols` words, in as few parts as `max_words` words a part allow.
    #[must_use]
    pub fn divided(rows: usize, cols: usize, max_words: usize) -> Self {
        let most = (max_words / cols.max(1)).max(1);
        let mut parts = vec![most; rows / most];
        if !rows.is_multiple_of(most) {
            parts.push(rows % most);
        }
        Self { cols, parts }
    }

    /// The rows of all parts.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.parts.iter().sum()
    }
}

/// The list of buffers while it grows.
#[derive(Default)]
pub(super) struct Buffers(pub(super) Vec<BufferSpec>);

impl Buffers {
    pub(super) fn add(&mut self, name: impl Into<String>, shape: Shape) -> View {
        self.0.push(BufferSpec { name: name.into(), words: shape.len(), transient: false });
        View::new(self.0.len() - 1, shape)
    }

    /// The rows of a minibatch: picked in place from data in one part, gathered from several.
    pub(super) fn data(
        &mut self,
        source: &Source,
        parts: &str,
        whole: &str,
        count: usize,
        pick: Pick,
        ops: &mut Vec<Op>,
    ) -> Rows {
        let views: Vec<View> = (source.parts.iter().enumerate())
            .map(|(i, &rows)| self.add(format!("{parts}.{i}"), Shape::new(rows, source.cols)))
            .collect();
        if let [view] = views[..] {
            return Rows { source: view, pick, count };
        }
        let output = self.add(whole, Shape::new(count, source.cols));
        let mut first = 0;
        for view in views {
            ops.push(Op::Gather { rows: Rows { source: view, pick, count }, first, output });
            first += view.shape.rows;
        }
        Rows::all(output)
    }

    /// A minibatch in a buffer of its own, if it is not one already.
    pub(super) fn gathered(&mut self, input: Rows, ops: &mut Vec<Op>) -> View {
        if input.pick == Pick::All {
            return input.source;
        }
        let output = self.add(names::INPUT, input.shape());
        ops.push(Op::Gather { rows: input, first: 0, output });
        output
    }
}
