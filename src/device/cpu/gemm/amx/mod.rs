//! Products on the matrix unit of x86 processors (AMX), whose operands are bf16 and whose sums are
//! f32, at the precision of f32.
//!
//! An f32 is the sum of three bf16 without an error: the number rounded to 8 bits, the first 8 bits
//! of what is left, and the rest. Of the nine products of such pieces the six largest are added;
//! what is left out is below 2^-24 of the product, half a unit in its last place. The unit does
//! sixteen times the multiply-adds of two vector units, so six for one still leave more than twice
//! as many. (Henry, Tang, Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For
//! Higher-Precision Computations", 2019.)
//!
//! The sums of an element are those of the unit in the order of k, 32 steps at a time, in every
//! tile and block: cutting C into parts leaves its bits. They differ from those of a chain of
//! multiply-adds, so whether a product is computed here is decided once, by the shape of the whole
//! ([`pays`]). Subnormal numbers count as zero, as pieces and as sums, so numbers below 1e-33 keep fewer
//! bits; an operand that is infinite or above 3.39e38 gives NaN.

mod pack;
mod product;
mod tile;
mod unit;

pub(super) use product::room;
pub(super) use unit::is_there;

/// Rows of a tile of A and of C, and columns of a tile of B and of C.
const TILE: usize = 16;
/// Rows of a pair of tiles, and columns of a strip.
pub(super) const PAIR: usize = 2 * TILE;
/// Steps of k of a chunk: those of a tile of A or B.
const DEPTH: usize = 32;
/// The bf16 that an f32 is the sum of.
const PIECES: usize = 3;
/// Pairs of bf16 in a tile of A or B.
const PAIRS: usize = TILE * DEPTH / 2;

/// Whether the unit computes a product (m, n, k) faster than vectors do.
///
/// Cutting operands into pieces takes a time of its own for each element, in which the unit waits;
/// where C is narrow there is little work for it in between. The bounds are where the unit still
/// breaks even while the processor spares power, and runs it at a third of its speed.
pub(super) const fn pays(m: usize, n: usize, k: usize) -> bool {
    m >= 128 && n >= 128 && k >= 128
}
