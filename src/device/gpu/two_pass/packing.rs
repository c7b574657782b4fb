//! Parameters and moments as two passes keep them: packed from the first run on, until somebody else
//! asks for a buffer.
//!
//! Between two runs of a training mostly the parameters are looked at, and nothing is changed. So only what is
//! asked for is unpacked, and only what was written is packed again. Whoever reads or writes a buffer
//! says so first, by [`Packings::touch`].

use std::sync::{Arc, Mutex, Weak};

use super::super::super::Timed;
use super::super::context::{Context, lock};
use super::super::kernels::Access;
use super::super::timestamps::Timestamps;
use super::kernel::Compiled;
use crate::error::Result;

/// Where the newest numbers of a buffer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Newest {
    Stored,
    Packed,
    Both,
}

/// A buffer that a run packs.
#[derive(Debug)]
pub(super) struct PackedBuffer {
    stored: wgpu::Buffer,
    /// What packing and unpacking bind: the buffer, and its packed form.
    group: wgpu::BindGroup,
    newest: Newest,
}

impl PackedBuffer {
    /// A buffer that was never packed.
    pub(super) fn new(stored: wgpu::Buffer, group: wgpu::BindGroup) -> Self {
        Self { stored, group, newest: Newest::Stored }
    }
}

/// The parameters and moments of an executable.
#[derive(Debug)]
pub(in super::super) struct Packing {
    pub(super) context: Arc<Context>,
    pub(super) compiled: Arc<Compiled>,
    pub(super) groups: [u32; 3],
    pub(super) buffers: Mutex<Vec<PackedBuffer>>,
}

impl Packing {
    /// Packs what somebody has written since the last run, for another one.
    pub(super) fn pack(&self) -> Result<()> {
        let mut buffers = lock(&self.buffers);
        let written = buffers.iter().filter(|packed| packed.newest == Newest::Stored);
        let groups: Vec<_> = written.map(|packed| &packed.group).collect();
        self.submit("pack", &self.compiled.pack, &groups)?;
        buffers.iter_mut().for_each(|packed| packed.newest = Newest::Packed);
        Ok(())
    }

    /// Brings everything back.
    pub(super) fn unpack(&self) -> Result<()> {
        lock(&self.buffers).iter_mut().try_for_each(|packed| self.touch(packed, Access::Read))
    }

    /// Brings a buffer back before somebody reads or writes it.
    fn touch(&self, packed: &mut PackedBuffer, access: Access) -> Result<()> {
        if packed.newest == Newest::Packed {
            self.submit("unpack", &self.compiled.unpack, &[&packed.group])?;
            packed.newest = Newest::Both;
        }
        if access == Access::Write {
            packed.newest = Newest::Stored;
        }
        Ok(())
    }

    /// Submits a kernel over some of the buffers.
    fn submit(
        &self,
        kernel: &'static str,
        pipeline: &wgpu::ComputePipeline,
        buffers: &[&wgpu::BindGroup],
    ) -> Result<()> {
        if buffers.is_empty() {
            return Ok(());
        }
        let [x, y, z] = self.groups;
        let encode = |pass: &mut wgpu::ComputePass<'_>| {
            pass.set_pipeline(pipeline);
            for &group in buffers {
                pass.set_bind_group(0, group, &[]);
                pass.dispatch_workgroups(x, y, z);
            }
        };
        if self.context.profiler.is_on() {
            let mut timestamps = Timestamps::new(&self.context);
            let timed = Timed { instruction: "steps", kernel, ..Timed::default() };
            timestamps.dispatch(timed, encode)?;
            return timestamps.submit();
        }
        self.context.submit_pass(encode)
    }
}

/// Buffers, and what somebody does with them.
pub(in super::super) type Touched = Vec<(wgpu::Buffer, Access)>;

/// Those of all executables of a device.
#[derive(Debug, Default)]
pub(in super::super) struct Packings(Mutex<Vec<Weak<Packing>>>);

impl Packings {
    /// Adds those of an executable, for as long as it lives.
    pub(super) fn add(&self, packing: &Arc<Packing>) {
        let mut all = lock(&self.0);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(packing));
    }

    /// Has buffers as they should be before somebody reads or writes them. The packing of who does stays as it
    /// is.
    pub(in super::super) fn touch<'a>(
        &self,
        own: Option<&Arc<Packing>>,
        buffers: impl IntoIterator<Item = (&'a wgpu::Buffer, Access)>,
    ) -> Result<()> {
        let all = lock(&self.0);
        if all.is_empty() {
            return Ok(());
        }
        let others = all.iter().filter_map(Weak::upgrade);
        let others = others.filter(|other| own.is_none_or(|own| !Arc::ptr_eq(own, other)));
        let others: Vec<_> = others.collect();
        for (buffer, access) in buffers {
            for packing in &others {
                let mut buffers = lock(&packing.buffers);
                let found = buffers.iter_mut().find(|packed| packed.stored == *buffer);
                found.map_or(Ok(()), |packed| packing.touch(packed, access))?;
            }
        }
        Ok(())
    }
}
