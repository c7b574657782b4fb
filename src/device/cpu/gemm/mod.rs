//! Matrix products on one core: `C (+)= A.B` with A (m, k), B (k, n), C (m, n), f32.

mod kernel;
#[cfg(target_arch = "x86_64")]
mod kernel_avx2;
#[cfg(target_arch = "x86_64")]
mod kernel_avx512;
mod kernel_portable;
mod pack;
mod product;
mod scratch;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use scratch::Scratch;
pub(crate) use view::{Lhs, MatMut, MatRef};

use kernel::Kernel;
use product::Product;

/// What becomes of the values that C holds before a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beta {
    /// They are not read.
    Overwrite,
    /// The product is added to them.
    Accumulate,
}

/// Computes `C (+)= A.B`.
pub(crate) fn gemm<'a>(
    a: impl Into<Lhs<'a>>,
    b: MatRef<'a>,
    c: MatMut<'_>,
    beta: Beta,
    epilogue: impl FnMut(usize, usize, &mut [f32]),
    scratch: &mut Scratch,
) {
    Product { kernel: Kernel::best(), a: a.into(), b, c, beta }.run(epilogue, scratch);
}
