//! Compiled kernels, kept for the life of the device.
//!
//! Every pipeline has two bind groups: group 0 holds the step's arguments at a dynamic offset and is
//! the same for all, group 1 holds a dispatch's own parameters and buffers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::context::{Context, lock};
use super::kernels::{Access, Constants, Kernel};
use crate::error::Result;
use crate::op::StepArgs;

/// The declaration of bind group 0.
const ARGS: &str = concat!(
    include_str!("../../../shaders/step_args.wgsl"),
    include_str!("../../../shaders/args.wgsl"),
);

/// A kernel with its constants filled in.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    /// The layout of bind group 1.
    pub(super) layout: wgpu::BindGroupLayout,
}

type Key = (&'static str, Constants);

/// The pipelines of a device.
#[derive(Debug)]
pub(super) struct Pipelines {
    /// The layout of bind group 0.
    args_layout: wgpu::BindGroupLayout,
    compiled: Mutex<HashMap<Key, Arc<Pipeline>>>,
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
}

impl Pipelines {
    pub(super) fn new(context: &Context) -> Self {
        let args_layout = uniform_layout(&context.device, ARGS_LABEL, ARGS_BYTES);
        Self { args_layout, compiled: Mutex::default(), modules: Mutex::default() }
    }

    /// Binds a buffer of step arguments as group 0.
    pub(super) fn bind_args(&self, context: &Context, args: &wgpu::Buffer) -> wgpu::BindGroup {
        bind_uniform(&context.device, ARGS_LABEL, &self.args_layout, args, ARGS_BYTES)
    }

    /// The kernel with these constants, compiled at the first request.
    pub(super) fn get(
        &self,
        context: &Context,
        kernel: &'static Kernel,
        constants: &Constants,
    ) -> Result<Arc<Pipeline>> {
        let key = (kernel.name, constants.clone());
        if let Some(pipeline) = lock(&self.compiled).get(&key) {
            return Ok(pipeline.clone());
        }
        // Compiled outside of the lock: a second thread may compile the same, and one is kept.
        let pipeline = Arc::new(self.compile(context, kernel, constants));
        context.check(kernel.name)?;
        Ok(lock(&self.compiled).entry(key).or_insert(pipeline).clone())
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        lock(&self.compiled).len()
    }

    fn compile(
        &self,
        context: &Context,
        kernel: &'static Kernel,
        constants: &Constants,
    ) -> Pipeline {
        let device = &context.device;
        let storage = |access: &Access| wgpu::BufferBindingType::Storage {
            read_only: *access == Access::Read,
        };
        let types = kernel.bindings.iter().map(storage);
        let types = [wgpu::BufferBindingType::Uniform].into_iter().chain(types);
        let layout = buffers_layout(device, kernel.name, types);
        let module = self.module(device, kernel);
        let layouts = [&self.args_layout, &layout];
        let pipeline =
            compute_pipeline(device, kernel.name, (&module, kernel.entry), layouts, constants);
        Pipeline { pipeline, layout }
    }

    fn module(&self, device: &wgpu::Device, kernel: &'static Kernel) -> wgpu::ShaderModule {
        if let Some(module) = lock(&self.modules).get(kernel.name) {
            return module.clone();
        }
        let enables = kernel.source.split_inclusive('\n').take_while(|x| x.starts_with("enable "));
        let (enables, source) = kernel.source.split_at(enables.map(str::len).sum());
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(kernel.name),
            source: wgpu::ShaderSource::Wgsl([enables, ARGS, source].concat().into()),
        };
        // SAFETY: without naga's checks a shader must neither leave its buffers nor loop for ever.
        // Every index that our kernels form is below the extent of a view, and `Op::check` has
        // found every view to lie inside its buffer, which is bound whole; threads beyond an extent
        // do nothing. Row numbers and labels, the only indices that are data, are clamped in WGSL.
        // Loops count up to an extent. Divisors are extents, which `Op::check` keeps from zero.
        let module = unsafe {
            device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
        };
        lock(&self.modules).insert(kernel.name, module.clone());
        module
    }
}

const ARGS_BYTES: u64 = size_of::<StepArgs>() as u64;
const ARGS_LABEL: &str = "step arguments";

/// The layout of a group with a uniform of so many bytes, at a dynamic offset.
pub(super) fn uniform_layout(
    device: &wgpu::Device,
    label: &str,
    bytes: u64,
) -> wgpu::BindGroupLayout {
    let entry = wgpu::BindGroupLayoutEntry {
        binding: 0,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: true,
            min_binding_size: wgpu::BufferSize::new(bytes),
        },
        count: None,
    };
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &[entry] };
    device.create_bind_group_layout(&descriptor)
}

/// A group of such a layout.
pub(super) fn bind_uniform(
    device: &wgpu::Device,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    buffer: &wgpu::Buffer,
    bytes: u64,
) -> wgpu::BindGroup {
    let binding = wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(bytes) };
    let resource = wgpu::BindingResource::Buffer(binding);
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(label),
        layout,
        entries: &[wgpu::BindGroupEntry { binding: 0, resource }],
    })
}

/// The layout of a group with these buffers, in order.
pub(super) fn buffers_layout(
    device: &wgpu::Device,
    label: &str,
    types: impl IntoIterator<Item = wgpu::BufferBindingType>,
) -> wgpu::BindGroupLayout {
    let entry = |(binding, ty): (u32, wgpu::BufferBindingType)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(types).map(entry).collect();
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries };
    device.create_bind_group_layout(&descriptor)
}

/// The pipeline of a module's entry point.
pub(super) fn compute_pipeline(
    device: &wgpu::Device,
    label: &str,
    (module, entry): (&wgpu::ShaderModule, &str),
    layouts: [&wgpu::BindGroupLayout; 2],
    constants: &Constants,
) -> wgpu::ComputePipeline {
    let label = Some(label);
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &layouts.map(Some),
        immediate_size: 0,
    });
    let constants: Vec<(&str, f64)> =
        constants.iter().map(|&(name, value)| (name, f64::from(value))).collect();
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: Some(&layout),
        module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            // Every kernel writes the workgroup memory that it reads.
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    })
}
