//! Matrix products: matmul, dense, backward and gradient are one family of kernels.

mod forms;
mod rounded;
mod tiling;

use self::forms::FINISH;
use self::rounded::{Kept, Scales};
#[cfg(test)]
pub(in crate::device::gpu) use self::tiling::TileShape;
use self::tiling::Tiling;
use super::{
    Constants, Dispatch, Halves, Kernel, Picked, Slot, THREADS, Target, grid, offset, picked, word,
};
use crate::device::Precision;
use crate::error::Result;
use crate::op::{Op, Pick, Rows, View};

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
    kept: Kept,
}

/// The constants of the epilogue, by the names of `shaders/gemm.wgsl`.
#[derive(Default)]
struct Epilogue {
    accumulate: bool,
    bias: bool,
    activation: u32,
    derivative: u32,
}

pub(super) fn lower(op: &Op, target: Target, halves: &Halves) -> Result<Vec<Dispatch>> {
    let mut product = product(op);
    if let Precision::Mixed { loss_scale } = target.precision {
        let scales = Scales::of(op, loss_scale);
        product.kept = product.kept(scales, halves);
        product.half = Some(scales);
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
            kept: Kept::default(),
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
            kept: Kept::default(),
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
            kept: Kept::default(),
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
            kept: Kept::default(),
        },
        _ => unreachable!("{} is not a product", op.name()),
    }
}

impl Product {
    /// What of it is kept in f16.
    fn kept(&self, scales: Scales, halves: &Halves) -> Kept {
        let alone = |view: View| halves.get(view.buffer).filter(|half| half.alone);
        let whole = (self.a.pick == Pick::All).then_some(self.a.source);
        Kept {
            a: whole.and_then(|view| halves.operand(view, scales.a)),
            b: halves.operand(self.b, scales.b),
            extra: self.extra.and_then(alone).map(|half| half.buffer),
            c: halves.get(self.c.buffer),
        }
    }

    fn dispatches(&self, tiling: Tiling) -> Vec<Dispatch> {
        let split = tiling.splits > 1;
        let scratch = if split { tiling.splits * self.m * self.n } else { 0 };
        let (forms, constants) = tiling.shape.forms();
        let [a, b, c] = self.form();
        let mut tiled = self.dispatch(&forms[a][b][c], tiling, split);
        tiled.constants.extend(constants);
        tiled.constants.extend(self.half.into_iter().flat_map(Scales::constants));
        tiled.groups = grid(tiling.shape.tiles(self.m, self.n) * tiling.splits);
        tiled.work = 2 * (self.m as u64) * (self.n as u64) * (self.k as u64);
        tiled.scratch = scratch;
        if !split {
            return vec![tiled];
        }
        tiled.slots[4] = Slot::Scratch;
        tiled.slots[5..].fill(Slot::Unused);
        let mut finish = self.dispatch(&FINISH[c], tiling, false);
        finish.slots[0] = Slot::Scratch;
        finish.slots[1] = Slot::Unused;
        finish.constants.push(("THREADS", word(THREADS)));
        finish.groups = grid((self.m * self.n).div_ceil(if c == 1 { 4 } else { 1 } * THREADS));
        finish.work = scratch as u64;
        finish.scratch = scratch;
        vec![tiled, finish]
    }

    /// Which of the forms of a kernel fits, by how A, B and C lie.
    fn form(&self) -> [usize; 3] {
        let rows = |view: View| view.shape.cols.is_multiple_of(4);
        let starts = |view: View| view.offset.is_multiple_of(4);
        let operand = |view: View, half: Option<usize>| match half {
            Some(_) => 2,
            None => usize::from(rows(view) && starts(view)),
        };
        let mut stored = [Some(self.c), self.extra, self.pre, self.sums].into_iter().flatten();
        let c = usize::from(rows(self.c) && stored.all(starts));
        [operand(self.a.source, self.kept.a), operand(self.b, self.kept.b), c]
    }

    /// A dispatch of a kernel of the family, without its grid.
    fn dispatch(&self, kernel: &'static Kernel, tiling: Tiling, split: bool) -> Dispatch {
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
            slots: self.slots(order),
            groups: [1; 3],
            scratch: 0,
            work: 0,
        }
    }

    /// The bindings of `forms`.
    fn slots(&self, order: Slot) -> Vec<Slot> {
        let buffer = |buffer: Option<usize>| buffer.map_or(Slot::Unused, Slot::Buffer);
        let words = |view: Option<View>| buffer(view.map(|view| view.buffer));
        let Kept { a, b, extra, c } = self.kept;
        let c_words = c.is_none_or(|half| !half.alone).then_some(self.c);
        vec![
            Slot::Buffer(a.unwrap_or(self.a.source.buffer)),
            Slot::Buffer(b.unwrap_or(self.b.buffer)),
            order,
            words(self.extra.filter(|_| extra.is_none())),
            words(c_words),
            words(self.pre),
            buffer(c.map(|half| half.buffer)),
            buffer(extra),
        ]
    }

    fn constants(&self, pick: u32, split: bool) -> Constants {
        let mut constants = self.kept.constants();
        constants.extend([
            ("PICK", pick),
            ("TRANSPOSE_A", u32::from(self.transpose_a)),
            ("TRANSPOSE_B", u32::from(self.transpose_b)),
            ("ACCUMULATE", u32::from(self.epilogue.accumulate)),
            ("BIAS", u32::from(self.epilogue.bias)),
            ("ACTIVATION", self.epilogue.activation),
            ("DERIVATIVE", self.epilogue.derivative),
            ("PRE", u32::from(self.pre.is_some())),
            ("SPLIT", u32::from(split)),
        ]);
        constants
    }
}
