//! The packing buffers, reused from product to product.

use super::kernel::STRIP;
use super::narrow::NARROW;
use super::product::{GAP, KC, LIGHT, LIGHT_KC, LIGHT_MC, MC, NC};
use super::upright::MAX_HEIGHT;
use crate::device::cpu::room::Room;

/// Room for the packed blocks of products up to a size. One for each thread. It begins at cache lines, so that no
/// vector of a panel straddles two.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    a: Room,
    b: Room,
    c: Room,
    narrow: Room,
    tiles: [Room; 2],
    /// What the packed blocks of B are, if they are kept.
    kept: Option<Kept>,
}

/// The columns of a B over all steps, whose panels are kept for further products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// The number of the stream that reads them. As long as it lasts they are not written.
    pub(super) stream: u64,
    pub(super) address: usize,
    pub(super) shape: (usize, usize),
}

impl Scratch {
    /// Makes room for every product of at most these sizes, which then allocate nothing.
    pub(crate) fn reserve(&mut self, m: usize, n: usize, k: usize) {
        let (rows, cols) = (m.next_multiple_of(16), n.next_multiple_of(STRIP));
        let (deep, deepest) = (k.min(KC), k.min(LIGHT_KC));
        let block = |rows: usize, steps: usize| rows * (steps + GAP);
        self.a.grow(block(rows.min(MC), deep).max(block(rows.min(LIGHT_MC), deepest)));
        self.panels(deep);
        // A light block has at most `LIGHT` floats before its last strip is filled up.
        let light = cols.saturating_mul(deepest).min(LIGHT + STRIP * LIGHT_KC);
        self.grow_b((cols.min(NC) * deep).max(light));
        self.narrow();
    }

    /// Makes room for panels of so many columns of B over all steps, and says whether they are there. They are
    /// afterwards.
    pub(super) fn keep(&mut self, kept: Kept) -> bool {
        let (steps, cols) = kept.shape;
        self.reserve_kept(steps, cols);
        self.kept.replace(kept) == Some(kept)
    }

    /// Makes room for panels that are kept.
    pub(super) fn reserve_kept(&mut self, steps: usize, cols: usize) {
        self.grow_b(steps * cols.next_multiple_of(STRIP));
    }

    /// Others are packed where panels may have been kept.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    fn grow_b(&mut self, floats: usize) {
        if self.b.len() < floats {
            self.kept = None;
            self.b.grow(floats);
        }
    }

    /// Makes room for so many packed pairs of A and of B.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn reserve_tiles(&mut self, pairs: [usize; 2]) {
        self.tiles.iter_mut().zip(pairs).for_each(|(tiles, pairs)| tiles.grow(pairs));
    }

    /// The packed pairs of A and of B.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn tiles(&mut self) -> (&mut [u32], &mut [u32]) {
        let [a, b] = self.tiles.each_mut().map(|pairs| bytemuck::cast_slice_mut(pairs));
        (a, b)
    }

    /// Room for narrow columns of B over a block of steps.
    pub(super) fn narrow(&mut self) -> &mut [f32] {
        self.narrow.grow(NARROW * LIGHT_KC);
        &mut self.narrow
    }

    /// Makes room for the blocks of a C that is not kept.
    pub(super) fn reserve_block(&mut self, floats: usize) {
        self.c.grow(floats);
    }

    /// Takes the room for blocks of C out, as products need the rest meanwhile.
    pub(super) fn take_block(&mut self) -> Block {
        Block(std::mem::take(&mut self.c))
    }

    /// Puts it back.
    pub(super) fn put_block(&mut self, block: Block) {
        self.c = block.0;
    }

    /// Two copies of panels of upright tiles of so many steps.
    pub(super) fn panels(&mut self, steps: usize) -> [&mut [f32]; 2] {
        let room = MAX_HEIGHT * steps;
        self.a.grow(2 * room);
        let (one, other) = self.a.split_at_mut(room);
        [one, &mut other[..room]]
    }

    /// The packed blocks of A and of B.
    pub(super) fn blocks(&mut self) -> (&mut [f32], &mut [f32]) {
        (&mut self.a, &mut self.b)
    }
}

/// Room for a block of a C that is not kept.
pub(super) struct Block(Room);

impl Block {
    pub(super) fn floats(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
