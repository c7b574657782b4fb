//! The pipelines of a plan, and its dispatches.

use std::sync::{Arc, Mutex};

use super::super::super::Timed;
use super::super::cache;
use super::super::context::Context;
use super::super::descriptors::{
    bind_buffers, bind_uniform, buffers_layout, compute_pipeline, module, uniform_layout,
};
use super::super::fused::step::Step;
use super::super::kernels::{Constants, grid, word};
use super::super::timestamps::Timestamps;
use super::packing::{PackedBuffer, Packing};
use super::source::{Pass, Source};
use crate::error::Result;

/// The name, as labels and errors show it.
const NAME: &str = "two_pass";

/// The threads of a workgroup that packs.
const PACK_THREADS: usize = 64;

/// The bytes of a step's arguments.
const STEP_BYTES: u64 = size_of::<Step>() as u64;

/// A compiled source.
#[derive(Debug)]
pub(in super::super) struct Compiled {
    passes: Vec<wgpu::ComputePipeline>,
    pub(super) pack: wgpu::ComputePipeline,
    pub(super) unpack: wgpu::ComputePipeline,
    /// Of the steps, of the passes' buffers, and of those that packing takes.
    steps_layout: wgpu::BindGroupLayout,
    passes_layout: wgpu::BindGroupLayout,
    pack_layout: wgpu::BindGroupLayout,
}

/// The sources that were compiled so far, by their texts and constants: a network is often trained more
/// than once.
pub(in super::super) type Cache = cache::Cache<(String, String, Constants), Compiled>;

/// A compiled plan with its buffers.
pub(super) struct Kernels {
    compiled: Arc<Compiled>,
    passes: Vec<Pass>,
    group: wgpu::BindGroup,
    /// The steps of a submission, at dynamic offsets.
    steps: wgpu::BindGroup,
    stride: usize,
    /// The parameters and moments.
    pub(super) packing: Arc<Packing>,
}

/// The buffers of a plan.
pub(super) struct Buffers<'a> {
    /// Those of group 1 of the passes, in order.
    pub(super) passes: Vec<&'a wgpu::Buffer>,
    /// The parameters and the moments, as stored and as packed.
    pub(super) packed: Vec<(&'a wgpu::Buffer, &'a wgpu::Buffer)>,
    /// The arguments of steps, a `stride` apart.
    pub(super) steps: &'a wgpu::Buffer,
    pub(super) stride: usize,
}

impl Kernels {
    /// Compiles a plan's source.
    pub(super) fn compile(
        context: &Arc<Context>,
        cache: &Cache,
        source: &Source,
        buffers: &Buffers<'_>,
    ) -> Result<Self> {
        let device = &context.device;
        let key = (source.text.clone(), source.pack.clone(), source.constants.clone());
        let compile = || Compiled::new(device, source, buffers.passes.len());
        let compiled = cache.get(context, NAME, key, compile)?;
        let steps = bind_uniform(device, NAME, &compiled.steps_layout, buffers.steps, STEP_BYTES);
        let bind = |layout, buffers: &[&wgpu::Buffer]| {
            let buffers = buffers.iter().map(|buffer| buffer.as_entire_buffer_binding());
            bind_buffers(device, NAME, layout, buffers)
        };
        let group = bind(&compiled.passes_layout, &buffers.passes);
        let pack = |&(stored, packed): &(&wgpu::Buffer, &wgpu::Buffer)| {
            PackedBuffer::new(stored.clone(), bind(&compiled.pack_layout, &[stored, packed]))
        };
        let packing = Packing {
            context: context.clone(),
            compiled: compiled.clone(),
            groups: grid(source.layout.vectors.div_ceil(PACK_THREADS)),
            buffers: Mutex::new(buffers.packed.iter().map(pack).collect()),
        };
        context.check(NAME)?;
        Ok(Self {
            group,
            steps,
            stride: buffers.stride,
            packing: Arc::new(packing),
            passes: source.passes.clone(),
            compiled,
        })
    }

    /// The dispatches of a step: which of those whose arguments lie in the buffer, and its rows.
    pub(super) fn step(&self, pass: &mut wgpu::ComputePass<'_>, number: usize, rows: usize) {
        self.bind(pass, number);
        for kernel in 0..self.passes.len() {
            self.dispatch(pass, kernel, rows);
        }
    }

    /// The same between timestamps; `timed` says what each dispatch is.
    pub(super) fn step_timed(
        &self,
        timestamps: &mut Timestamps<'_>,
        timed: &[Timed],
        number: usize,
        rows: usize,
    ) -> Result<()> {
        (0..self.passes.len()).zip(timed).try_for_each(|(kernel, &timed)| {
            timestamps.dispatch(timed, |pass| {
                self.bind(pass, number);
                self.dispatch(pass, kernel, rows);
            })
        })
    }

    /// Binds a step's arguments, and what all of its dispatches take.
    fn bind(&self, pass: &mut wgpu::ComputePass<'_>, number: usize) {
        pass.set_bind_group(0, &self.steps, &[word(number * self.stride)]);
        pass.set_bind_group(1, &self.group, &[]);
    }

    fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, kernel: usize, rows: usize) {
        pass.set_pipeline(&self.compiled.passes[kernel]);
        let [x, y, z] = self.passes[kernel].grid(rows);
        pass.dispatch_workgroups(x, y, z);
    }
}

impl Compiled {
    fn new(device: &wgpu::Device, source: &Source, buffers: usize) -> Self {
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let steps_layout = uniform_layout(device, NAME, STEP_BYTES);
        let types = (0..buffers).map(|i| storage((1..4).contains(&i)));
        let passes_layout = buffers_layout(device, NAME, types);
        let pack_layout = buffers_layout(device, NAME, [storage(false); 2]);
        let text = module(device, NAME, &source.text);
        let pack_text = module(device, NAME, &source.pack);
        let pipeline = |pass: &Pass| {
            let mut constants = source.constants.clone();
            constants.push(("THREADS", word(pass.threads)));
            let layouts = [&steps_layout, &passes_layout];
            compute_pipeline(device, pass.entry, (&text, pass.entry), layouts, &constants)
        };
        let pack = |back| {
            let constants = vec![("THREADS", word(PACK_THREADS)), ("BACK", back)];
            compute_pipeline(device, NAME, (&pack_text, "pack"), [&pack_layout], &constants)
        };
        Self {
            passes: source.passes.iter().map(pipeline).collect(),
            pack: pack(0),
            unpack: pack(1),
            steps_layout,
            passes_layout,
            pack_layout,
        }
    }
}
