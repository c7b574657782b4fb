//! The innermost loop: two by two tiles of C, or fewer at the edges, over a block of k.

use std::arch::asm;

/// What a call computes: `C (+)= A.B` over `chunks` times 32 steps of k.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles {
    /// Packed tiles of A: for each chunk three pieces of one or two tiles.
    pub(super) a: *const u32,
    /// Packed tiles of B, likewise.
    pub(super) b: *const u32,
    pub(super) chunks: usize,
    pub(super) c: *mut f32,
    /// Floats from a row of C to the next.
    pub(super) c_step: usize,
    /// Whether to add to C; else C is not read.
    pub(super) accumulate: bool,
}

/// The loop for a fixed number of tiles of A and B.
///
/// # Safety
/// The unit is configured, there is at least one chunk, the packed tiles can be read, and C, as whole
/// tiles, written and read.
pub(super) type TileFn = unsafe fn(&Tiles);

/// By tiles of A - 1 and tiles of B - 1.
pub(super) static TILES: [[TileFn; 2]; 2] = [[tile_1x1, tile_1x2], [tile_2x1, tile_2x2]];

/// One multiplication of tiles, and the lines of the next chunk that are asked for meanwhile: those
/// of the packed tiles, which come from the L2 cache. Where the processor spares power,
/// multiplications that follow each other without other instructions in between take half as long
/// again, as measured on a Sapphire Rapids.
macro_rules! multiply {
    ($group:literal, $c:literal, $a:literal, $b:literal, $a_ahead:literal, $b_ahead:literal) => {
        concat!(
            "tdpbf16ps tmm",
            $c,
            ", tmm",
            $a,
            ", tmm",
            $b,
            "\n",
            ".irp line, 0, 64, 128, 192\n",
            "prefetcht0 [{a} + {a_chunk} + {a_chunk} / 6 * ",
            $group,
            " + ",
            $a_ahead,
            " + \\line]\n",
            "prefetcht0 [{b} + {b_chunk} + {b_chunk} / 6 * ",
            $group,
            " + ",
            $b_ahead,
            " + \\line]\n",
            ".endr"
        )
    };
}

/// Loads the tiles of an operand's piece.
macro_rules! load {
    ($operand:literal, $tile:literal, $place:literal) => {
        concat!("tileloadd tmm", $tile, ", [{", $operand, "} + {line}*1 + ", $place, "]")
    };
}

/// Makes a [`TileFn`]. Registers 0 to 3 hold C, 4 and 5 tiles of A, 6 and 7 of B. An operand is the
/// bytes of a chunk and a list of its registers with the places of their three pieces; C is a list
/// of its registers with the operands', the place in memory, and which lines to ask for.
macro_rules! tiles {
    (
        $name:ident,
        a: $a_chunk:literal, [$(($a:literal: $a1:literal, $a2:literal, $a3:literal)),*],
        b: $b_chunk:literal, [$(($b:literal: $b1:literal, $b2:literal, $b3:literal)),*],
        c: [$($rows:ident: $below:literal),*],
        [$(($c:literal = $ca:literal, $cb:literal; $row:ident, $place:literal; $pa:literal, $pb:literal)),*]
    ) => {
        unsafe fn $name(t: &Tiles) {
            // SAFETY: the contract of `TileFn` is the caller's; the registers that hold tiles are
            // named as lost, and a prefetch accesses nothing.
            unsafe {
                asm!(
                    "test {accumulate:e}, {accumulate:e}",
                    "jz 2f",
                    $(concat!("tileloadd tmm", $c, ", [{", stringify!($row), "} + {c_step}*1 + ", $place, "]"),)*
                    "jmp 3f",
                    "2:",
                    $(concat!("tilezero tmm", $c),)*
                    "3:",
                    // The small products first, so that they round little. Third of A, first of B.
                    $(load!("a", $a, $a3),)*
                    $(load!("b", $b, $b1),)*
                    $(multiply!(0, $c, $ca, $cb, $pa, $pb),)*
                    // Second of A, first of B.
                    $(load!("a", $a, $a2),)*
                    $(multiply!(1, $c, $ca, $cb, $pa, $pb),)*
                    // Second of both.
                    $(load!("b", $b, $b2),)*
                    $(multiply!(2, $c, $ca, $cb, $pa, $pb),)*
                    // First of A, second of B.
                    $(load!("a", $a, $a1),)*
                    $(multiply!(3, $c, $ca, $cb, $pa, $pb),)*
                    // First of A, third of B.
                    $(load!("b", $b, $b3),)*
                    $(multiply!(4, $c, $ca, $cb, $pa, $pb),)*
                    // First of both.
                    $(load!("b", $b, $b1),)*
                    $(multiply!(5, $c, $ca, $cb, $pa, $pb),)*
                    // Two rows of C below, which are likely to be next.
                    "prefetcht0 [{next}]",
                    "prefetcht0 [{next} + 64]",
                    "prefetcht0 [{next} + {c_step}]",
                    "prefetcht0 [{next} + {c_step} + 64]",
                    "lea {next}, [{next} + 2*{c_step}]",
                    "add {a}, {a_chunk}",
                    "add {b}, {b_chunk}",
                    "dec {chunks}",
                    "jnz 3b",
                    $(concat!("tilestored [{", stringify!($row), "} + {c_step}*1 + ", $place, "], tmm", $c),)*
                    a = inout(reg) t.a => _,
                    b = inout(reg) t.b => _,
                    chunks = inout(reg) t.chunks => _,
                    next = inout(reg) t.c.wrapping_add(2 * super::TILE * t.c_step) => _,
                    line = in(reg) 64_usize,
                    $($rows = in(reg) t.c.wrapping_add($below * super::TILE * t.c_step),)*
                    c_step = in(reg) t.c_step * size_of::<f32>(),
                    accumulate = in(reg) u32::from(t.accumulate),
                    a_chunk = const $a_chunk,
                    b_chunk = const $b_chunk,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack)
                );
            }
        }
    };
}

tiles!(
    tile_1x1,
    a: 3072, [(4: 0, 1024, 2048)],
    b: 3072, [(6: 0, 1024, 2048)],
    c: [c0: 0], [(0 = 4, 6; c0, 0; 0, 0)]
);
tiles!(
    tile_1x2,
    a: 3072, [(4: 0, 1024, 2048)],
    b: 6144, [(6: 0, 2048, 4096), (7: 1024, 3072, 5120)],
    c: [c0: 0], [(0 = 4, 6; c0, 0; 0, 0), (1 = 4, 7; c0, 64; 256, 256)]
);
tiles!(
    tile_2x1,
    a: 6144, [(4: 0, 2048, 4096), (5: 1024, 3072, 5120)],
    b: 3072, [(6: 0, 1024, 2048)],
    c: [c0: 0, c1: 1], [(0 = 4, 6; c0, 0; 0, 0), (2 = 5, 6; c1, 0; 256, 256)]
);
tiles!(
    tile_2x2,
    a: 6144, [(4: 0, 2048, 4096), (5: 1024, 3072, 5120)],
    b: 6144, [(6: 0, 2048, 4096), (7: 1024, 3072, 5120)],
    c: [c0: 0, c1: 1], [
        (0 = 4, 6; c0, 0; 0, 0), (1 = 4, 7; c0, 64; 256, 256),
        (2 = 5, 6; c1, 0; 512, 512), (3 = 5, 7; c1, 64; 768, 768)
    ]
);
