//! Histograms: each workgroup counts its part in memory of its own, then the parts are added up.

use super::{Access, Dispatch, Kernel, Slot, grid, word};
use crate::op::View;

static HISTOGRAM: Kernel = Kernel {
    name: "histogram",
    entry: "histogram",
    source: concat!(
        include_str!("../../../../shaders/common.wgsl"),
        include_str!("../../../../shaders/histogram.wgsl"),
    ),
    bindings: &[Access::Read, Access::Read, Access::Write],
};

static TOTAL: Kernel = Kernel {
    name: "histogram_total",
    entry: "histogram_total",
    source: include_str!("../../../../shaders/histogram_total.wgsl"),
    bindings: &[Access::Read, Access::Write],
};

const THREADS: usize = 256;

/// The least elements that a workgroup counts.
const PER_GROUP: usize = 4_096;

/// The most workgroups: so many counts a bin are added up by one thread.
const MAX_PARTS: usize = 512;

/// `struct Params` of `shaders/histogram.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    per_group: u32,
    input: u32,
    bounds: u32,
}

pub(super) fn lower(input: View, bounds: View, output: View) -> Vec<Dispatch> {
    let (count, bins) = (input.shape.len(), output.shape.cols);
    let per_group = count.div_ceil(MAX_PARTS).max(PER_GROUP);
    let parts = count.div_ceil(per_group);
    let params = Params {
        count: word(count),
        per_group: word(per_group),
        input: word(input.offset),
        bounds: word(bounds.offset),
    };
    let counts = Dispatch {
        kernel: &HISTOGRAM,
        constants: vec![
            ("THREADS", word(THREADS)),
            ("BINS", word(bins)),
            ("SMALLEST_NORMAL", f32::MIN_POSITIVE.to_bits()),
        ],
        params: bytemuck::cast_slice(&[params]).to_vec(),
        slots: vec![Slot::Buffer(input.buffer), Slot::Buffer(bounds.buffer), Slot::Scratch],
        groups: grid(parts),
        scratch: parts * bins,
        work: 8 * count as u64,
    };
    let total = Dispatch {
        kernel: &TOTAL,
        constants: vec![("THREADS", word(THREADS)), ("BINS", word(bins))],
        params: vec![word(parts), word(output.offset)],
        slots: vec![Slot::Scratch, Slot::Buffer(output.buffer)],
        groups: grid(bins.div_ceil(THREADS)),
        scratch: parts * bins,
        work: (parts * bins) as u64,
    };
    vec![counts, total]
}
