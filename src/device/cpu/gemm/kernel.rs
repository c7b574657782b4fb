//! Micro-kernels: what the instruction sets have in common.
//!
//! A tile is MR rows by up to `TILE_VECTORS` vectors of C, held in registers over one block of k.
//! Every element is one chain of multiply-adds in the order of k that starts from C (or zero), so
//! its bits depend neither on the tile nor on where k was cut into blocks.
//!
//! The tile is written once, over [`Vector`]; each instruction set supplies a vector and
//! instantiates the tile inside a function that enables its features.

use super::kernel_upright::{COLUMNS, UprightFn};
use super::narrow::NARROW;
use super::pack::PackFn;
use std::sync::OnceLock;

/// Rows of the tallest tile.
pub(super) const MAX_ROWS: usize = 8;
/// The most lanes of a vector.
pub(super) const MAX_LANES: usize = 16;
/// Vectors across the widest tile. With 8 rows that is 24 accumulators, 3 vectors of B and a
/// broadcast of 32 registers, and 11 loads for 24 multiply-adds: loads never limit it.
pub(super) const TILE_VECTORS: usize = 3;
/// Columns of the widest strips of any instruction set.
pub(super) const STRIP: usize = MAX_LANES * TILE_VECTORS;

/// Floats of a cache line.
pub(super) const LINE: usize = 16;
/// How many columns of A ahead its rows are asked for: 8 cache lines, or a microsecond of work.
/// Rows of a minibatch lie anywhere, and the processor's own prefetchers stop at pages.
pub(super) const AHEAD: usize = 128;

/// Every vector of a row of B is read as a whole.
pub(super) const WHOLE: usize = 0;
/// Of the last vector of a row of B only `tail` lanes are read, which takes an instruction more.
pub(super) const TAIL: usize = 1;
/// As [`TAIL`], and columns of A are picked.
pub(super) const PICK: usize = 2;

/// What one call of a tile computes: `C (+)= A.B` over `depth` columns of A and rows of B.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    /// The rows of A, each at the first column of the block (of the source if `picks` is used).
    pub(super) a: [*const f32; MAX_ROWS],
    /// The rows of A of the next tile, which need not be valid, to ask for; or null.
    pub(super) next: *const [*const f32; MAX_ROWS],
    /// Floats from a column of A to the next.
    pub(super) a_step: usize,
    /// Whether A is a packed panel: one stream, which the processor's prefetchers follow by themselves.
    pub(super) is_packed: bool,
    /// The columns of A to use, for the kernels that pick.
    pub(super) picks: *const u32,
    pub(super) b: *const f32,
    /// Floats from a row of B to the next.
    pub(super) b_step: usize,
    pub(super) depth: usize,
    pub(super) c: *mut f32,
    pub(super) c_step: usize,
    /// Lanes of the last vector that are columns of C: 1 to `lanes`.
    pub(super) tail: usize,
    /// Whether to add to C; else C is not read.
    pub(super) accumulate: bool,
}

/// A tile for a fixed number of rows and vectors.
///
/// # Safety
/// The processor has the kernel's features, and every address that [`Tile`] describes for this
/// number of rows and vectors can be read (A, B) or written (C).
pub(super) type TileFn = unsafe fn(&Tile);

/// Dot products of a fixed number of rows (`a`, unit steps) with a fixed number of columns, which
/// lie `b_step` apart with unit steps. `tail` and `picks` are not used.
///
/// # Safety
/// As [`TileFn`].
pub(super) type DotFn = unsafe fn(&Tile);

/// The micro-kernels of one instruction set.
#[derive(Debug)]
pub(in crate::device::cpu) struct Kernel {
    pub(super) lanes: usize,
    /// By rows - 1, vectors - 1, and how operands are read: [`WHOLE`], [`TAIL`] or [`PICK`].
    pub(super) tiles: &'static [[[TileFn; 3]; TILE_VECTORS]],
    /// By columns - 1 and rows - 1.
    pub(super) dots: [&'static [DotFn]; NARROW],
    /// By vectors - 1 and columns - 1.
    pub(super) upright: &'static [[UprightFn; COLUMNS]],
    pub(super) pack: PackFn,
}

impl Kernel {
    /// Rows of the tallest tile.
    pub(super) const fn rows(&self) -> usize {
        self.tiles.len()
    }

    /// Columns of the widest tile.
    pub(super) const fn cols(&self) -> usize {
        self.lanes * TILE_VECTORS
    }

    /// Rows of the tallest upright tile.
    pub(super) const fn height(&self) -> usize {
        self.lanes * self.upright.len()
    }

    /// Vectors that hold `cols` numbers; `lanes` is a power of two.
    pub(super) const fn vectors(&self, cols: usize) -> usize {
        (cols + self.lanes - 1) >> self.lanes.trailing_zeros()
    }

    /// The fastest kernels that this processor can run, found once.
    pub(super) fn best() -> &'static Self {
        static BEST: OnceLock<&'static Kernel> = OnceLock::new();
        BEST.get_or_init(|| Self::all().next().unwrap_or(&super::kernel_portable::KERNEL))
    }

    /// All kernels that this processor can run, the fastest first.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        #[cfg(target_arch = "x86_64")]
        let wide = [
            (std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512vl"))
                .then_some(&super::kernel_avx512::KERNEL),
            (std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma"))
                .then_some(&super::kernel_avx2::KERNEL),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let wide = [None; 0];
        wide.into_iter().flatten().chain([&super::kernel_portable::KERNEL])
    }
}

/// A register of floats.
///
/// # Safety
/// Methods are called only where the processor has the features of the implementation, and
/// addresses are valid for the lanes used.
pub(super) trait Vector: Copy {
    const LANES: usize;
    /// Names the first lanes of a vector.
    type Mask: Copy;

    unsafe fn zero() -> Self;
    /// The first `lanes` lanes, 1 to `LANES`.
    unsafe fn mask(lanes: usize) -> Self::Mask;
    unsafe fn splat(from: *const f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    /// Zero in the lanes that the mask leaves out, which are not read.
    unsafe fn load_first(from: *const f32, mask: Self::Mask) -> Self;
    /// Asks for the line at an address, which need not be valid.
    unsafe fn prefetch(at: *const f32);
    unsafe fn store(self, to: *mut f32);
    unsafe fn store_first(self, to: *mut f32, mask: Self::Mask);
    /// Half a vector to either place.
    unsafe fn store_halves(self, low: *mut f32, high: *mut f32);
    /// As rows: lane i of each vector side by side, `step` floats behind those of lane i - 1.
    #[inline(always)]
    unsafe fn store_rows<const N: usize>(columns: [Self; N], to: *mut f32, step: usize) {
        // SAFETY: the addresses are the caller's.
        unsafe { store_first_rows(columns, to, step, Self::LANES) }
    }
    /// `self * by + to`.
    unsafe fn mul_add(self, by: Self, to: Self) -> Self;
    /// The sum of the lanes, as a fixed tree.
    unsafe fn sum(self) -> f32;
}

/// The first `count` lanes of vectors as rows: see [`Vector::store_rows`].
///
/// # Safety
/// As [`Vector`].
#[inline(always)]
pub(super) unsafe fn store_first_rows<V: Vector, const N: usize>(
    columns: [V; N],
    to: *mut f32,
    step: usize,
    count: usize,
) {
    const { assert!(V::LANES <= MAX_LANES) };
    let mut lanes = [0.0; MAX_LANES];
    for (j, column) in columns.into_iter().enumerate() {
        // SAFETY: `lanes` has room for a vector; the other addresses are the caller's.
        unsafe {
            column.store(lanes.as_mut_ptr());
            for (i, lane) in lanes.iter().enumerate().take(count) {
                *to.add(i * step + j) = *lane;
            }
        }
    }
}

/// The body of every [`TileFn`].
///
/// # Safety
/// As [`TileFn`], and the caller enables the features of `V`.
#[inline(always)]
pub(super) unsafe fn tile<V: Vector, const MR: usize, const NV: usize, const KIND: usize>(
    t: &Tile,
) {
    // SAFETY: the caller's contract is that of every access below: `MR` rows of A and C, and of
    // each row of B and C `NV - 1` whole vectors and the `tail` first lanes of another.
    unsafe {
        let tail = V::mask(t.tail);
        let a: [*const f32; MR] = std::array::from_fn(|i| t.a[i]);
        let mut sums = [[V::zero(); NV]; MR];
        for (i, sums) in sums.iter_mut().enumerate() {
            for (j, sum) in sums.iter_mut().enumerate() {
                let c = t.c.wrapping_add(i * t.c_step + j * V::LANES);
                if !t.is_packed {
                    // The tile below is likely to be the next.
                    V::prefetch(c.wrapping_add(MR * t.c_step));
                }
                if t.accumulate {
                    *sum = if j + 1 < NV { V::load(c) } else { V::load_first(c, tail) };
                }
            }
        }
        let mut b_row = t.b;
        let mut column = 0;
        let middle = t.depth / 2 / LINE * LINE;
        for p in 0..t.depth {
            let at = if KIND == PICK { *t.picks.add(p) as usize * t.a_step } else { column };
            if KIND != PICK && t.is_packed && p == middle {
                // Only here, as tiles are long then, and at the beginning the stores of the one before wait.
                for c in (0..MR).map(|i| t.c.wrapping_add((MR + i) * t.c_step)) {
                    (0..NV).for_each(|j| V::prefetch(c.wrapping_add(j * V::LANES)));
                }
            } else if KIND != PICK && !t.is_packed && p % LINE == 0 {
                // Past the end of these rows the next begin.
                let is_past = p + AHEAD >= t.depth && !t.next.is_null();
                let (rows, there) =
                    if is_past { (&*t.next, p + AHEAD - t.depth) } else { (&t.a, p + AHEAD) };
                for row in &rows[..MR] {
                    V::prefetch(row.wrapping_add(there * t.a_step));
                }
            }
            let mut b = [V::zero(); NV];
            for (j, b) in b.iter_mut().enumerate() {
                let from = b_row.add(j * V::LANES);
                let whole = KIND == WHOLE || j + 1 < NV;
                *b = if whole { V::load(from) } else { V::load_first(from, tail) };
            }
            for i in 0..MR {
                let x = V::splat(a[i].add(at));
                for j in 0..NV {
                    sums[i][j] = x.mul_add(b[j], sums[i][j]);
                }
            }
            b_row = b_row.wrapping_add(t.b_step);
            column = column.wrapping_add(t.a_step);
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, &sum) in sums.iter().enumerate() {
                let c = t.c.add(i * t.c_step + j * V::LANES);
                if j + 1 < NV { sum.store(c) } else { sum.store_first(c, tail) }
            }
        }
    }
}

/// The table of micro-kernels for the given numbers of rows, and vectors of upright tiles: `$tile`,
/// `$dots` and `$upright` are functions with the const parameters of those bodies. Dot products with
/// many columns have fewer rows, so that the sums stay in registers.
macro_rules! kernel {
    (
        $lanes:expr,
        [$tile:ident, $dots:ident, $upright:ident],
        $pack:ident,
        [$($rows:literal),*],
        [$($vectors:literal),*]
    ) => {
        Kernel {
            lanes: $lanes,
            tiles: &[$([
                [$tile::<$rows, 1, WHOLE>, $tile::<$rows, 1, TAIL>, $tile::<$rows, 1, PICK>],
                [$tile::<$rows, 2, WHOLE>, $tile::<$rows, 2, TAIL>, $tile::<$rows, 2, PICK>],
                [$tile::<$rows, 3, WHOLE>, $tile::<$rows, 3, TAIL>, $tile::<$rows, 3, PICK>],
            ]),*],
            dots: [
                &[$($dots::<$rows, 1>),*],
                &[$($dots::<$rows, 2>),*],
                &[$dots::<1, 3>, $dots::<2, 3>, $dots::<3, 3>, $dots::<4, 3>],
                &[$dots::<1, 4>, $dots::<2, 4>, $dots::<3, 4>, $dots::<4, 4>],
            ],
            upright: &[$([
                $upright::<1, $vectors>,
                $upright::<2, $vectors>,
                $upright::<3, $vectors>,
                $upright::<4, $vectors>,
                $upright::<5, $vectors>,
                $upright::<6, $vectors>,
            ]),*],
            pack: $pack,
        }
    };
}
pub(super) use kernel;
