//! The GPU backend: instructions as WGSL kernels, through wgpu; the only module that imports it.
//!
//! An instruction is lowered to dispatches (`kernels`, data only), which are joined to compiled
//! pipelines and buffers (`pipelines`, `binding`, `descriptors`) and submitted: at once in bulk for a compiled
//! program (`executable`), collected for single instructions (`recorder`). A whole step
//! may be run by kernels of its own instead (`fused`): one workgroup takes many of them in a dispatch
//! (`persistent`), or two dispatches take one (`two_pass`). Only reading waits
//! (`readback`). Adapters are found and opened in `adapter`; a device's errors and its queue are
//! watched over in `context`.

mod adapter;
mod binding;
mod cache;
mod calibration;
mod candidate;
mod context;
mod descriptors;
mod executable;
mod fused;
mod kernels;
mod persistent;
mod pipelines;
mod readback;
mod recorder;
#[cfg(test)]
mod tests;
mod timestamps;
mod two_pass;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub(crate) use adapter::{list, open, open_hardware};

use self::binding::Binder;
use self::candidate::Candidate;
use self::context::Context;
use self::executable::GpuExecutable;
use self::kernels::{Access, Dispatch, Halves, Target};
use self::pipelines::Pipelines;
use self::readback::Part;
use self::recorder::Recorder;
use self::two_pass::{Packing, Touched};
use super::{
    Backend, Calibration, Compiled, DeviceInfo, DeviceKind, Executable, How, Members, Meter,
    Pending, Precision, Profiler, Storage, Strategy,
};
use crate::error::Result;
use crate::op::{Op, StepArgs};
use crate::program::Program;

/// Memory on a GPU: a handle.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    buffer: wgpu::Buffer,
}

impl Memory {
    /// Whether both are handles of one memory.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.buffer == other.buffer
    }
}

/// What the backend and its executables share.
#[derive(Debug)]
struct Shared {
    context: Arc<Context>,
    pipelines: Pipelines,
    persistent: persistent::Cache,
    two_pass: two_pass::Cache,
    packings: two_pass::Packings,
    binder: Binder,
    recorder: Recorder,
    target: Target,
    /// What a strategy is chosen by, as soon as there is a choice.
    calibration: OnceLock<Calibration>,
}

/// An opened adapter.
#[derive(Debug)]
struct Gpu {
    shared: Arc<Shared>,
}

/// How buffers of instructions are used.
const USAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

impl Shared {
    fn new(context: Context) -> Result<Self> {
        let context = Arc::new(context);
        let target = Target {
            software: context.info.kind == DeviceKind::Software,
            subgroup: context.subgroup,
            cooperative: context.cooperative,
            long_words: context.long_words,
            max_threads: context.limits.max_compute_invocations_per_workgroup,
            max_workgroup_words: context.limits.max_compute_workgroup_storage_size as usize / 4,
            max_buffers: context.limits.max_storage_buffers_per_shader_stage as usize,
            precision: Precision::F32,
            #[cfg(test)]
            shape: None,
        };
        let pipelines = Pipelines::new(&context);
        let binder = Binder::new(&context)?;
        let recorder = Recorder::new(context.clone(), &pipelines)?;
        Ok(Self {
            context,
            pipelines,
            persistent: Default::default(),
            two_pass: Default::default(),
            packings: Default::default(),
            binder,
            recorder,
            target,
            calibration: OnceLock::new(),
        })
    }
}

impl Shared {
    /// Has everything as it should be before an executable runs, which may have a packing of its own.
    fn begin_run(&self, touched: &Touched, own: Option<&Arc<Packing>>) -> Result<()> {
        self.recorder.flush()?;
        self.packings.touch(own, touched.iter().map(|(buffer, access)| (buffer, *access)))
    }

    /// What the adapter and its driver cost, measured where it is not known yet.
    fn calibration(&self) -> Calibration {
        *self.calibration.get_or_init(|| calibration::find(self))
    }
}

impl Gpu {
    fn new(context: Context) -> Result<Arc<Self>> {
        Ok(Arc::new(Self { shared: Arc::new(Shared::new(context)?) }))
    }

    /// Programs whose products are of another precision than f32.
    fn compile_precise(
        &self,
        programs: &[Program],
        buffers: &[Storage],
        How { strategy, precision, .. }: How,
    ) -> Result<Compiled> {
        if !matches!(strategy, Strategy::Auto | Strategy::Program) {
            return Err(strategy.unfit(format_args!("its precision is f32, not {precision}")));
        }
        let buffers: Vec<&wgpu::Buffer> = buffers.iter().map(buffer).collect();
        let executable = self.compile_ops(programs, &buffers, precision)?;
        Ok(Compiled { executable, reason: format!("the only one in the precision {precision}") })
    }

    /// Programs op by op.
    fn compile_ops(
        &self,
        programs: &[Program],
        buffers: &[&wgpu::Buffer],
        precision: Precision,
    ) -> Result<Box<dyn Executable>> {
        let target = Target { precision, ..self.shared.target };
        Ok(Box::new(GpuExecutable::new(self.shared.clone(), programs, buffers, target)?))
    }
}

/// Buffers of which any may be written.
fn all_written(buffers: &[&wgpu::Buffer]) -> Touched {
    buffers.iter().map(|&buffer| (buffer.clone(), Access::Write)).collect()
}

/// The buffer behind a storage of this backend.
fn buffer(storage: &Storage) -> &wgpu::Buffer {
    match storage {
        Storage::Gpu(memory) => &memory.buffer,
        Storage::Cpu(_) => unreachable!("the device has checked that its buffers are its own"),
    }
}

impl Backend for Gpu {
    fn info(&self) -> &DeviceInfo {
        &self.shared.context.info
    }

    fn meter(&self) -> &Meter {
        &self.shared.context.meter
    }

    fn profiler(&self) -> Result<&Profiler> {
        let context = &self.shared.context;
        if context.timestamps {
            return Ok(&context.profiler);
        }
        let reason = "its driver has no timestamps: profile another device, such as `cpu`";
        Err(context.failed("profiling", reason))
    }

    fn calibration(&self) -> Option<Calibration> {
        Some(self.shared.calibration())
    }

    fn allocate(&self, words: usize) -> Result<Storage> {
        let buffer = self.shared.context.buffer("buffer", words, USAGE)?;
        Ok(Storage::Gpu(Memory { buffer }))
    }

    fn upload(&self, words: Arc<Vec<f32>>) -> Result<Storage> {
        let bytes = bytemuck::cast_slice(&words);
        let buffer = self.shared.context.buffer_of("buffer", bytes, USAGE)?;
        Ok(Storage::Gpu(Memory { buffer }))
    }

    fn write(&self, storage: &Storage, offset: usize, words: &[f32]) -> Result<()> {
        let buffer = buffer(storage);
        self.shared.packings.touch(None, [(buffer, Access::Write)])?;
        self.shared.recorder.write(buffer, offset, bytemuck::cast_slice(words))
    }

    fn read<'a>(&'a self, ranges: &'a [(&'a Storage, Range<usize>)]) -> Pending<'a, Vec<Vec<f32>>> {
        Box::pin(async move {
            self.shared.recorder.flush()?;
            let parts: Vec<Part<'_>> =
                ranges.iter().map(|(storage, range)| (buffer(storage), range.clone())).collect();
            let touched = parts.iter().map(|(buffer, _)| (*buffer, Access::Read));
            self.shared.packings.touch(None, touched)?;
            readback::read(&self.shared.context, &parts).await
        })
    }

    fn execute(&self, op: &Op, buffers: &[&Storage], args: &StepArgs) -> Result<()> {
        let Shared { pipelines, packings, binder, recorder, target, .. } = &*self.shared;
        let buffers: Vec<&wgpu::Buffer> = buffers.iter().map(|&storage| buffer(storage)).collect();
        let dispatches = kernels::lower(op, *target, &Halves::default())?;
        let touched = dispatches.iter().flat_map(Dispatch::touched);
        packings.touch(None, touched.map(|(index, access)| (buffers[index], access)))?;
        let on = self.shared.context.profiler.is_on();
        let timed = if on { timestamps::timed(op, &dispatches) } else { Vec::new() };
        recorder.record(pipelines, binder, (&dispatches, &timed), &buffers, args)
    }

    fn compile(&self, programs: &[Program], buffers: &[Storage]) -> Result<Box<dyn Executable>> {
        let buffers: Vec<&wgpu::Buffer> = buffers.iter().map(buffer).collect();
        self.compile_ops(programs, &buffers, Precision::F32)
    }

    fn step_words(&self, programs: &[Program], precision: Precision) -> Vec<usize> {
        let halves = Halves::of_precision(programs, precision);
        programs.first().map_or_else(Vec::new, |program| halves.words(program))
    }

    fn compile_step(
        &self,
        programs: &[Program],
        buffers: &[Storage],
        how: How,
    ) -> Result<Compiled> {
        if how.precision != Precision::F32 {
            return self.compile_precise(programs, buffers, how);
        }
        let (chosen, reason) = Candidate::choose(&self.shared, programs, None, how)?;
        let buffers: Vec<&wgpu::Buffer> = buffers.iter().map(buffer).collect();
        let executable = match chosen {
            Some(candidate) => candidate.bind(self.shared.clone(), &buffers)?,
            None => self.compile_ops(programs, &buffers, how.precision)?,
        };
        Ok(Compiled { executable, reason })
    }

    fn compile_many(
        &self,
        programs: &[Program],
        buffers: &[Storage],
        members: &Members,
        how: How,
    ) -> Result<Option<Compiled>> {
        let one_by_one = matches!(how.strategy, Strategy::Program | Strategy::TwoPass);
        if one_by_one || how.precision != Precision::F32 {
            return Ok(None);
        }
        let (chosen, reason) = Candidate::choose(&self.shared, programs, Some(members), how)?;
        let Some(candidate) = chosen else { return Ok(None) };
        let buffers: Vec<&wgpu::Buffer> = buffers.iter().map(buffer).collect();
        let executable = candidate.bind(self.shared.clone(), &buffers)?;
        Ok(Some(Compiled { executable, reason }))
    }

    fn synchronize(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            self.shared.recorder.flush()?;
            #[cfg(target_arch = "wasm32")]
            {
                // Nobody may block there, but reading waits for everything before it.
                let probe = self.allocate(1)?;
                self.read(&[(&probe, 0..1)]).await?;
            }
            self.shared.context.drain()
        })
    }
}
