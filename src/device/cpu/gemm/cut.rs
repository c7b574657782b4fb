//! How work is cut into parts along the rows or columns of C.

use super::engine::Engine;
use super::kernel::MAX_ROWS;

/// Where rows are cut: tiles of any instruction set end there, and so do runs of two cache lines
/// of a column-major A. Fewer rows than this for each part are cut where the tallest tiles end.
pub(super) const ROWS: usize = 32;

/// What is computed for a C and can be cut where C is.
pub(crate) trait Cuttable: Sized {
    /// The shape of C.
    fn shape(&self) -> (usize, usize);
    /// Takes the first rows off.
    fn take_rows(&mut self, rows: usize) -> Self;
    /// Takes the first columns off.
    fn take_cols(&mut self, cols: usize) -> Self;
}

/// How C is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cut {
    /// Into parts of so many rows.
    Rows(usize),
    /// Into parts of so many columns.
    Cols(usize),
}

impl Cut {
    /// Cuts an (m, n) matrix that an engine computes into at most `parts` parts of about one size.
    /// Each thread packs the operand that is not cut for itself, so the longer side is cut, if that leaves
    /// each some strips of which only the last is narrower than the others.
    pub(super) fn of(m: usize, n: usize, engine: Engine, parts: usize) -> Self {
        if n > m && n >= 2 * engine.strip() * parts {
            Self::Cols(n.div_ceil(parts).next_multiple_of(engine.grain()))
        } else {
            let unit = if m >= ROWS * parts { ROWS } else { MAX_ROWS };
            Self::Rows(m.div_ceil(parts).next_multiple_of(unit))
        }
    }
}

/// The parts of something, one after the other.
pub(crate) struct Parts<W> {
    rest: Option<W>,
    cut: Cut,
}

impl<W: Cuttable> Parts<W> {
    pub(super) const fn new(whole: W, cut: Cut) -> Self {
        Self { rest: Some(whole), cut }
    }
}

impl<W: Cuttable> Iterator for Parts<W> {
    type Item = W;

    fn next(&mut self) -> Option<W> {
        let rest = self.rest.as_mut()?;
        let (m, n) = rest.shape();
        match self.cut {
            Cut::Rows(rows) if rows < m => Some(rest.take_rows(rows)),
            // A last column by itself would be summed in another order: see the module.
            Cut::Cols(cols) if cols + 1 < n => Some(rest.take_cols(cols)),
            Cut::Rows(_) | Cut::Cols(_) => self.rest.take(),
        }
    }
}

impl<W: Cuttable> DoubleEndedIterator for Parts<W> {
    fn next_back(&mut self) -> Option<W> {
        let mut last = self.rest.take()?;
        let (m, n) = last.shape();
        let before = |len: usize, part: usize| len.saturating_sub(1) / part * part;
        match self.cut {
            Cut::Rows(rows) if rows < m => self.rest = Some(last.take_rows(before(m, rows))),
            Cut::Cols(cols) if cols + 1 < n => {
                // The last column stays with the others, as from the front.
                self.rest = Some(last.take_cols(before(n - 1, cols)));
            }
            Cut::Rows(_) | Cut::Cols(_) => (),
        }
        Some(last)
    }
}
