//! Products of a few thousand multiplications, by tiles alone: no plan, no packing, no threads, no epilogue.
//! Their operands are in the L1 cache.

use super::kernel::{Kernel, MAX_LANES, MAX_ROWS, TAIL, Tile, WHOLE};
use super::narrow::{DOT_STEPS, NARROW};
use super::pack::Panel;
use super::product::parts;
use super::{Beta, Lhs, MatMut, MatRef};

/// What divides the length of dot products: the lanes of any vector.
pub(in crate::device::cpu) const UNIT: usize = MAX_LANES;
/// The longest dot products, and the most rows that are transposed.
pub(in crate::device::cpu) const MOST_STEPS: usize = DOT_STEPS;

/// The micro-kernels of one instruction set, for such products.
#[derive(Debug, Clone, Copy)]
pub(in crate::device::cpu) struct Direct(pub(super) &'static Kernel);

impl Direct {
    /// The fastest.
    pub(in crate::device::cpu) fn best() -> Self {
        Self(Kernel::best())
    }

    /// A tile that has no place yet.
    fn tile(self, a: MatRef, b: MatRef, c: &MatMut, depth: usize, beta: Beta) -> Tile {
        Tile {
            a: [std::ptr::null(); MAX_ROWS],
            next: std::ptr::null(),
            a_step: a.col_stride(),
            is_packed: false,
            picks: std::ptr::null(),
            b: std::ptr::null(),
            b_step: b.row_stride(),
            depth,
            c: std::ptr::null_mut(),
            c_step: c.leading(),
            tail: self.0.lanes,
            accumulate: beta == Beta::Accumulate,
        }
    }

    /// `C = A.B`, or `C += A.B`.
    ///
    /// # Panics
    /// If the shapes disagree, or rows of B have gaps between elements.
    pub(in crate::device::cpu) fn multiply(self, a: MatRef, b: MatRef, c: &mut MatMut, beta: Beta) {
        let (m, n, k) = (c.rows(), c.cols(), b.rows());
        assert!(a.rows() == m && a.cols() == k && b.cols() == n, "shapes of a product disagree");
        assert!(b.col_stride() == 1, "rows have gaps between elements");
        let Self(kernel) = self;
        let mut tile = self.tile(a, b, c, k, beta);
        for rows in parts(0..m, kernel.rows()) {
            let tiles = kernel.tiles[rows.len() - 1];
            for (place, row) in tile.a.iter_mut().zip(rows.clone()) {
                *place = a.at(row, 0);
            }
            for cols in parts(0..n, kernel.cols()) {
                let vectors = kernel.vectors(cols.len());
                tile.b = b.at(0, cols.start);
                tile.c = c.at(rows.start, cols.start);
                tile.tail = cols.len() - (vectors - 1) * kernel.lanes;
                let kind = if tile.tail == kernel.lanes { WHOLE } else { TAIL };
                // SAFETY: this processor has the kernel's features, as `Kernel::all` says. The views hold
                // `rows` of A and C, `cols` of B and C, and all of k.
                unsafe { tiles[vectors - 1][kind](&tile) };
            }
        }
    }

    /// `C = A.B^T`, or `C += A.B^T`: each element the dot product of a row of A and a row of B.
    ///
    /// # Panics
    /// If the shapes disagree, the rows' length is no multiple of [`UNIT`], or their elements have gaps between them.
    pub(in crate::device::cpu) fn dots(self, a: MatRef, b: MatRef, c: &mut MatMut, beta: Beta) {
        let (m, n, k) = (c.rows(), c.cols(), a.cols());
        assert!(a.rows() == m && b.rows() == n && b.cols() == k, "shapes of dot products disagree");
        assert!(a.col_stride() == 1 && b.col_stride() == 1, "rows have gaps between elements");
        assert!(
            k.is_multiple_of(UNIT) && k <= MOST_STEPS,
            "rows are no whole vectors, or too long"
        );
        let Self(kernel) = self;
        let mut tile = self.tile(a, b, c, k, beta);
        for cols in parts(0..n, NARROW) {
            let dots = kernel.dots[cols.len() - 1];
            tile.b = b.at(cols.start, 0);
            for rows in parts(0..m, dots.len()) {
                for (place, row) in tile.a.iter_mut().zip(rows.clone()) {
                    *place = a.at(row, 0);
                }
                tile.c = c.at(rows.start, cols.start);
                // SAFETY: this processor has the kernel's features, as `Kernel::all` says. The views hold
                // `rows` of A and C, and `cols` of C as rows of B, all of length k and contiguous.
                unsafe { dots[rows.len() - 1](&tile) };
            }
        }
    }

    /// Rows become columns: element (i, j) of A goes to `to[j * leading + i]`.
    ///
    /// # Panics
    /// If there are more rows than `leading` or [`MOST_STEPS`], rows have gaps between elements, or `to` is shorter
    /// than the columns.
    pub(in crate::device::cpu) fn transpose(self, a: Lhs, to: &mut [f32], leading: usize) {
        assert!(a.rows_are_runs() && a.rows() <= leading, "rows become no columns");
        let mut lanes = [std::ptr::null(); MOST_STEPS];
        let lanes = &mut lanes[..a.rows()];
        a.find_rows(0, 0, lanes);
        let mut panel = Panel {
            lanes,
            next: &[],
            adjacent: false,
            step: 1,
            picks: None,
            depth: a.cols(),
            width: leading,
            stride: a.cols(),
            to,
        };
        // SAFETY: this processor has the kernel's features, as `Kernel::all` says, and the view holds its rows.
        unsafe { (self.0.pack)(&mut panel) };
    }
}
