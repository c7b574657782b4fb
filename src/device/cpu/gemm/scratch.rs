//! The packing buffers, reused from product to product.

use super::product::{KC, MC, NC, STRIP};

/// A cache line of floats: panels begin at one, so that no vector of a panel straddles two.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Room for the packed blocks of products up to a size. One for each thread.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    a: Vec<Line>,
    b: Vec<Line>,
}

impl Scratch {
    /// No room yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Makes room for every product of at most these sizes, which then allocate nothing.
    pub(crate) fn reserve(&mut self, m: usize, n: usize, k: usize) {
        let depth = k.min(KC);
        let cols = n.next_multiple_of(16);
        grow(&mut self.a, m.next_multiple_of(16).min(MC) * depth);
        grow(&mut self.b, (cols.min(NC) * depth).max(cols.saturating_mul(k).min(STRIP)));
    }

    /// The packed blocks of A and of B.
    pub(super) fn blocks(&mut self) -> (&mut [f32], &mut [f32]) {
        (floats(&mut self.a), floats(&mut self.b))
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
