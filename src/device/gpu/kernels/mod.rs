//! What an instruction becomes on a GPU: a list of dispatches, as data.
//!
//! A kernel is its WGSL text and the layout of its bindings; lowering an [`Op`] chooses kernels,
//! constants, parameters, buffers and grids. Nothing here touches a device, so that all of it can be
//! tested without one.
//!
//! llvmpipe ends an invocation's loops, silently, after 65,535 iterations of all of them together,
//! so no kernel loops longer than [`LOOP_LIMIT`] times: longer work is split over workgroups.

mod adjust;
mod elementwise;
mod gemm;
mod halves;
mod histogram;
mod loss;
mod mismatch;
mod narrow;
mod random;
mod reduce;
mod rows;
mod softmax;
mod transpose;
mod unfused;
mod update;

#[cfg(test)]
pub(super) use gemm::TileShape;
pub(super) use halves::Halves;

use crate::device::Precision;
use crate::error::{Error, Result};
pub(super) use crate::op::Access;
use crate::op::{Op, Pick, Rows, View};

/// A kernel. The name is its label, and that of its entry point unless several share one.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) name: &'static str,
    pub(super) entry: &'static str,
    pub(super) source: &'static str,
    /// The storage buffers, from binding 1 on; binding 0 are the parameters.
    pub(super) bindings: &'static [Access],
}

/// The values of a kernel's `override` constants.
pub(super) type Constants = Vec<(&'static str, u32)>;

/// What is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A buffer of the instruction.
    Buffer(usize),
    /// Memory for partial results.
    Scratch,
    /// Nothing that the kernel would touch.
    Unused,
}

/// One dispatch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dispatch {
    pub(super) kernel: &'static Kernel,
    pub(super) constants: Constants,
    /// The uniform of binding 0.
    pub(super) params: Vec<u32>,
    /// The storage buffers, one for each of the kernel's bindings.
    pub(super) slots: Vec<Slot>,
    /// The workgroups.
    pub(super) groups: [u32; 3],
    /// The words of scratch memory that it touches.
    pub(super) scratch: usize,
    /// About how many floating-point operations it takes; decides what is submitted together.
    pub(super) work: u64,
}

impl Dispatch {
    /// The buffers that it reads and writes, by number.
    pub(super) fn touched(&self) -> impl Iterator<Item = (usize, Access)> {
        let bindings = self.slots.iter().zip(self.kernel.bindings);
        bindings.filter_map(|(slot, &access)| match slot {
            Slot::Buffer(index) => Some((*index, access)),
            _ => None,
        })
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What lowering needs to know of an adapter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// Whether it computes on the processor: few threads, no memory of its own for workgroups.
    pub(super) software: bool,
    /// The threads of a subgroup, if all have the same and shaders may use them.
    pub(super) subgroup: Option<usize>,
    /// The rows and columns of the matrices of f16 that a subgroup multiplies into f32, if it does.
    pub(super) cooperative: Option<usize>,
    /// Whether shaders may use integers of 64 bits.
    pub(super) long_words: bool,
    /// The threads of a workgroup.
    pub(super) max_threads: u32,
    /// The words of memory that a workgroup shares.
    pub(super) max_workgroup_words: usize,
    /// The storage buffers that a kernel can have.
    pub(super) max_buffers: usize,
    /// Of the products.
    pub(super) precision: Precision,
    /// How products are cut, whatever would be chosen.
    #[cfg(test)]
    pub(super) shape: Option<TileShape>,
}

/// The most iterations that one invocation's loops may have together.
pub(super) const LOOP_LIMIT: usize = 32_768;

/// The most workgroups along a dimension.
const MAX_GROUPS: usize = 65_535;

/// The threads of a workgroup in elementwise kernels.
const THREADS: usize = 64;

/// The dispatches that execute an instruction over buffers of which some are kept in f16.
pub(super) fn lower(op: &Op, target: Target, halves: &Halves) -> Result<Vec<Dispatch>> {
    let mut list = instruction(op, target, halves)?;
    list.extend(halves.after(op));
    Ok(list)
}

/// The dispatches of the instruction alone.
fn instruction(op: &Op, target: Target, halves: &Halves) -> Result<Vec<Dispatch>> {
    if let Some(list) = unfused::dispatches(op, target, halves)? {
        return Ok(list);
    }
    match *op {
        Op::Fill { .. }
        | Op::Binary { .. }
        | Op::Scalar { .. }
        | Op::Activate { .. }
        | Op::Differentiate { .. } => Ok(vec![elementwise::lower(op)]),
        Op::Matmul { .. } | Op::Dense { .. } | Op::Backward { .. } | Op::Gradient { .. } => {
            gemm::lower(op, target, halves)
        }
        Op::Softmax { logarithm, input, output } => {
            softmax::lower(op, logarithm, input, output, target).map(|dispatch| vec![dispatch])
        }
        Op::Reduce { reduction, axis, input, output } => {
            Ok(reduce::lower(reduction, axis, input, output, target))
        }
        Op::Record { scale, row_losses, losses } => {
            Ok(reduce::record(scale, row_losses, losses, target))
        }
        Op::Transpose { input, output } => Ok(vec![transpose::lower(input, output)]),
        Op::Gather { rows, first, output } => Ok(vec![rows::gather(rows, first, output)]),
        Op::Scatter { input, output } => Ok(vec![rows::scatter(input, output)]),
        Op::Keep { input, output } => Ok(vec![rows::keep(input, output)]),
        Op::Mismatch { a, b, relative, absolute, output } => {
            Ok(mismatch::lower(a, b, relative, absolute, output))
        }
        Op::Histogram { input, bounds, output } => Ok(histogram::lower(input, bounds, output)),
        Op::Dropout { rate, key, input, output } => {
            Ok(vec![random::dropout(rate, key, input, output)])
        }
        Op::Noise { deviation, key, values } => Ok(vec![random::noise(deviation, key, values)]),
        Op::Penalize { .. } | Op::Clip { .. } | Op::LimitNorm { .. } | Op::Average { .. } => {
            Ok(vec![adjust::lower(op)])
        }
        Op::Weigh { weights, mean, output } => Ok(loss::weigh(weights, mean, output)),
        Op::Loss { .. } => loss::lower(op, target).map(|dispatch| vec![dispatch]),
        Op::Update { .. } | Op::Direction { .. } | Op::TrustStep { .. } => {
            Ok(update::lower(op, halves))
        }
    }
}

/// What the tiles of a matrix product multiply, and how often a thread of them loops; none for any other
/// instruction.
pub(super) fn tiles(op: &Op, target: Target) -> Option<(usize, usize)> {
    match op {
        Op::Matmul { .. } | Op::Dense { .. } | Op::Backward { .. } | Op::Gradient { .. } => {
            Some(gemm::tiles(op, target))
        }
        _ => None,
    }
}

/// A grid of `total` workgroups, folded to two dimensions where one is too short; kernels number
/// the workgroups row by row and let those beyond the total do nothing.
pub(super) fn grid(total: usize) -> [u32; 3] {
    let rows = total.div_ceil(MAX_GROUPS).max(1);
    [word(total.div_ceil(rows)), word(rows), 1]
}

/// A number as WGSL's u32. Buffers have fewer than 2^32 words: wgpu's limits end at 2^31 bytes.
pub(super) fn word(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What WGSL needs to find a minibatch's rows.
pub(super) struct Picked {
    /// The constant `PICK` of `shaders/pick.wgsl`.
    pub(super) code: u32,
    /// The buffer that holds the order.
    pub(super) order: Slot,
    /// Where the order begins in it.
    pub(super) offset: u32,
}

pub(super) fn picked(rows: Rows) -> Picked {
    match rows.pick {
        Pick::All => Picked { code: 0, order: Slot::Unused, offset: 0 },
        Pick::Range => Picked { code: 1, order: Slot::Unused, offset: 0 },
        Pick::Order(order) => {
            Picked { code: 2, order: Slot::Buffer(order.buffer), offset: word(order.offset) }
        }
    }
}

/// The offset of a view that may not be there.
fn offset(view: Option<View>) -> u32 {
    view.map_or(0, |view| word(view.offset))
}

/// The lanes that work together on a row of `cols` elements: powers of two.
fn lanes(cols: usize, target: Target) -> usize {
    let most = if target.software { 256.min(cols / 64) } else { 256.min(cols / 2) };
    let most = most.min(target.max_threads as usize).max(1);
    1 << most.ilog2()
}

/// Refuses rows whose loops would be cut short.
fn check_row(op: &Op, cols: usize, passes: usize, target: Target) -> Result<()> {
    let limit = lanes(cols, target) * LOOP_LIMIT / passes;
    if cols <= limit {
        return Ok(());
    }
    Err(Error::Program {
        op: op.name(),
        reason: format!("rows of {cols} elements are longer than the {limit} that a GPU takes"),
    })
}
