//! The pipelines of a plan, and its dispatches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::super::super::Timed;
use super::super::context::{Context, lock};
use super::super::kernels::{Constants, grid, word};
use super::super::pipelines::{bind_uniform, buffers_layout, compute_pipeline, uniform_layout};
use super::super::timestamps::Timestamps;
use super::Step;
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
struct Compiled {
    passes: Vec<wgpu::ComputePipeline>,
    pack: wgpu::ComputePipeline,
    unpack: wgpu::ComputePipeline,
    /// Of the steps, of the passes' buffers, and of those that packing takes.
    steps_layout: wgpu::BindGroupLayout,
    passes_layout: wgpu::BindGroupLayout,
    pack_layout: wgpu::BindGroupLayout,
}

/// The sources that were compiled so far, kept for the life of the device: a network is often trained
/// more than once.
#[derive(Debug, Default)]
pub(in super::super) struct Cache {
    compiled: Mutex<HashMap<(String, String, Constants), Arc<Compiled>>>,
}

impl Cache {
    fn get(&self, context: &Context, source: &Source, buffers: usize) -> Result<Arc<Compiled>> {
        let key = (source.text.clone(), source.pack.clone(), source.constants.clone());
        if let Some(compiled) = lock(&self.compiled).get(&key) {
            return Ok(compiled.clone());
        }
        // Compiled outside of the lock: a second thread may compile the same, and one is kept.
        let compiled = Arc::new(Compiled::new(&context.device, source, buffers));
        context.check(NAME)?;
        Ok(lock(&self.compiled).entry(key).or_insert(compiled).clone())
    }
}

/// A compiled plan with its buffers.
pub(super) struct Kernels {
    compiled: Arc<Compiled>,
    passes: Vec<Pass>,
    group: wgpu::BindGroup,
    /// The steps of a submission, at dynamic offsets.
    steps: wgpu::BindGroup,
    stride: usize,
    /// What is packed: a group for the parameters and for each of the moments.
    packed: Vec<wgpu::BindGroup>,
    pack_groups: [u32; 3],
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
        context: &Context,
        cache: &Cache,
        source: &Source,
        buffers: &Buffers<'_>,
    ) -> Result<Self> {
        let compiled = cache.get(context, source, buffers.passes.len())?;
        let device = &context.device;
        let steps = bind_uniform(device, NAME, &compiled.steps_layout, buffers.steps, STEP_BYTES);
        let group = bind(device, &compiled.passes_layout, &buffers.passes);
        let pack = |&(stored, packed): &(&wgpu::Buffer, &wgpu::Buffer)| {
            bind(device, &compiled.pack_layout, &[stored, packed])
        };
        let packed = buffers.packed.iter().map(pack).collect();
        context.check(NAME)?;
        Ok(Self {
            group,
            steps,
            stride: buffers.stride,
            packed,
            pack_groups: grid(
                (source.layout.vectors * source.layout.width / 4).div_ceil(PACK_THREADS),
            ),
            passes: source.passes.clone(),
            compiled,
        })
    }

    /// Brings parameters and moments to where the passes find them.
    pub(super) fn pack(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.move_all(&self.compiled.pack, pass);
    }

    /// Brings them back.
    pub(super) fn unpack(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.move_all(&self.compiled.unpack, pass);
    }

    fn move_all(&self, pipeline: &wgpu::ComputePipeline, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &self.steps, &[0]);
        let [x, y, z] = self.pack_groups;
        for group in &self.packed {
            pass.set_bind_group(1, group, &[]);
            pass.dispatch_workgroups(x, y, z);
        }
    }

    /// The dispatches of a step: which of those whose arguments lie in the buffer, and its rows.
    pub(super) fn step(&self, pass: &mut wgpu::ComputePass<'_>, number: usize, rows: usize) {
        for kernel in 0..self.passes.len() {
            self.dispatch(pass, kernel, number, rows);
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
            timestamps.dispatch(timed, |pass| self.dispatch(pass, kernel, number, rows))
        })
    }

    fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        kernel: usize,
        number: usize,
        rows: usize,
    ) {
        pass.set_pipeline(&self.compiled.passes[kernel]);
        pass.set_bind_group(0, &self.steps, &[word(number * self.stride)]);
        pass.set_bind_group(1, &self.group, &[]);
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
        let text = module(device, &source.text);
        let pack_text = module(device, &source.pack);
        let pipeline = |pass: &Pass| {
            let mut constants = source.constants.clone();
            constants.push(("THREADS", word(pass.threads)));
            let layouts = [&steps_layout, &passes_layout];
            compute_pipeline(device, pass.entry, (&text, pass.entry), layouts, &constants)
        };
        let pack = |entry| {
            let constants = vec![("THREADS", word(PACK_THREADS))];
            let layouts = [&steps_layout, &pack_layout];
            compute_pipeline(device, entry, (&pack_text, entry), layouts, &constants)
        };
        Self {
            passes: source.passes.iter().map(pipeline).collect(),
            pack: pack("pack"),
            unpack: pack("unpack"),
            steps_layout,
            passes_layout,
            pack_layout,
        }
    }
}

fn bind(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    buffers: &[&wgpu::Buffer],
) -> wgpu::BindGroup {
    let resources = buffers.iter().map(|buffer| buffer.as_entire_binding());
    let entries: Vec<_> = (0..)
        .zip(resources)
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
        .collect();
    let descriptor = wgpu::BindGroupDescriptor { label: Some(NAME), layout, entries: &entries };
    device.create_bind_group(&descriptor)
}

fn module(device: &wgpu::Device, text: &str) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(NAME),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    };
    // SAFETY: as for the kernels of the program (`pipelines`): indices are below the extents that the
    // plan has read out of checked views, row numbers, labels and slots are clamped in WGSL, and loops
    // count up to an extent.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}
