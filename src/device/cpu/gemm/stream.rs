//! Products whose result nobody keeps: in blocks, each handed on while it is in cache.
//!
//! Where B stays in cache, a block is some whole rows. Else it is as large as a cache lets it be, as
//! each block packs its part of A and B anew.

use super::cut::{Cut, Cuttable, Parts, ROWS};
use super::engine::{Engine, Operands};
use super::kernel::Kernel;
use super::prefetch::prefetch;
use super::product::{LIGHT, parts};
use super::upright::Upright;
use super::work::{Terms, cost, runs, take};
use super::{Beta, Lhs, MatMut, MatRef, Scratch};
use std::sync::atomic::{AtomicU64, Ordering};

/// Elements of a block of whole rows: with three numbers of state for each, 256 KiB, a part of the
/// L2 cache.
const BLOCK: usize = 1 << 14;
/// Elements of such a block on a matrix unit, where each block packs B anew.
const PACKED_BLOCK: usize = 1 << 15;
/// The most columns of whole rows, of which 32 are as many elements as the largest block has, and those on a matrix unit.
const WIDEST: usize = 4096;
const PACKED_WIDEST: usize = 512;
/// Rows and columns of a block whose B leaves the cache, and those on a matrix unit.
const LARGE: [usize; 2] = [256, 512];
const PACKED_LARGE: [usize; 2] = [512, 1024];
/// The least columns of such blocks.
const LEAST_COLS: usize = 256;
/// The blocks that each thread should find where B stays in cache, so that all finish at about one
/// time.
const BLOCKS: usize = 4;
/// Likewise of upright tiles, of which each block copies its first panel before it begins.
const UPRIGHT_BLOCKS: usize = 2;
/// Elements of the panels of upright tiles that are handed on together: 32 KiB. Half of that is as fast.
const UPRIGHT_BLOCK: usize = 1 << 13;

/// A product `A.B`, and the elements of other matrices at the same places.
#[derive(Debug)]
pub(crate) struct Stream<'a, 'c, const N: usize> {
    /// Which one, as long as the process runs.
    number: u64,
    engine: Engine,
    /// The kernels whose upright tiles compute it, if they do.
    upright: Option<&'static Kernel>,
    a: Lhs<'a>,
    b: MatRef<'a>,
    beside: [Option<MatMut<'c>>; N],
}

/// The rows of a block of upright tiles of `m` rows, which so many threads share: whole panels.
fn upright_rows(m: usize, threads: usize, height: usize) -> usize {
    let rows = if threads > 1 { m / (UPRIGHT_BLOCKS * threads) } else { m };
    // The nearest, so that what is left for a last block is small or as large as the others.
    ((rows + height / 2) / height).max(1) * height
}

/// The rows of upright tiles of `n` columns that are handed on together.
fn panels(n: usize, height: usize) -> usize {
    (UPRIGHT_BLOCK / n.max(1) / height).max(1) * height
}

/// The largest block of a product (m, n, k) that is computed by so many threads.
fn block(engine: Engine, [m, n, k]: [usize; 3], threads: usize) -> [usize; 2] {
    let (elements, widest) =
        if engine.packs() { (PACKED_BLOCK, PACKED_WIDEST) } else { (BLOCK, WIDEST) };
    if n.saturating_mul(k) <= LIGHT && n <= widest {
        let rows = (elements / n.max(1)).max(ROWS) / ROWS * ROWS;
        let shared = m.div_ceil(BLOCKS * threads).next_multiple_of(ROWS).max(ROWS);
        return [if threads > 1 { rows.min(shared) } else { rows }, n];
    }
    let [rows, cols] = if engine.packs() { PACKED_LARGE } else { LARGE };
    // As many for each thread, each with columns of its own if there are enough.
    let mut across = n.div_ceil(cols);
    if across > 1 {
        across = across.next_multiple_of(threads).min(n.div_ceil(LEAST_COLS)).max(across);
    }
    let down = m.div_ceil(rows).max(1).next_multiple_of(threads.div_ceil(across));
    [
        m.div_ceil(down).next_multiple_of(ROWS).max(ROWS),
        n.div_ceil(across).next_multiple_of(engine.grain()),
    ]
}

impl<'a, 'c, const N: usize> Stream<'a, 'c, N> {
    /// The product of `a` and `b`, and matrices of its shape, of which some may not be there.
    pub(crate) fn new(a: Lhs<'a>, b: MatRef<'a>, beside: [Option<MatMut<'c>>; N]) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let engine = Engine::of(a.rows(), b.cols(), b.rows());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { number, engine, upright: engine.upright(&a, &b), a, b, beside }
    }

    /// Makes room for a product that is computed by so many threads.
    pub(crate) fn reserve(shape: [usize; 3], threads: usize, scratch: &mut Scratch) {
        let [m, n, k] = shape;
        let engine = Engine::of(m, n, k);
        let [rows, cols] = block(engine, shape, threads);
        // A last column may come to the others.
        let (rows, cols) = (rows.min(m), (cols + 1).min(n));
        scratch.reserve_block(rows * cols);
        engine.reserve(rows, cols, k, scratch);
        if !engine.packs() {
            scratch.reserve_kept(k, cols);
        }
    }

    /// How long all of it takes, in floating-point operations, with `extra` for each element of C.
    pub(crate) fn cost(&self, extra: usize) -> usize {
        let (m, n) = self.shape();
        cost(m, n, self.b.rows()) + m * n * extra
    }

    /// The blocks, for so many threads.
    pub(crate) fn blocks(self, threads: usize) -> impl DoubleEndedIterator<Item = Self> + Send {
        let ((m, n), k) = (self.shape(), self.b.rows());
        let [rows, cols] = match self.upright {
            Some(kernel) => [upright_rows(m, threads, kernel.height()), n],
            None => block(self.engine, [m, n, k], threads),
        };
        // A thread updates those rows of a weight that it reads on the way forward.
        let own = Terms::own_steps([k, n, m], threads);
        Parts::new(self, Cut::Rows(own))
            .flat_map(move |part| Parts::new(part, Cut::Cols(cols)))
            .flat_map(move |part| Parts::new(part, Cut::Rows(rows)))
    }

    /// Computes a block and calls `epilogue` with its elements and those of the other matrices, in
    /// runs of a row or of several.
    pub(crate) fn run(self, epilogue: impl Fn(&mut [f32], [&mut [f32]; N]), scratch: &mut Scratch) {
        let (m, n) = self.shape();
        let Self { number, engine, upright, a, b, mut beside } = self;
        let rows = upright.map_or(m, |kernel| panels(n, kernel.height())).min(m);
        scratch.reserve_block(rows * n);
        let mut room = scratch.take_block();
        let floats = &mut room.floats()[..rows * n];
        let whole = beside.iter().flatten().all(MatMut::is_contiguous);
        let mut hand_on = |first: usize, floats: &mut [f32]| {
            let run = if whole { floats.len() } else { n };
            for (i, floats) in floats.chunks_exact_mut(run.max(1)).enumerate() {
                let row = first + i;
                if !whole && row + 1 < m {
                    // Each row is in pages of its own, in which the processor's prefetchers begin anew.
                    let matrices = beside.iter_mut().flatten();
                    matrices.for_each(|matrix| prefetch(matrix.at(row + 1, 0), n));
                }
                epilogue(floats, runs(&mut beside, (row, 0), run));
            }
        };
        if let Some(kernel) = upright {
            let mut upright = Upright::new(kernel, a, b, scratch);
            for part in parts(0..m, rows) {
                let floats = &mut floats[..part.len() * n];
                let mut c = MatMut::row_major(floats, part.len(), n);
                upright.multiply(&mut c, 0..part.len(), Beta::Overwrite);
                hand_on(part.start, floats);
            }
        } else {
            let c = MatMut::row_major(floats, m, n);
            let operands = Operands { a, b, c, beta: Beta::Overwrite, stream: Some(number) };
            engine.run(operands, |_, _, _| (), scratch);
            hand_on(0, floats);
        }
        scratch.put_block(room);
    }
}

impl<const N: usize> Cuttable for Stream<'_, '_, N> {
    fn shape(&self) -> (usize, usize) {
        (self.a.rows(), self.b.cols())
    }

    fn take_rows(&mut self, rows: usize) -> Self {
        let a = self.a.take_rows(rows);
        Self { a, beside: take(&mut self.beside, |matrix| matrix.take_rows(rows)), ..*self }
    }

    fn take_cols(&mut self, cols: usize) -> Self {
        let b = self.b.take_cols(cols);
        Self { b, beside: take(&mut self.beside, |matrix| matrix.take_cols(cols)), ..*self }
    }
}
