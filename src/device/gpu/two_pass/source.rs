//! The WGSL of a plan: what the forms of the two-pass strategy have in common.

use super::super::fused::places::place;
use super::super::fused::plan::{Plan, PlanLayer};
use super::super::fused::wgsl::{self, function, vector};
use super::super::kernels::{Constants, grid, word};
use super::layout::{Layout, Packed};

const LAYERS: &str = include_str!("../../../../shaders/two_pass.wgsl");
const MEMORY: &str = include_str!("../../../../shaders/two_pass_memory.wgsl");
const PACK: &str = concat!(
    include_str!("../../../../shaders/common.wgsl"),
    include_str!("../../../../shaders/two_pass_pack.wgsl"),
);

/// The storage buffers before the moments: values, features, targets, order, losses, parameters.
pub(super) const BUFFERS: usize = 6;

/// One of the kernels of a step.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    /// The name of its entry point.
    pub(super) entry: &'static str,
    pub(super) threads: usize,
    /// Its workgroups along x, and along y.
    pub(super) groups: Groups,
    pub(super) slices: usize,
}

/// How many workgroups a pass takes for a minibatch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Groups {
    /// One for every so many rows.
    Rows(usize),
    /// Enough for a thread to have each of so many items a row.
    Items(usize),
    /// So many tiles for every so many rows.
    Tiles { rows: usize, tiles: usize },
    /// A fixed number.
    All(usize),
}

impl Pass {
    /// The grid for a minibatch of so many rows.
    pub(super) fn grid(&self, rows: usize) -> [u32; 3] {
        let groups = match self.groups {
            Groups::Rows(block) => rows.div_ceil(block),
            Groups::Items(items) => (rows * items).div_ceil(self.threads),
            Groups::Tiles { rows: block, tiles } => rows.div_ceil(block) * tiles,
            Groups::All(count) => return grid(count),
        };
        [word(groups), word(self.slices), 1]
    }
}

/// A plan as kernels, and what running them needs.
#[derive(Debug)]
pub(super) struct Source {
    /// The text of the passes, and of what packs and unpacks.
    pub(super) text: String,
    pub(super) pack: String,
    /// The values of the passes' `override` constants, but for the threads.
    pub(super) constants: Constants,
    pub(super) passes: Vec<Pass>,
    pub(super) layout: Layout,
}

impl Source {
    /// The source of these passes, with the text of their form.
    pub(super) fn new(plan: &Plan, layout: Layout, passes: Vec<Pass>, form: &str) -> Self {
        let layers = layers(plan, &layout);
        let text = [
            layers.as_str(),
            &sizes(&layout),
            &wgsl::formulas(plan, "vec4<f32>"),
            &wgsl::activations(plan),
            MEMORY,
            form,
        ];
        Self {
            text: text.concat(),
            pack: [layers.as_str(), &packing(&layout), PACK].concat(),
            constants: wgsl::constants(plan),
            passes,
            layout,
        }
    }

    /// How many storage buffers a pass has.
    pub(super) fn buffers(plan: &Plan) -> usize {
        BUFFERS + plan.moments.len()
    }
}

/// Whether the rows of the features begin and end at multiples of so many words.
pub(super) fn aligned(plan: &Plan, words: usize) -> bool {
    plan.layers[0].inputs.is_multiple_of(words) && plan.features.offset.is_multiple_of(words)
}

fn sizes(layout: &Layout) -> String {
    let sizes = [
        ("RECORD", layout.record),
        ("LOSS_PLACE", layout.loss()),
        ("ROWS", layout.rows),
        ("TURNED", layout.turned()),
        ("PARTIALS", layout.partials()),
        ("SLICES", layout.slices),
        ("SLICE", layout.slice),
    ];
    sizes.into_iter().map(|(name, value)| size(name, value)).collect()
}

/// A constant of a size.
pub(super) fn size(name: &str, value: usize) -> String {
    format!("const {name}: u32 = {}u;\n", word(value))
}

/// The layers as constants.
fn layers(plan: &Plan, layout: &Layout) -> String {
    let mut text = size("WIDTH", layout.width) + &size("TILE", layout.tile) + LAYERS;
    for (i, (layer, packed)) in plan.layers.iter().zip(&layout.layers).enumerate() {
        text += &format!("const LAYER_{i} = {};\n", constant(layer, packed));
    }
    text + &format!("const LAST = LAYER_{};\n", plan.layers.len() - 1)
}

fn constant(layer: &PlanLayer, packed: &Packed) -> String {
    let PlanLayer { inputs, outputs, .. } = *layer;
    let Packed { inputs: vectors, weight, turned, places, .. } = *packed;
    let stored = [Some(layer.weight), layer.bias].map(|at| place(at.map(|at| at.offset)));
    let (places, stored) = (places.fields(layer), stored.join(", "));
    format!("Layer({inputs}u, {outputs}u, {vectors}u, {weight}u, {turned}u, {places}, {stored})")
}

/// The moments that there are as buffers of vectors, by names with a prefix.
pub(super) fn moments(plan: &Plan, prefix: &str, vector: &str) -> String {
    let name = |(binding, name): (usize, &&str)| {
        format!(
            "@group(1) @binding({binding}) var<storage, read_write> {prefix}{name}: \
             array<{vector}>;\n"
        )
    };
    (BUFFERS..).zip(wgsl::moment_names(plan)).map(name).collect()
}

/// The moments from number `from` on as each thread's own; the formulas name all three.
pub(super) fn own_moments(from: usize) -> String {
    let name = |name: &&str| format!("var<private> {name}: array<vec4<f32>, 2>;\n");
    wgsl::MOMENTS[from..].iter().map(name).collect()
}

/// Where the vectors of the packed parameters are stored.
fn packing(layout: &Layout) -> String {
    let layers = layout.layers.iter().enumerate().rev();
    let line = |(i, packed): (usize, &Packed)| {
        let begin = packed.weight;
        format!("if (i >= {begin}u) {{ return words_in(LAYER_{i}, i - {begin}u); }}")
    };
    let lines = layers.map(line).chain(["return Words();".to_owned()]);
    size("VECTORS", layout.vectors) + &function("words_of(i: u32) -> Words", lines)
}

/// The constants of the updates of a layer's weights and biases.
pub(super) fn update_constants(layer: &PlanLayer) -> String {
    let bias = layer.bias.unwrap_or(layer.weight);
    format!("{}, {}", vector(layer.weight.constants), vector(bias.constants))
}
