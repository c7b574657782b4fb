//! What computes a product: vectors, or a matrix unit where the processor has one.

#[cfg(target_arch = "x86_64")]
use super::amx;
use super::kernel::{Kernel, MAX_LANES, STRIP};
use super::product::Product;
use super::upright;
use super::{Beta, Lhs, MatMut, MatRef, Scratch};

/// What computes a product. The bits of a result depend on it, so it is chosen once for a product,
/// by its shape, and its parts are computed by the same.
#[derive(Debug, Clone, Copy)]
pub(in crate::device::cpu) enum Engine {
    /// The micro-kernels of an instruction set.
    Vectors(&'static Kernel),
    /// The matrix unit of this processor.
    #[cfg(target_arch = "x86_64")]
    Amx,
}

/// A product to compute: `C = A.B`, or `C += A.B`.
#[derive(Debug)]
pub(super) struct Operands<'a, 'c> {
    pub(super) a: Lhs<'a>,
    pub(super) b: MatRef<'a>,
    pub(super) c: MatMut<'c>,
    pub(super) beta: Beta,
    /// The number of the stream that this is a block of: others may have the same B.
    pub(super) stream: Option<u64>,
}

/// What the processor has beside vectors, for its name: empty, or a comma and the unit.
pub(in crate::device::cpu) fn unit() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if amx::is_there() {
        return ", AMX";
    }
    ""
}

impl Engine {
    /// The fastest for a product (m, n, k).
    pub(in crate::device::cpu) fn of(m: usize, n: usize, k: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        if amx::pays(m, n, k) && amx::is_there() {
            return Self::Amx;
        }
        let _ = (m, n, k);
        Self::vectors()
    }

    /// The fastest that is best for small products.
    pub(super) fn vectors() -> Self {
        Self::Vectors(Kernel::best())
    }

    /// All that this processor can run.
    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let units = amx::is_there().then_some(Self::Amx);
        #[cfg(not(target_arch = "x86_64"))]
        let units = None;
        units.into_iter().chain(Kernel::all().map(Self::Vectors))
    }

    /// Whether it packs operands whatever their shape, so that few large products take less time.
    pub(super) const fn packs(self) -> bool {
        match self {
            Self::Vectors(_) => false,
            #[cfg(target_arch = "x86_64")]
            Self::Amx => true,
        }
    }

    /// The kernels whose upright tiles compute a product, if they do.
    pub(super) fn upright(self, a: &Lhs, b: &MatRef) -> Option<&'static Kernel> {
        match self {
            Self::Vectors(kernel) => upright::suits(kernel, a, b).then_some(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Amx => None,
        }
    }

    /// Columns are cut at multiples of this: whole vectors of any instruction set, or where strips of a unit end.
    pub(super) const fn grain(self) -> usize {
        match self {
            Self::Vectors(_) => MAX_LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Amx => amx::PAIR,
        }
    }

    /// The columns of the widest strips.
    pub(super) const fn strip(self) -> usize {
        match self {
            Self::Vectors(_) => STRIP,
            #[cfg(target_arch = "x86_64")]
            Self::Amx => amx::PAIR,
        }
    }

    /// Makes room for every product of at most these sizes, which then allocate nothing.
    pub(in crate::device::cpu) fn reserve(
        self,
        m: usize,
        n: usize,
        k: usize,
        scratch: &mut Scratch,
    ) {
        match self {
            Self::Vectors(_) => scratch.reserve(m, n, k),
            #[cfg(target_arch = "x86_64")]
            Self::Amx => scratch.reserve_tiles(amx::room(m, n, k)),
        }
    }

    /// Computes a product; for the epilogue see [`Work::run`](super::Work::run).
    ///
    /// # Panics
    /// If the shapes disagree.
    pub(super) fn run(
        self,
        operands: Operands<'_, '_>,
        epilogue: impl FnMut(usize, usize, &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let Operands { a, b, c, .. } = &operands;
        let (m, n, k) = (c.rows(), c.cols(), b.rows());
        assert!(a.rows() == m && a.cols() == k && b.cols() == n, "shapes disagree");
        if m == 0 || n == 0 {
            return;
        }
        match self {
            // SAFETY: the shapes have been looked at.
            Self::Vectors(kernel) => unsafe {
                let Operands { a, b, c, beta, stream } = operands;
                Product { kernel, a, b, c, beta, stream }.run(epilogue, scratch);
            },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: likewise, and this variant is made only where the unit is there.
            Self::Amx => unsafe { operands.run_on_amx(epilogue, scratch) },
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vectors(kernel) => write!(f, "vectors of {}", kernel.lanes),
            #[cfg(target_arch = "x86_64")]
            Self::Amx => f.write_str("AMX"),
        }
    }
}
