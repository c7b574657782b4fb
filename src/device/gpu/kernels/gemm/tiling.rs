//! How a product is cut into workgroups, by its size and the adapter.

use super::super::{Constants, LOOP_LIMIT, Target, word};
use super::forms::{COOPERATIVE8, COOPERATIVE16, Forms, SHUFFLE, TILED};
use crate::device::Precision;

/// How a product is cut into workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiling {
    pub(super) shape: TileShape,
    /// Into how many parts k is cut, and how long they are.
    pub(super) splits: usize,
    pub(super) per_split: usize,
}

/// What one workgroup computes, and by which kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::device::gpu) enum TileShape {
    /// `gemm_tiled`: `side` x `side` threads, each with `blocks` x `blocks` blocks of 4 x 4, and workgroup
    /// memory for `stages` tiles.
    Tiled { side: usize, blocks: usize, stages: usize },
    /// `gemm_shuffle`: one subgroup, with `rows` rows of `quads` quads of elements a thread.
    Shuffle { rows: usize, quads: usize },
    /// `gemm_coop`: `down` x `across` subgroups, each with 4 x 2 matrices of `size` x `size`.
    Cooperative { size: usize, lanes: usize, down: usize, across: usize },
}

impl TileShape {
    fn choose(m: usize, n: usize, k: usize, target: Target) -> Self {
        if target.software && target.long_words && target.subgroup == Some(SHUFFLE_LANES) {
            return Self::shuffle(m, n, k);
        }
        if let Some(shape) = Self::cooperative(m, n, target) {
            return shape;
        }
        Self::tiled(m, n, target)
    }

    /// The largest tile that fills the adapter, in the memory that there is.
    fn tiled(m: usize, n: usize, target: Target) -> Self {
        let fits = |&(side, blocks, stages): &(usize, usize, usize)| {
            let words = stages * 2 * side * side * blocks * 4;
            side * side <= target.max_threads as usize && words <= target.max_workgroup_words
        };
        let fills = |&(side, blocks, stages): &(usize, usize, usize)| {
            let shape = Self::Tiled { side, blocks, stages };
            m.min(n) >= 2 * side && shape.tiles(m, n) >= ENOUGH_GROUPS / 2
        };
        let sizes = [(16, 2, 2), (16, 2, 1), (16, 1, 2), (16, 1, 1)].into_iter();
        let (side, blocks, stages) = sizes.filter(fits).find(fills).unwrap_or((8, 1, 1));
        Self::Tiled { side, blocks, stages }
    }

    /// The largest tile that fills the adapter, where it multiplies matrices of f16.
    fn cooperative(m: usize, n: usize, target: Target) -> Option<Self> {
        let rounded = target.precision != Precision::F32;
        let memory = target.max_workgroup_words >= COOPERATIVE_WORDS;
        let (size, lanes) =
            target.cooperative.zip(target.subgroup).filter(|_| rounded && memory)?;
        let shape = |(down, across)| Self::Cooperative { size, lanes, down, across };
        let fits =
            |&(down, across): &(usize, usize)| down * across * lanes <= target.max_threads as usize;
        let fills = |&(down, across): &(usize, usize)| {
            shape((down, across)).tiles(m, n) >= ENOUGH_GROUPS / 2
        };
        let sizes = [(2, 4), (2, 2)].into_iter();
        Some(shape(sizes.filter(fits).find(fills).unwrap_or((1, 2))))
    }

    /// More sums a thread make better use of a load and take longer to compile.
    fn shuffle(m: usize, n: usize, k: usize) -> Self {
        let large = m * n * k >= LARGE_PRODUCT;
        let rows = match m {
            0..=8 => 8,
            17.. if large => 32,
            _ => 16,
        };
        // A second quad only where no more columns beyond the last would be computed.
        let wide = large && n.div_ceil(4 * SHUFFLE_LANES).is_multiple_of(2);
        Self::Shuffle { rows, quads: if wide { 2 } else { 1 } }
    }

    /// The rows and columns of a tile.
    pub(in crate::device::gpu) fn size(self) -> (usize, usize) {
        match self {
            Self::Tiled { side, blocks, .. } => (4 * side * blocks, 4 * side * blocks),
            Self::Shuffle { rows, quads } => (rows, 4 * quads * SHUFFLE_LANES),
            Self::Cooperative { size, down, across, .. } => (4 * size * down, 2 * size * across),
        }
    }

    pub(super) fn tiles(self, m: usize, n: usize) -> usize {
        let (rows, cols) = self.size();
        m.div_ceil(rows) * n.div_ceil(cols)
    }

    pub(super) fn forms(self) -> (&'static Forms, Constants) {
        match self {
            Self::Tiled { side, blocks, stages } => {
                let [side, blocks, stages] = [side, blocks, stages].map(word);
                (&TILED, vec![("SIDE", side), ("BLOCKS", blocks), ("STAGES", stages)])
            }
            Self::Shuffle { rows, quads } => {
                (&SHUFFLE, vec![("ROWS", word(rows)), ("QUADS", word(quads))])
            }
            Self::Cooperative { size, lanes, down, across } => {
                let forms = if size == 8 { &COOPERATIVE8 } else { &COOPERATIVE16 };
                let [lanes, down, across] = [lanes, down, across].map(word);
                (forms, vec![("LANES", lanes), ("DOWN", down), ("ACROSS", across)])
            }
        }
    }
}

/// The threads of a subgroup that `gemm_shuffle` is written for.
const SHUFFLE_LANES: usize = 8;

/// Workgroup memory for the largest tiles of `gemm_coop`, in words.
const COOPERATIVE_WORDS: usize = 7_168;

/// Multiplications from which on a larger tile pays for its compilation.
const LARGE_PRODUCT: usize = 4_000_000;

/// Workgroups that keep a large GPU busy.
const ENOUGH_GROUPS: usize = 128;

/// A split shorter than this costs more than it gains.
const SHORTEST_SPLIT: usize = 128;

impl Tiling {
    pub(super) fn choose(m: usize, n: usize, k: usize, target: Target) -> Self {
        let shape = TileShape::choose(m, n, k, target);
        #[cfg(test)]
        let shape = target.shape.unwrap_or(shape);
        // Processors have few cores, and splits end up in memory.
        let (groups, shortest) =
            if target.software { (2, 1_024) } else { (ENOUGH_GROUPS, SHORTEST_SPLIT) };
        let useful = (groups / shape.tiles(m, n).max(1)).min(k / shortest);
        let needed = k.div_ceil(LOOP_LIMIT);
        // A multiple of every tile's depth.
        let per_split = k.div_ceil(useful.max(needed).max(1)).next_multiple_of(32);
        Self { shape, splits: k.div_ceil(per_split), per_split }
    }
}
