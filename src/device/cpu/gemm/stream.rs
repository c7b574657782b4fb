//! Products whose result nobody keeps: blocks of rows, each handed on while it is in cache.

use super::super::chunks::Slices;
use super::engine::{Engine, Operands};
use super::product::LIGHT;
use super::work::cost;
use super::{Beta, Lhs, MatMut, MatRef, Scratch};
use std::ops::Range;

/// Elements of a block: with three numbers of state for each, 256 KiB, a part of the L2 cache.
const BLOCK: usize = 1 << 14;
/// Blocks begin where tiles and cache lines of a column-major A do.
const ROWS: usize = 32;

/// The rows of a product `A.B`, and the elements of other matrices at the same places.
#[derive(Debug)]
pub(crate) struct Stream<'a, 'c, const N: usize> {
    engine: Engine,
    a: Lhs<'a>,
    b: MatRef<'a>,
    beside: Slices<'c, N>,
    /// The rows of a block, and the rows that are left.
    rows: usize,
    left: Range<usize>,
}

/// Some rows of a stream.
#[derive(Debug)]
pub(crate) struct Block<'a, 'c, const N: usize> {
    engine: Engine,
    a: Lhs<'a>,
    b: MatRef<'a>,
    beside: [&'c mut [f32]; N],
}

impl<'a, 'c, const N: usize> Stream<'a, 'c, N> {
    /// Whether a product with B (k, n) can be had in blocks of rows at no cost: B stays in cache.
    pub(crate) const fn suits(n: usize, k: usize) -> bool {
        n.saturating_mul(k) <= LIGHT && n <= BLOCK / ROWS
    }

    /// The product of `a` and `b`. Each of `beside` is a row-major matrix of its shape, or empty.
    pub(crate) fn new(a: Lhs<'a>, b: MatRef<'a>, beside: [&'c mut [f32]; N]) -> Self {
        let rows = (BLOCK / b.cols().max(1)).max(ROWS) / ROWS * ROWS;
        let engine = Engine::of(a.rows(), b.cols(), b.rows());
        Self { engine, a, b, beside: Slices::new(beside), rows, left: 0..a.rows() }
    }

    /// The same in blocks that are at least so many, if they can be.
    pub(crate) fn at_least(self, blocks: usize) -> Self {
        let rows = self.left.len().div_ceil(blocks).next_multiple_of(ROWS);
        Self { rows: self.rows.min(rows), ..self }
    }

    /// Makes room for every product of at most these sizes.
    pub(crate) fn reserve(m: usize, n: usize, k: usize, scratch: &mut Scratch) {
        scratch.reserve_block(BLOCK.max(ROWS * n));
        Engine::of(m, n, k).reserve((BLOCK / n.max(1)).max(ROWS), n, k, scratch);
    }

    /// How long all of it takes, in floating-point operations, with `extra` for each element of C.
    pub(crate) fn cost(&self, extra: usize) -> usize {
        let (m, n) = (self.left.len(), self.b.cols());
        cost(m, n, self.b.rows()) + m * n * extra
    }

    fn block(&self, rows: Range<usize>, beside: [&'c mut [f32]; N]) -> Block<'a, 'c, N> {
        Block { engine: self.engine, a: self.a.row_range(rows), b: self.b, beside }
    }
}

impl<const N: usize> Block<'_, '_, N> {
    /// Computes the rows and calls `epilogue` with them, row after row, and with the elements of
    /// the other matrices.
    pub(crate) fn run(self, epilogue: impl Fn(&mut [f32], [&mut [f32]; N]), scratch: &mut Scratch) {
        let (m, n) = (self.a.rows(), self.b.cols());
        scratch.reserve_block(m * n);
        let mut room = scratch.take_block();
        let floats = &mut room.floats()[..m * n];
        let c = MatMut::row_major(floats, m, n);
        let operands = Operands { a: self.a, b: self.b, c, beta: Beta::Overwrite };
        self.engine.run(operands, |_, _, _| (), scratch);
        epilogue(floats, self.beside);
        scratch.put_block(room);
    }
}

impl<'a, 'c, const N: usize> Iterator for Stream<'a, 'c, N> {
    type Item = Block<'a, 'c, N>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.left.start;
        let rows = first..self.left.end.min(first + self.rows);
        self.left.start = rows.end;
        let beside = self.beside.take_first(rows.len() * self.b.cols());
        (!rows.is_empty()).then(|| self.block(rows, beside))
    }
}

impl<const N: usize> DoubleEndedIterator for Stream<'_, '_, N> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let last = self.left.len().saturating_sub(1) / self.rows * self.rows;
        let rows = self.left.start + last..self.left.end;
        self.left.end = rows.start;
        let beside = self.beside.take_last(rows.len() * self.b.cols());
        (!rows.is_empty()).then(|| self.block(rows, beside))
    }
}
