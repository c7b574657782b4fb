//! The kernels of products, in all their forms: one for each way in which A, B and C may lie.

use super::super::{Access, Kernel};

/// A, B, order, extra, C, pre, C in f16, extra in f16.
const BINDINGS: &[Access] = &[
    Access::Read,
    Access::Read,
    Access::Read,
    Access::Read,
    Access::Write,
    Access::Write,
    Access::Write,
    Access::Read,
];

macro_rules! kernel {
    ($head:literal, $name:expr, $entry:literal, [$($file:literal),+], $a:literal, $b:literal, $c:literal) => {
        Kernel {
            name: $name,
            entry: $entry,
            source: concat!(
                $head,
                include_str!("../../../../../shaders/common.wgsl"),
                include_str!("../../../../../shaders/pick.wgsl"),
                include_str!("../../../../../shaders/activation_fused.wgsl"),
                include_str!("../../../../../shaders/half.wgsl"),
                include_str!("../../../../../shaders/gemm.wgsl"),
                include_str!(concat!("../../../../../shaders/gemm_", $a, ".wgsl")),
                include_str!(concat!("../../../../../shaders/gemm_", $b, ".wgsl")),
                include_str!(concat!("../../../../../shaders/gemm_", $c, ".wgsl")),
                $(include_str!(concat!("../../../../../shaders/", $file, ".wgsl")),)+
            ),
            bindings: BINDINGS,
        }
    };
}

macro_rules! forms {
    ($head:literal, $entry:literal, $files:tt, $a:tt, $b:tt) => {
        forms!(@a $head, $entry, $files, $b, $a)
    };
    (@a $head:literal, $entry:literal, $files:tt, $b:tt, [$($a:literal),+]) => {
        [$(forms!(@b $head, $entry, $files, $a, $b)),+]
    };
    (@b $head:literal, $entry:literal, $files:tt, $a:literal, [$($b:literal),+]) => {
        [$([
            kernel!($head, concat!($entry, "_", $a, "_", $b), $entry, $files, $a, $b, "c"),
            kernel!($head, concat!($entry, "_", $a, "_", $b, "_c4"), $entry, $files, $a, $b, "c4"),
        ]),+]
    };
}

/// A kernel by how A, B and C lie: A and B as single words, in fours, or in fours of f16; C as single
/// words or in fours.
pub(super) type Forms = [[[Kernel; 2]; 3]; 3];

pub(super) static TILED: Forms =
    forms!("", "gemm_tiled", ["gemm_tiled"], ["a", "a4", "a_half"], ["b", "b4", "b_half"]);

pub(super) static SHUFFLE: Forms = forms!(
    "",
    "gemm_shuffle",
    ["long", "gemm_shuffle"],
    ["a", "a_long", "a_half"],
    ["b", "b_long", "b_half"]
);

/// What adds up the parts of a product that is split along k, by how C lies.
pub(super) static FINISH: [Kernel; 2] = [
    kernel!("", "gemm_finish", "gemm_finish", ["gemm_finish"], "a", "b", "c"),
    kernel!("", "gemm_finish4", "gemm_finish4", ["gemm_finish4"], "a4", "b", "c4"),
];
