//! The packing buffers, reused from product to product.

use super::kernel::{MAX_COLS, MAX_ROWS};
use super::product::{KC, LIGHT, LIGHT_KC, LIGHT_MC, MC, NC};

/// A cache line of floats: panels begin at one, so that no vector of a panel straddles two.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Room for the packed blocks of products up to a size. One for each thread.
#[derive(Debug)]
pub(crate) struct Scratch {
    a: Vec<Line>,
    b: Vec<Line>,
    tile: [Line; TILE / 16],
}

/// The elements of the largest tile.
const TILE: usize = MAX_ROWS * MAX_COLS;

/// What a product is computed with that needs more than registers.
#[derive(Debug)]
pub(super) struct Blocks<'a> {
    /// The packed block of A.
    pub(super) a: &'a mut [f32],
    /// The packed block of B.
    pub(super) b: &'a mut [f32],
    /// A tile of a C that is not kept.
    pub(super) tile: &'a mut [f32],
}

impl Default for Scratch {
    fn default() -> Self {
        Self { a: Vec::new(), b: Vec::new(), tile: [Line([0.0; 16]); TILE / 16] }
    }
}

impl Scratch {
    /// Makes room for every product of at most these sizes, which then allocate nothing.
    pub(crate) fn reserve(&mut self, m: usize, n: usize, k: usize) {
        let (rows, cols) = (m.next_multiple_of(16), n.next_multiple_of(48));
        let (deep, deepest) = (k.min(KC), k.min(LIGHT_KC));
        grow(&mut self.a, (rows.min(MC) * deep).max(rows.min(LIGHT_MC) * deepest));
        // A light block has at most `LIGHT` floats before its last strip is filled up.
        let light = cols.saturating_mul(deepest).min(LIGHT + 48 * LIGHT_KC);
        grow(&mut self.b, (cols.min(NC) * deep).max(light));
    }

    /// The memory itself.
    pub(super) fn blocks(&mut self) -> Blocks<'_> {
        let Self { a, b, tile } = self;
        Blocks { a: floats(a), b: floats(b), tile: floats(tile) }
    }
}

fn grow(lines: &mut Vec<Line>, floats: usize) {
    let count = floats.div_ceil(16);
    if lines.len() < count {
        lines.resize(count, Line([0.0; 16]));
    }
}

fn floats(lines: &mut [Line]) -> &mut [f32] {
    // SAFETY: a line is 16 floats without padding, aligned more strictly than they are.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * 16) }
}
