//! Products by upright tiles: those of a weight gradient, whose A is a minibatch transposed.
//!
//! The numbers of a column of A lie side by side, as they are a row of the minibatch. Vectors go along
//! them, so any number of columns of C is computed without a lane to spare. From the outside in: panels of
//! A as high as a tile, blocks of k, tiles.
//!
//! The tiles of a panel read a copy of it, as rows of a minibatch lie anywhere in memory, and often all
//! in one set of a cache. Meanwhile they copy the next panel, a step of k now and then: multiply-adds
//! leave room for the few instructions, and memory has time to deliver.

use super::kernel::Kernel;
use super::kernel_upright::{COLUMNS, Carry, Steps, UprightTile};
use super::outer;
use super::pack::Panel;
use super::product::{KC, LIGHT, parts};
use super::{Beta, Lhs, MatMut, MatRef, Scratch};
use std::ops::Range;

/// The most columns of C. Of more, packing A takes a small part of the time, and rows of B would
/// leave the L2 cache.
const MOST_COLUMNS: usize = LIGHT / KC;
/// So many tiles read A where it lies: a copy would take as long as it saves.
const IN_PLACE: usize = 2;
/// Rows of the tallest tile of any instruction set.
pub(super) const MAX_HEIGHT: usize = 64;

/// Whether a product is computed by upright tiles: if they are fewer vectors of multiply-adds, and as
/// high as they can be or need no copy of A; but not what goes [row by row](outer).
pub(super) fn suits(kernel: &Kernel, a: &Lhs, b: &MatRef) -> bool {
    let (m, n) = (a.rows(), b.cols());
    let fewer = kernel.vectors(m) * n <= m * kernel.vectors(n);
    let (is_high, is_read_once) = (m >= kernel.height(), n <= IN_PLACE * COLUMNS);
    let operands = a.columns_are_runs() && b.col_stride() == 1 && b.rows() > 0;
    operands && !outer::suits(b) && n <= MOST_COLUMNS && fewer && (is_high || is_read_once)
}

/// A product whose rows are computed panel by panel, in their order.
pub(super) struct Upright<'a> {
    kernel: &'static Kernel,
    a: Lhs<'a>,
    b: MatRef<'a>,
    /// Room for a copy of the panel that is computed, and for one of the panel after it.
    copies: [&'a mut [f32]; 2],
    /// Columns of a tile; the last may have fewer: see [`tile_cols`].
    cols: usize,
    /// The blocks of k, all of about one size.
    blocks: usize,
    /// The panel that is computed next.
    next: Option<Part>,
    /// Whether the first copy is of this panel.
    is_copied: bool,
}

/// The columns of a tile of a product of `n`. Rows of up to 4 columns are stored with half of the shuffles, so 10 are
/// 6 and 4; but tiles have about one width if the last would be narrow, as each reads all of A.
const fn tile_cols(n: usize) -> usize {
    const LEAST: usize = 3;
    if n % COLUMNS < LEAST { n.div_ceil(n.div_ceil(COLUMNS)) } else { COLUMNS }
}

/// The rows of A of a panel, and its steps: those of a block of k.
#[derive(Debug, Clone)]
struct Part {
    rows: Range<usize>,
    block: usize,
    steps: Range<usize>,
}

impl<'a> Upright<'a> {
    /// Of operands that [`suits`] accepts, or some of their rows.
    pub(super) fn new(
        kernel: &'static Kernel,
        a: Lhs<'a>,
        b: MatRef<'a>,
        scratch: &'a mut Scratch,
    ) -> Self {
        let (m, n, k) = (a.rows(), b.cols(), b.rows());
        assert!(kernel.height() <= MAX_HEIGHT && a.cols() == k, "shapes of a product disagree");
        let blocks = k.div_ceil(KC);
        let copies = scratch.panels(k.div_ceil(blocks));
        let cols = tile_cols(n);
        let mut upright = Self { kernel, a, b, copies, cols, blocks, next: None, is_copied: false };
        upright.next = Some(upright.part(0..kernel.height().min(m), 0));
        upright
    }

    /// The next rows of the product, as the given rows of C, which end where a panel does.
    ///
    /// # Panics
    /// If they do not, or C is not so large.
    pub(super) fn multiply(&mut self, c: &mut MatMut, rows: Range<usize>, beta: Beta) {
        assert!(rows.end <= c.rows() && c.cols() == self.b.cols(), "shapes of a product disagree");
        for rows in parts(rows, self.kernel.height()) {
            while let Some(part) = self.next.take() {
                assert!(part.rows.len() == rows.len(), "rows end within a panel");
                self.next = self.after(&part);
                let accumulate = part.block > 0 || beta == Beta::Accumulate;
                self.panel(&part, c, rows.start, accumulate);
                if part.block + 1 == self.blocks {
                    break;
                }
            }
        }
    }

    /// A panel: rows, and the steps of a block of k.
    fn part(&self, rows: Range<usize>, block: usize) -> Part {
        let first = |block: usize| self.b.rows() * block / self.blocks;
        Part { rows, block, steps: first(block)..first(block + 1) }
    }

    /// The panel after one, or none.
    fn after(&self, part: &Part) -> Option<Part> {
        if part.block + 1 < self.blocks {
            return Some(self.part(part.rows.clone(), part.block + 1));
        }
        let rows = part.rows.end..self.a.rows().min(part.rows.end + self.kernel.height());
        (!rows.is_empty()).then(|| self.part(rows, 0))
    }

    /// All tiles of a panel, from a row of C on.
    fn panel(&mut self, part: &Part, c: &mut MatMut, row: usize, accumulate: bool) {
        let n = self.b.cols();
        let (vectors, tiles) = (self.kernel.vectors(part.rows.len()), n.div_ceil(self.cols));
        let copies = tiles > IN_PLACE;
        if copies && !self.is_copied {
            self.copy(part);
        }
        let carried = self.next.clone().filter(|_| copies);
        let steps = carried.as_ref().map_or(0, |next| next.steps.len());
        // The steps that each tile copies, never more than it has: blocks are of about one size.
        let share = steps.div_ceil(tiles);
        let mut tile = UprightTile {
            a: if copies { self.copied(part) } else { self.source(part) },
            b: std::ptr::null(),
            b_step: self.b.row_stride(),
            depth: part.steps.len(),
            c: std::ptr::null_mut(),
            c_step: c.leading(),
            tail: part.rows.len() - (vectors - 1) * self.kernel.lanes,
            accumulate,
            carry: self.carry(carried.as_ref().unwrap_or(part), part.steps.len(), share),
        };
        for (i, cols) in parts(0..n, self.cols).enumerate() {
            tile.b = self.b.at(part.steps.start, cols.start);
            tile.c = c.at(row, cols.start);
            tile.carry.steps = (i * share).min(steps)..((i + 1) * share).min(steps);
            let kernel = self.kernel.upright[vectors - 1][cols.len() - 1];
            // SAFETY: this processor has the kernel's features, as `Kernel::all` says. The views hold
            // the rows, columns and steps of both panels, as `multiply` has made sure of C, and a
            // copy has room for as many rows and steps as a panel can have.
            unsafe { kernel(&tile) };
        }
        self.is_copied = carried.is_some();
        if self.is_copied {
            self.copies.swap(0, 1);
        }
    }

    /// Where a panel lies in A.
    fn source(&self, part: &Part) -> Steps {
        let mut first = [std::ptr::null()];
        self.a.find_rows(part.rows.start, part.steps.start, &mut first);
        let picks = self.a.picked_columns(part.steps.start);
        let picks = picks.map_or(std::ptr::null(), <[u32]>::as_ptr);
        Steps { first: first[0], stride: self.a.col_stride(), picks }
    }

    /// Where the copy of a panel lies.
    fn copied(&self, part: &Part) -> Steps {
        let (first, stride) = (self.copies[0].as_ptr(), self.width(part));
        Steps { first, stride, picks: std::ptr::null() }
    }

    /// Floats from a step of a copy to the next: whole vectors.
    const fn width(&self, part: &Part) -> usize {
        self.kernel.vectors(part.rows.end - part.rows.start) * self.kernel.lanes
    }

    /// What tiles of so many steps are to copy of a panel, when each copies `share` of its steps.
    fn carry(&mut self, next: &Part, depth: usize, share: usize) -> Carry {
        Carry {
            from: self.source(next),
            lanes: next.rows.len(),
            depth: next.steps.len(),
            width: self.width(next),
            to: self.copies[1].as_mut_ptr(),
            steps: 0..0,
            every: depth.checked_div(share).unwrap_or(depth).max(1),
        }
    }

    /// Copies a panel before its tiles are computed.
    fn copy(&mut self, part: &Part) {
        let lanes = &mut [std::ptr::null(); MAX_HEIGHT][..part.rows.len()];
        self.a.find_rows(part.rows.start, part.steps.start, lanes);
        let mut panel = Panel {
            lanes,
            next: &[],
            adjacent: true,
            step: self.a.col_stride(),
            picks: self.a.picked_columns(part.steps.start),
            depth: part.steps.len(),
            width: self.width(part),
            stride: part.steps.len(),
            to: self.copies[0],
        };
        // SAFETY: this processor has the kernel's features, as `Kernel::all` says, and the lanes and
        // steps are those of a panel of A.
        unsafe { (self.kernel.pack)(&mut panel) };
    }
}
