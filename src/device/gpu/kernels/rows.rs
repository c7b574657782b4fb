//! Moving whole rows: gather, scatter and keep. The words are not interpreted.

use super::{Access, Dispatch, Kernel, Picked, Slot, THREADS, grid, picked, word};
use crate::op::{Rows, View};

const SOURCE: &str = concat!(
    include_str!("../../../../shaders/common.wgsl"),
    include_str!("../../../../shaders/pick.wgsl"),
    include_str!("../../../../shaders/rows.wgsl"),
);

static GATHER: Kernel = Kernel {
    name: "gather",
    entry: "gather",
    source: SOURCE,
    bindings: &[Access::Read, Access::Read, Access::Write],
};

static SCATTER: Kernel = Kernel { name: "scatter", entry: "scatter", ..GATHER };

static KEEP: Kernel = Kernel { name: "keep", entry: "keep", ..GATHER };

/// `struct Params` of `shaders/rows.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    cols: u32,
    input: u32,
    output: u32,
    order: u32,
    first: u32,
    rows: u32,
}

/// Output row i = the picked row, where the part that begins at row `first` holds it.
pub(super) fn gather(rows: Rows, first: usize, output: View) -> Dispatch {
    let Picked { code, order, offset } = picked(rows);
    let params = Params {
        count: word(output.shape.len()),
        cols: word(output.shape.cols),
        input: word(rows.source.offset),
        output: word(output.offset),
        order: offset,
        first: word(first),
        rows: word(rows.source.shape.rows),
    };
    dispatch(&GATHER, code, params, [rows.source, output], order)
}

/// Output row `first_row + i` = input row i.
pub(super) fn scatter(input: View, output: View) -> Dispatch {
    let params = Params {
        count: word(input.shape.len()),
        cols: word(input.shape.cols),
        input: word(input.offset),
        output: word(output.offset),
        order: 0,
        first: 0,
        rows: word(output.shape.rows),
    };
    dispatch(&SCATTER, 0, params, [input, output], Slot::Unused)
}

/// Output row `keep` = the input, flat.
pub(super) fn keep(input: View, output: View) -> Dispatch {
    let params = Params {
        count: word(input.shape.len()),
        cols: word(output.shape.cols),
        input: word(input.offset),
        output: word(output.offset),
        order: 0,
        first: 0,
        rows: word(output.shape.rows),
    };
    dispatch(&KEEP, 0, params, [input, output], Slot::Unused)
}

fn dispatch(
    kernel: &'static Kernel,
    pick: u32,
    params: Params,
    [input, output]: [View; 2],
    order: Slot,
) -> Dispatch {
    let count = params.count as usize;
    Dispatch {
        kernel,
        constants: vec![("PICK", pick), ("THREADS", word(THREADS))],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![Slot::Buffer(input.buffer), order, Slot::Buffer(output.buffer)],
        groups: grid(count.div_ceil(THREADS)),
        scratch: 0,
        work: count as u64,
    }
}
