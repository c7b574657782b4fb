//! When finished elements of C are handed to the epilogue, and how many at once.

use super::MatMut;
use std::ops::Range;

/// Elements of C that go to the epilogue at once, if rows can go together: 4 KiB of the L1 cache.
pub(super) const RUN: usize = 1024;

/// What of a strip's rows goes to the epilogue at once.
pub(super) struct Runs {
    /// The rows from here on are still to be handed on.
    from: usize,
    cols: Range<usize>,
    /// Whether they can be handed on together, as the strip is all of C and its rows lie side by
    /// side. A call for each row of a few elements would take longer than their arithmetic.
    together: bool,
}

impl Runs {
    pub(super) fn new(from: usize, cols: Range<usize>, c: &MatMut<'_>) -> Self {
        let together = cols.len() == c.cols() && c.is_contiguous();
        Self { from, cols, together }
    }

    /// Hands the rows up to `end` on, or waits for more of them.
    pub(super) fn hand_on(
        &mut self,
        end: usize,
        is_last: bool,
        c: &mut MatMut<'_>,
        epilogue: &mut impl FnMut(usize, usize, &mut [f32]),
    ) {
        let ((row, col), width) = (c.origin(), self.cols.len());
        let mut hand = |from: usize, rows: usize| {
            let run = c.run(from, self.cols.start, rows * width);
            epilogue(row + from, col + self.cols.start, run);
        };
        if !self.together {
            (self.from..end).for_each(|row| hand(row, 1));
        } else if is_last || (end - self.from) * width >= RUN {
            hand(self.from, end - self.from);
        } else {
            return;
        }
        self.from = end;
    }
}
