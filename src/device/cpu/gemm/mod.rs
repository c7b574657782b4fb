//! Matrix products: `C (+)= A.B` with A (m, k), B (k, n) and C (m, n), all f32.
//!
//! A can be rows picked from a larger matrix, or the transposed of such rows; every operand can
//! be transposed or strided, only the rows of C are contiguous. An epilogue sees each finished
//! run of a row of C while it is in the L1 cache. With enough [`Scratch`] reserved, nothing is
//! allocated.
//!
//! With vectors, an element of C is one chain of multiply-adds in the order of k, in every kernel,
//! tile and block; so cutting C into parts ([`Work::parts`]) and computing them one by one, or on
//! several threads, leaves the bits of the whole product. The
//! exception are the last columns that fill a small part of a vector, where rows of A are
//! contiguous: dot products that sum along k in vectors. Rows can be split anywhere too, columns
//! after whole vectors, but so that no part has one of several columns. Instruction sets without
//! fused multiply-add round differently from those with it, and matrix units sum in another order:
//! the [`Engine`] is one for all parts of a product.
//!
//! There are no threads here, no f64, and no batches of products.

#[cfg(target_arch = "x86_64")]
mod amx;
mod cut;
mod direct;
mod engine;
mod kernel;
#[cfg(target_arch = "x86_64")]
mod kernel_avx2;
#[cfg(target_arch = "x86_64")]
mod kernel_avx512;
mod kernel_dots;
mod kernel_portable;
mod kernel_upright;
mod narrow;
mod outer;
mod pack;
mod prefetch;
mod product;
mod runs;
mod scratch;
mod stream;
#[cfg(test)]
mod tests;
mod upright;
mod view;
mod work;

pub(crate) use cut::Cuttable;
pub(in crate::device::cpu) use direct::{Direct, MOST_STEPS, UNIT};
pub(in crate::device::cpu) use engine::{Engine, unit};
pub(crate) use scratch::Scratch;
pub(crate) use stream::Stream;
pub(crate) use view::{Lhs, MatMut, MatRef};
pub(crate) use work::{SHARED_FLOP, Terms, Work, part};

/// What becomes of the values that C holds before a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beta {
    /// They are not read.
    Overwrite,
    /// The product is added to them.
    Accumulate,
}
