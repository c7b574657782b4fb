//! Matrix products: matmul, dense, backward and gradient are one family of kernels.

use super::{
    Access, Constants, Dispatch, Kernel, LOOP_LIMIT, Picked, Slot, THREADS, Target, grid, offset,
    picked, word,
};
use crate::device::Precision;
use crate::error::Result;
use crate::op::{Op, Rows, View};

const BINDINGS: &[Access] =
    &[Access::Read, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write];

macro_rules! kernel {
    ($name:expr, $entry:literal, $a:literal, $b:literal, $c:literal $(, $library:literal)?) => {
        Kernel {
            name: $name,
            entry: $entry,
            source: concat!(
                include_str!("../../../../shaders/common.wgsl"),
                include_str!("../../../../shaders/pick.wgsl"),
                include_str!("../../../../shaders/activation_fused.wgsl"),
                $(include_str!(concat!("../../../../shaders/", $library, ".wgsl")),)?
                include_str!("../../../../shaders/half.wgsl"),
                include_str!("../../../../shaders/gemm.wgsl"),
                include_str!(concat!("../../../../shaders/gemm_", $a, ".wgsl")),
                include_str!(concat!("../../../../shaders/gemm_", $b, ".wgsl")),
                include_str!(concat!("../../../../shaders/gemm_", $c, ".wgsl")),
                include_str!(concat!("../../../../shaders/", $entry, ".wgsl")),
            ),
            bindings: BINDINGS,
        }
    };
}

/// A kernel in eight forms: by whether A, B and C are loaded and stored in vectors of 4, bit by bit.
type Forms = [Kernel; 8];

macro_rules! forms {
    ($entry:literal, $a4:literal, $b4:literal $(, $library:literal)?) => {
        [
            kernel!($entry, $entry, "a", "b", "c"),
            kernel!(concat!($entry, "_a4"), $entry, $a4, "b", "c" $(, $library)?),
            kernel!(concat!($entry, "_b4"), $entry, "a", $b4, "c" $(, $library)?),
            kernel!(concat!($entry, "_a4b4"), $entry, $a4, $b4, "c" $(, $library)?),
            kernel!(concat!($entry, "_c4"), $entry, "a", "b", "c4"),
            kernel!(concat!($entry, "_a4c4"), $entry, $a4, "b", "c4" $(, $library)?),
            kernel!(concat!($entry, "_b4c4"), $entry, "a", $b4, "c4" $(, $library)?),
            kernel!(concat!($entry, "_a4b4c4"), $entry, $a4, $b4, "c4" $(, $library)?),
        ]
    };
}

static TILED: Forms = forms!("gemm_tiled", "a4", "b4");
static SHUFFLE: Forms = forms!("gemm_shuffle", "a_long", "b_long", "long");
static FINISH: Kernel = kernel!("gemm_finish", "gemm_finish", "a", "b", "c");

/// `struct Params` of `shaders/gemm.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    m: u32,
    n: u32,
    k: u32,
    a: u32,
    b: u32,
    c: u32,
    extra: u32,
    pre: u32,
    order: u32,
    source_rows: u32,
    a_cols: u32,
    b_cols: u32,
    ones: u32,
    bias: u32,
    per_split: u32,
    splits: u32,
}

/// A product C = A . B of any of the instructions.
struct Product {
    m: usize,
    n: usize,
    k: usize,
    a: Rows,
    transpose_a: bool,
    b: View,
    transpose_b: bool,
    c: View,
    /// The bias, or what the derivative is computed from.
    extra: Option<View>,
    pre: Option<View>,
    /// Where the column sums of B go.
    sums: Option<View>,
    epilogue: Epilogue,
    /// Whether the operands are rounded to f16, and what they are multiplied by before.
    half: Option<Scales>,
}

/// What the operands of a product are multiplied by before they are rounded.
#[derive(Debug, Clone, Copy)]
struct Scales {
    a: f32,
    b: f32,
}

impl Scales {
    /// Deltas are scaled, wherever they are.
    fn of(op: &Op, loss_scale: u32) -> Self {
        let scale = loss_scale as f32;
        match op {
            Op::Backward { .. } => Self { a: scale, b: 1.0 },
            Op::Gradient { .. } => Self { a: 1.0, b: scale },
            _ => Self { a: 1.0, b: 1.0 },
        }
    }

    fn constants(self) -> Constants {
        let Self { a, b } = self;
        let [a_bits, b_bits, c_bits] = [a, b, 1.0 / (a * b)].map(f32::to_bits);
        vec![("HALF", 1), ("A_SCALE", a_bits), ("B_SCALE", b_bits), ("C_SCALE", c_bits)]
    }
}

/// The constants of the epilogue, by the names of `shaders/gemm.wgsl`.
#[derive(Default)]
struct Epilogue {
    accumulate: bool,
    bias: bool,
    activation: u32,
    derivative: u32,
}

pub(super) fn lower(op: &Op, target: Target) -> Result<Vec<Dispatch>> {
    let mut product = product(op);
    if let Precision::Mixed { loss_scale } = target.precision {
        product.half = Some(Scales::of(op, loss_scale));
    }
    let tiling = Tiling::choose(product.m, product.n, product.k, target);
    Ok(product.dispatches(tiling))
}

/// The multiplications of the tiles of a product, with those beyond its sides, and of one thread's loop.
pub(super) fn tiles(op: &Op, target: Target) -> (usize, usize) {
    let Product { m, n, k, .. } = product(op);
    let tiling = Tiling::choose(m, n, k, target);
    let (rows, cols) = tiling.shape.size();
    (tiling.shape.tiles(m, n) * rows * cols * k, tiling.per_split.min(k))
}

fn product(op: &Op) -> Product {
    match *op {
        Op::Matmul { a, b, transpose_a, transpose_b, output } => Product {
            m: output.shape.rows,
            n: output.shape.cols,
            k: if transpose_a { a.shape.rows } else { a.shape.cols },
            a: Rows::all(a),
            transpose_a,
            b,
            transpose_b,
            c: output,
            extra: None,
            pre: None,
            sums: None,
            epilogue: Epilogue::default(),
            half: None,
        },
        Op::Dense { input, weight, bias, activation, pre, output } => Product {
            m: input.count,
            n: weight.shape.cols,
            k: weight.shape.rows,
            a: input,
            transpose_a: false,
            b: weight,
            transpose_b: false,
            c: output,
            extra: bias,
            pre,
            sums: None,
            epilogue: Epilogue {
                bias: bias.is_some(),
                activation: activation.code(),
                ..Epilogue::default()
            },
            half: None,
        },
        Op::Backward { delta, weight, activation, cached, output } => Product {
            m: delta.shape.rows,
            n: weight.shape.rows,
            k: weight.shape.cols,
            a: Rows::all(delta),
            transpose_a: false,
            b: weight,
            transpose_b: true,
            c: output,
            extra: cached,
            pre: None,
            sums: None,
            epilogue: Epilogue { derivative: activation.code(), ..Epilogue::default() },
            half: None,
        },
        Op::Gradient { accumulate, input, delta, weight, bias } => Product {
            // The row of ones whose products are the bias' gradient.
            m: weight.shape.rows + usize::from(bias.is_some()),
            n: weight.shape.cols,
            k: input.count,
            a: input,
            transpose_a: true,
            b: delta,
            transpose_b: false,
            c: weight,
            extra: None,
            pre: None,
            sums: bias,
            epilogue: Epilogue { accumulate, ..Epilogue::default() },
            half: None,
        },
        _ => unreachable!("{} is not a product", op.name()),
    }
}

impl Product {
    fn dispatches(&self, tiling: Tiling) -> Vec<Dispatch> {
        let split = tiling.splits > 1;
        let scratch = if split { tiling.splits * self.m * self.n } else { 0 };
        let (forms, constants) = tiling.shape.forms();
        let mut tiled = self.dispatch(&forms[self.form()], tiling, split);
        tiled.constants.extend(constants);
        tiled.constants.extend(self.half.into_iter().flat_map(Scales::constants));
        tiled.groups = grid(tiling.shape.tiles(self.m, self.n) * tiling.splits);
        tiled.work = 2 * (self.m as u64) * (self.n as u64) * (self.k as u64);
        tiled.scratch = scratch;
        if !split {
            return vec![tiled];
        }
        tiled.slots[4] = Slot::Scratch;
        tiled.slots[5] = Slot::Unused;
        let mut finish = self.dispatch(&FINISH, tiling, false);
        finish.slots[0] = Slot::Scratch;
        finish.constants.push(("THREADS", word(THREADS)));
        finish.groups = grid((self.m * self.n).div_ceil(THREADS));
        finish.work = scratch as u64;
        finish.scratch = scratch;
        vec![tiled, finish]
    }

    /// Which of the forms of a kernel fits: the one with vectors for all that lies in fours.
    fn form(&self) -> usize {
        let rows = |view: View| view.shape.cols.is_multiple_of(4);
        let starts = |view: View| view.offset.is_multiple_of(4);
        let (a, b) = (self.a.source, self.b);
        let mut stored = [Some(self.c), self.extra, self.pre, self.sums].into_iter().flatten();
        let fits = [rows(a) && starts(a), rows(b) && starts(b), rows(self.c) && stored.all(starts)];
        fits.into_iter().zip([1, 2, 4]).map(|(fits, bit)| usize::from(fits) * bit).sum()
    }

    /// A dispatch of a kernel of the family, without its grid.
    fn dispatch(&self, kernel: &'static Kernel, tiling: Tiling, split: bool) -> Dispatch {
        let slot = |view: Option<View>| view.map_or(Slot::Unused, |view| Slot::Buffer(view.buffer));
        let Picked { code, order, offset: order_offset } = picked(self.a);
        let params = Params {
            m: word(self.m),
            n: word(self.n),
            k: word(self.k),
            a: word(self.a.source.offset),
            b: word(self.b.offset),
            c: word(self.c.offset),
            extra: offset(self.extra),
            pre: offset(self.pre),
            order: order_offset,
            source_rows: word(self.a.source.shape.rows),
            a_cols: word(self.a.source.shape.cols),
            b_cols: word(self.b.shape.cols),
            ones: if self.sums.is_some() { word(self.m - 1) } else { u32::MAX },
            bias: offset(self.sums),
            per_split: word(tiling.per_split),
            splits: word(tiling.splits),
        };
        Dispatch {
            kernel,
            constants: self.constants(code, split),
            params: bytemuck::cast_slice(&[params]).to_vec(),
            slots: vec![
                Slot::Buffer(self.a.source.buffer),
                Slot::Buffer(self.b.buffer),
                order,
                slot(self.extra),
                Slot::Buffer(self.c.buffer),
                slot(self.pre),
            ],
            groups: [1; 3],
            scratch: 0,
            work: 0,
        }
    }

    fn constants(&self, pick: u32, split: bool) -> Constants {
        vec![
            ("PICK", pick),
            ("TRANSPOSE_A", u32::from(self.transpose_a)),
            ("TRANSPOSE_B", u32::from(self.transpose_b)),
            ("ACCUMULATE", u32::from(self.epilogue.accumulate)),
            ("BIAS", u32::from(self.epilogue.bias)),
            ("ACTIVATION", self.epilogue.activation),
            ("DERIVATIVE", self.epilogue.derivative),
            ("PRE", u32::from(self.pre.is_some())),
            ("SPLIT", u32::from(split)),
        ]
    }
}

/// How a product is cut into workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tiling {
    shape: TileShape,
    /// Into how many parts k is cut, and how long they are.
    splits: usize,
    per_split: usize,
}

/// What one workgroup computes, and by which kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TileShape {
    /// `gemm_tiled`: `side` x `side` threads, each with `blocks` x `blocks` blocks of 4 x 4.
    Tiled { side: usize, blocks: usize },
    /// `gemm_shuffle`: one subgroup, with `rows` rows of `quads` quads of elements a thread.
    Shuffle { rows: usize, quads: usize },
}

impl TileShape {
    fn choose(m: usize, n: usize, k: usize, target: Target) -> Self {
        if target.software && target.long_words && target.subgroup == Some(SHUFFLE_LANES) {
            return Self::shuffle(m, n, k);
        }
        let fits = |&(side, blocks): &(usize, usize)| {
            let words = 2 * side * (side * blocks + 1) * 4;
            side * side <= target.max_threads as usize && words <= target.max_workgroup_words
        };
        let fills = |&(side, blocks): &(usize, usize)| {
            let shape = Self::Tiled { side, blocks };
            m.min(n) >= 2 * side && shape.tiles(m, n) >= ENOUGH_GROUPS / 2
        };
        let sizes = [(16, 2), (16, 1)].into_iter();
        let (side, blocks) = sizes.filter(fits).find(fills).unwrap_or((8, 1));
        Self::Tiled { side, blocks }
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
    fn size(self) -> (usize, usize) {
        match self {
            Self::Tiled { side, blocks } => (4 * side * blocks, 4 * side * blocks),
            Self::Shuffle { rows, quads } => (rows, 4 * quads * SHUFFLE_LANES),
        }
    }

    fn tiles(self, m: usize, n: usize) -> usize {
        let (rows, cols) = self.size();
        m.div_ceil(rows) * n.div_ceil(cols)
    }

    fn forms(self) -> (&'static Forms, Constants) {
        match self {
            Self::Tiled { side, blocks } => {
                (&TILED, vec![("SIDE", word(side)), ("BLOCKS", word(blocks))])
            }
            Self::Shuffle { rows, quads } => {
                (&SHUFFLE, vec![("ROWS", word(rows)), ("QUADS", word(quads))])
            }
        }
    }
}

/// The threads of a subgroup that `gemm_shuffle` is written for.
const SHUFFLE_LANES: usize = 8;

/// Multiplications from which on a larger tile pays for its compilation.
const LARGE_PRODUCT: usize = 4_000_000;

/// Workgroups that keep a large GPU busy.
const ENOUGH_GROUPS: usize = 128;

/// A split shorter than this costs more than it gains.
const SHORTEST_SPLIT: usize = 128;

impl Tiling {
    fn choose(m: usize, n: usize, k: usize, target: Target) -> Self {
        let shape = TileShape::choose(m, n, k, target);
        // Processors have few cores, and splits end up in memory.
        let (groups, shortest) =
            if target.software { (2, 1_024) } else { (ENOUGH_GROUPS, SHORTEST_SPLIT) };
        let useful = (groups / shape.tiles(m, n).max(1)).min(k / shortest);
        let needed = k.div_ceil(LOOP_LIMIT);
        // A multiple of every tile's depth.
        let per_split = k.div_ceil(useful.max(needed).max(1)).next_multiple_of(16);
        Self { shape, splits: k.div_ceil(per_split), per_split }
    }
}
