//! The pipeline of a plan, and its dispatches.

use std::sync::Arc;

use super::super::super::{Meter, Timed};
use super::super::cache;
use super::super::context::Context;
use super::super::descriptors::{
    bind_buffers, bind_uniform, buffers_layout, compute_pipeline, module, uniform_layout,
};
use super::super::kernels::Constants;
use super::super::timestamps::Timestamps;
use super::source::Source;
use crate::error::Result;

/// Dispatches that are submitted together.
pub(super) const MAX_DISPATCHES: usize = 8;

/// The bindings of group 1 that are only read: steps, features, targets, order.
const READ: usize = 4;

/// The steps of a dispatch; `Span` of `shaders/persistent.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct Span {
    first: u32,
    count: u32,
    stride: u32,
}

impl Span {
    /// `stride` is the distance from the steps of a network to those of the next.
    pub(super) fn new(first: usize, count: usize, stride: usize) -> Self {
        Self { first: first as u32, count: count as u32, stride: stride as u32 }
    }
}

/// A compiled source.
#[derive(Debug)]
pub(in super::super) struct Compiled {
    pipeline: wgpu::ComputePipeline,
    layouts: [wgpu::BindGroupLayout; 2],
}

/// The sources that were compiled so far, by text and constants: a network is often trained more than
/// once.
pub(in super::super) type Cache = cache::Cache<(String, Constants), Compiled>;

/// A compiled plan with its buffers.
pub(super) struct Kernel {
    compiled: Arc<Compiled>,
    group: wgpu::BindGroup,
    /// The spans of a submission, at dynamic offsets.
    spans: wgpu::Buffer,
    spans_group: wgpu::BindGroup,
    stride: usize,
}

/// The name, as labels and errors show it.
const NAME: &str = "persistent";

impl Kernel {
    /// Compiles a plan's source; its buffers are those of group 1, in order.
    pub(super) fn compile(
        context: &Context,
        cache: &Cache,
        source: &Source,
        buffers: &[&wgpu::Buffer],
    ) -> Result<Self> {
        let key = (source.text.clone(), source.constants.clone());
        let compile = || Compiled::new(&context.device, source, buffers.len());
        let compiled = cache.get(context, NAME, key, compile)?;
        let layouts = &compiled.layouts;
        let stride = context.limits.min_uniform_buffer_offset_alignment as usize;
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let spans = context.buffer("spans", MAX_DISPATCHES * stride / 4, usage)?;
        let spans_group =
            bind_uniform(&context.device, NAME, &layouts[0], &spans, size_of::<Span>() as u64);
        let buffers = buffers.iter().map(|buffer| buffer.as_entire_buffer_binding());
        let group = bind_buffers(&context.device, NAME, &layouts[1], buffers);
        context.check(NAME)?;
        Ok(Self { compiled, group, spans, spans_group, stride })
    }

    /// Submits dispatches, each of so many networks; `timed` has the cost of one step of all of them.
    pub(super) fn submit(
        &self,
        context: &Context,
        spans: &[Span],
        members: u32,
        timed: Timed,
    ) -> Result<()> {
        let mut bytes = Vec::with_capacity(spans.len() * self.stride);
        for (i, span) in spans.iter().enumerate() {
            bytes.resize(i * self.stride, 0);
            bytes.extend_from_slice(bytemuck::bytes_of(span));
        }
        context.queue.write_buffer(&self.spans, 0, &bytes);
        Meter::add(&context.meter.uploads, 1);
        if context.profiler.is_on() {
            return self.submit_timed(context, spans, members, timed);
        }
        context.submit_pass(|pass| {
            self.bind(pass);
            for i in 0..spans.len() {
                self.dispatch(pass, i, members);
            }
        })
    }

    /// The same with each dispatch between timestamps.
    fn submit_timed(
        &self,
        context: &Context,
        spans: &[Span],
        members: u32,
        timed: Timed,
    ) -> Result<()> {
        let mut timestamps = Timestamps::new(context);
        for (i, span) in spans.iter().enumerate() {
            timestamps.dispatch(timed.times(span.count.into()), |pass| {
                self.bind(pass);
                self.dispatch(pass, i, members);
            })?;
        }
        timestamps.submit()
    }

    fn bind(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.compiled.pipeline);
        pass.set_bind_group(1, &self.group, &[]);
    }

    fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, span: usize, members: u32) {
        pass.set_bind_group(0, &self.spans_group, &[(span * self.stride) as u32]);
        pass.dispatch_workgroups(members, 1, 1);
    }
}

impl Compiled {
    fn new(device: &wgpu::Device, source: &Source, buffers: usize) -> Self {
        let storage = |i| wgpu::BufferBindingType::Storage { read_only: i < READ };
        let layouts = [
            uniform_layout(device, NAME, size_of::<Span>() as u64),
            buffers_layout(device, NAME, (0..buffers).map(storage)),
        ];
        let module = module(device, NAME, &source.text);
        let pipeline =
            compute_pipeline(device, NAME, (&module, NAME), layouts.each_ref(), &source.constants);
        Self { pipeline, layouts }
    }
}
