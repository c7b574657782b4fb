//! Matrix products: `C (+)= A.B` with A (m, k), B (k, n) and C (m, n), all f32.
//!
//! A can be rows picked from a larger matrix, or the transposed of such rows; every operand can
//! be transposed or strided, only the rows of C are contiguous. An epilogue sees each finished
//! run of a row of C while it is in the L1 cache. With enough [`Scratch`] reserved, nothing is
//! allocated.
//!
//! An element of C is one chain of multiply-adds in the order of k, in every kernel, tile and
//! block; so cutting C into parts ([`Work::parts`]) and computing them one by one, or on
//! several threads, leaves the bits of the whole product. The
//! exception is a product with one column and contiguous rows of A: dot products that sum along k
//! in vectors. Its rows can be split anywhere too, but a split at a column must not leave a part
//! with one of several columns. Instruction sets without fused multiply-add round differently from
//! those with it.
//!
//! There are no threads here, no f64, and no batches of products.

mod kernel;
#[cfg(target_arch = "x86_64")]
mod kernel_avx2;
#[cfg(target_arch = "x86_64")]
mod kernel_avx512;
mod kernel_portable;
mod pack;
mod product;
mod scratch;
mod stream;
#[cfg(test)]
mod tests;
mod view;
mod work;

pub(crate) use scratch::Scratch;
pub(crate) use stream::Stream;
pub(crate) use view::{Lhs, MatMut, MatRef};
pub(crate) use work::{Terms, Work, part};

/// What becomes of the values that C holds before a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beta {
    /// They are not read.
    Overwrite,
    /// The product is added to them.
    Accumulate,
}
