//! Compiled kernels, kept for the life of the device.
//!
//! Every pipeline has two bind groups: group 0 holds the step's arguments at a dynamic offset and is
//! the same for all, group 1 holds a dispatch's own parameters and buffers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::cache::Cache;
use super::context::{Context, lock};
use super::descriptors::{self, bind_uniform, buffers_layout, compute_pipeline, uniform_layout};
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
    compiled: Cache<Key, Pipeline>,
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
}

impl Pipelines {
    pub(super) fn new(context: &Context) -> Self {
        let args_layout = uniform_layout(&context.device, ARGS_LABEL, ARGS_BYTES);
        Self { args_layout, compiled: Cache::default(), modules: Mutex::default() }
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
        let compile = || self.compile(context, kernel, constants);
        self.compiled.get(context, kernel.name, key, compile)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.compiled.len()
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
        let text = [enables, ARGS, source].concat();
        let module = descriptors::module(device, kernel.name, &text);
        lock(&self.modules).insert(kernel.name, module.clone());
        module
    }
}

const ARGS_BYTES: u64 = size_of::<StepArgs>() as u64;
const ARGS_LABEL: &str = "step arguments";
