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

/// Matrices that subgroups multiply, of 8 x 8 and of 16 x 16.
macro_rules! cooperative {
    ($name:literal, $sizes:literal) => {
        forms!(
            "enable f16;\nenable wgpu_cooperative_matrix;\nalias Staged = vec4<f16>;\n",
            $name,
            "gemm_coop",
            [$sizes, "gemm_coop"],
            ["a", "a4", "a_f16"],
            ["b", "b4", "b_f16"]
        )
    };
}

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
    ($head:literal, $name:literal, $entry:literal, $files:tt, $a:tt, $b:tt) => {
        forms!(@a $head, $name, $entry, $files, $b, $a)
    };
    (@a $head:literal, $name:literal, $entry:literal, $files:tt, $b:tt, [$($a:literal),+]) => {
        [$(forms!(@b $head, $name, $entry, $files, $a, $b)),+]
    };
    (@b $head:literal, $name:literal, $entry:literal, $files:tt, $a:literal, [$($b:literal),+]) => {
        [$([
            kernel!($head, concat!($name, "_", $a, "_", $b), $entry, $files, $a, $b, "c"),
            kernel!($head, concat!($name, "_", $a, "_", $b, "_c4"), $entry, $files, $a, $b, "c4"),
        ]),+]
    };
}

/// A kernel by how A, B and C lie: A and B as single words, in fours, or in fours of f16; C as single
/// words or in fours.
pub(super) type Forms = [[[Kernel; 2]; 3]; 3];

pub(super) static TILED: Forms = forms!(
    "alias Staged = vec4<f32>;\n",
    "gemm_tiled",
    "gemm_tiled",
    ["gemm_tiled"],
    ["a", "a4", "a_half"],
    ["b", "b4", "b_half"]
);

pub(super) static SHUFFLE: Forms = forms!(
    "alias Staged = vec4<f32>;\n",
    "gemm_shuffle",
    "gemm_shuffle",
    ["long", "gemm_shuffle"],
    ["a", "a_long", "a_half"],
    ["b", "b_long", "b_half"]
);

pub(super) static COOPERATIVE8: Forms = cooperative!("gemm_coop8", "gemm_coop8");
pub(super) static COOPERATIVE16: Forms = cooperative!("gemm_coop16", "gemm_coop16");

/// What adds up the parts of a product that is split along k, by how C lies.
pub(super) static FINISH: [Kernel; 2] = [
    kernel!(
        "alias Staged = vec4<f32>;\n",
        "gemm_finish",
        "gemm_finish",
        ["gemm_finish"],
        "a",
        "b",
        "c"
    ),
    kernel!(
        "alias Staged = vec4<f32>;\n",
        "gemm_finish4",
        "gemm_finish4",
        ["gemm_finish4"],
        "a4",
        "b",
        "c4"
    ),
];
