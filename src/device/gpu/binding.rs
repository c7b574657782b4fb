//! Dispatches joined to pipelines and buffers, ready to be encoded.

use std::sync::Arc;

use super::context::Context;
use super::descriptors::bind_buffers;
use super::kernels::{Access, Dispatch, Slot};
use super::pipelines::{Pipeline, Pipelines};
use crate::error::Result;
use crate::op::StepArgs;

/// A dispatch that is ready to be encoded.
#[derive(Debug)]
pub(super) struct Bound {
    pipeline: Arc<Pipeline>,
    group: wgpu::BindGroup,
    groups: [u32; 3],
    pub(super) work: u64,
}

impl Bound {
    /// Encodes the dispatch; the pass has the step's arguments bound already.
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y, z] = self.groups;
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(1, &self.group, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

/// Where a dispatch finds its memory.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) buffers: &'a [&'a wgpu::Buffer],
    pub(super) scratch: &'a wgpu::Buffer,
    pub(super) uniforms: &'a wgpu::Buffer,
    /// Where in `uniforms` the dispatch's parameters are, in bytes.
    pub(super) offset: usize,
}

/// Makes bind groups.
#[derive(Debug)]
pub(super) struct Binder {
    /// What stands for buffers that a kernel does not touch.
    unused_read: wgpu::Buffer,
    /// The same for writing, in sections: WebGPU lets no two bindings write the same bytes.
    unused_write: wgpu::Buffer,
    section: u64,
}

/// Bindings that one kernel may leave unused.
const SECTIONS: u64 = 8;

/// The most words of parameters that a kernel takes.
const MAX_PARAMS: usize = 32;

impl Binder {
    pub(super) fn new(context: &Context) -> Result<Self> {
        let section = u64::from(context.limits.min_storage_buffer_offset_alignment).max(16);
        let words = (SECTIONS * section / 4) as usize;
        let usage = wgpu::BufferUsages::STORAGE;
        let unused_read = context.buffer("unused", words, usage)?;
        let unused_write = context.buffer("unused", words, usage)?;
        Ok(Self { unused_read, unused_write, section })
    }

    /// The distance of parameters, and of step arguments, in uniform buffers: in bytes.
    pub(super) fn stride(context: &Context) -> usize {
        let largest = (4 * MAX_PARAMS).max(size_of::<StepArgs>());
        largest.next_multiple_of(context.limits.min_uniform_buffer_offset_alignment as usize)
    }

    pub(super) fn bind(
        &self,
        context: &Context,
        pipelines: &Pipelines,
        dispatch: &Dispatch,
        place: Place<'_>,
    ) -> Result<Bound> {
        let kernel = dispatch.kernel;
        let pipeline = pipelines.get(context, kernel, &dispatch.constants)?;
        let params = wgpu::BufferBinding {
            buffer: place.uniforms,
            offset: place.offset as u64,
            size: wgpu::BufferSize::new(4 * dispatch.params.len() as u64),
        };
        let storage = (0..).zip(&dispatch.slots).zip(kernel.bindings);
        let storage =
            storage.map(|((index, &slot), &access)| self.storage(slot, access, index, place));
        let buffers = [params].into_iter().chain(storage);
        let group = bind_buffers(&context.device, kernel.name, &pipeline.layout, buffers);
        context.check(kernel.name)?;
        Ok(Bound { pipeline, group, groups: dispatch.groups, work: dispatch.work })
    }

    fn storage<'a>(
        &'a self,
        slot: Slot,
        access: Access,
        index: u64,
        place: Place<'a>,
    ) -> wgpu::BufferBinding<'a> {
        match (slot, access) {
            (Slot::Buffer(index), _) => place.buffers[index].as_entire_buffer_binding(),
            (Slot::Scratch, _) => place.scratch.as_entire_buffer_binding(),
            (Slot::Unused, Access::Read) => self.unused_read.as_entire_buffer_binding(),
            (Slot::Unused, Access::Write) => wgpu::BufferBinding {
                buffer: &self.unused_write,
                offset: index * self.section,
                size: wgpu::BufferSize::new(self.section),
            },
        }
    }
}
