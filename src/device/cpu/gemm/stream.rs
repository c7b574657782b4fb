//! Products whose result nobody keeps: blocks of rows, each handed on while it is in cache.

use super::kernel::Kernel;
use super::product::{LIGHT, Product};
use super::{Beta, Lhs, MatMut, MatRef, Scratch};

/// Elements of a block: with three numbers of state for each, 256 KiB, a part of the L2 cache.
const BLOCK: usize = 1 << 14;
/// Blocks begin where tiles and cache lines of a column-major A do.
const ROWS: usize = 32;

/// The rows of a product `A.B`, and the elements of other matrices at the same places.
#[derive(Debug)]
pub(crate) struct Stream<'a, 'c, const N: usize> {
    a: Lhs<'a>,
    b: MatRef<'a>,
    beside: [&'c mut [f32]; N],
    rows: usize,
}

impl<'a, 'c, const N: usize> Stream<'a, 'c, N> {
    /// Whether a product (m, n, k) can be had in blocks of rows at no cost: B stays in cache.
    pub(crate) const fn suits(n: usize, k: usize) -> bool {
        n.saturating_mul(k) <= LIGHT && n <= BLOCK / ROWS
    }

    /// The product of `a` and `b`. Each of `beside` is a row-major matrix of its shape, or empty.
    pub(crate) fn new(a: Lhs<'a>, b: MatRef<'a>, beside: [&'c mut [f32]; N]) -> Self {
        let rows = (BLOCK / b.cols().max(1)).max(1);
        let rows = if rows > ROWS { rows / ROWS * ROWS } else { rows };
        Self { a, b, beside, rows }
    }

    /// Makes room for every product of at most these sizes.
    pub(crate) fn reserve(n: usize, k: usize, scratch: &mut Scratch) {
        scratch.reserve_block(BLOCK.max(n));
        scratch.reserve(BLOCK / n.max(1), n, k);
    }

    /// The floating-point operations, with `extra` for each element of C.
    pub(crate) fn flop(&self, extra: usize) -> usize {
        self.a.rows().saturating_mul(self.b.cols()).saturating_mul(2 * self.b.rows() + extra)
    }

    /// Computes all rows, which are those of a block, and calls `epilogue` with them, row after
    /// row, and with the elements of the other matrices.
    pub(crate) fn run(
        self,
        epilogue: impl Fn(&mut [f32], [&mut [f32]; N]),
        scratch: &mut Scratch,
    ) {
        let (m, n) = (self.a.rows(), self.b.cols());
        scratch.reserve_block(m * n);
        let mut block = scratch.take_block();
        let floats = &mut block.floats()[..m * n];
        let c = MatMut::row_major(floats, m, n);
        let (kernel, beta) = (Kernel::best(), Beta::Overwrite);
        Product { kernel, a: self.a, b: self.b, c, beta }.run(|_, _, _| (), scratch);
        epilogue(floats, self.beside);
        scratch.put_block(block);
    }
}

impl<'a, 'c, const N: usize> Iterator for Stream<'a, 'c, N> {
    type Item = Self;

    /// The next block.
    fn next(&mut self) -> Option<Self> {
        let (left, n) = (self.a.rows(), self.b.cols());
        let rows = left.min(self.rows);
        if rows == 0 {
            return None;
        }
        let a = self.a.row_range(0..rows);
        self.a = self.a.row_range(rows..left);
        let beside = self.beside.each_mut().map(|words| {
            let all = std::mem::take(words);
            let (block, rest) = all.split_at_mut(if all.is_empty() { 0 } else { rows * n });
            *words = rest;
            block
        });
        Some(Self { a, b: self.b, beside, rows })
    }
}
