//! Programs bound to their buffers, replayed with only the step's arguments changing.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::{Executable, Launch, Meter, Timed};
use super::Shared;
use super::binding::{Binder, Bound, Place};
use super::kernels::{self, Access, Dispatch, Halves, Target};
use super::recorder::MAX_WORK;
use super::timestamps::{self, Timestamps};
use super::two_pass::Touched;
use crate::error::Result;
use crate::program::Program;

/// Launches whose arguments are uploaded at once.
const MAX_LAUNCHES: usize = 4_096;

/// Dispatches that are submitted together: enough to hide the cost of submitting, few enough for
/// several submissions to be under way.
const MAX_DISPATCHES: usize = 2_048;

const STORAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE;

/// Compiled programs.
pub(super) struct GpuExecutable {
    shared: Arc<Shared>,
    programs: Vec<Vec<Bound>>,
    /// What makes the copies in f16 as a run begins.
    opening: Vec<Bound>,
    /// The buffers that they read and write.
    touched: Touched,
    /// What each dispatch is where somebody profiles.
    timed: Vec<Vec<Timed>>,
    /// The arguments of up to [`MAX_LAUNCHES`] launches.
    args: wgpu::Buffer,
    args_group: wgpu::BindGroup,
    stride: usize,
    bytes: Vec<u8>,
}

impl GpuExecutable {
    pub(super) fn new(
        shared: Arc<Shared>,
        programs: &[Program],
        buffers: &[&wgpu::Buffer],
        target: Target,
    ) -> Result<Self> {
        let context = &shared.context;
        let halves = Halves::of_precision(programs, target.precision);
        let copies = halves.beside.iter().map(|&words| context.buffer("half", words, STORAGE));
        let copies: Vec<wgpu::Buffer> = copies.collect::<Result<_>>()?;
        let with_copies: Vec<&wgpu::Buffer> = buffers.iter().copied().chain(&copies).collect();
        let lower = |program: &Program| {
            let (mut dispatches, mut timed) = (Vec::new(), Vec::new());
            for op in &program.ops {
                let part = kernels::lower(op, target, &halves)?;
                timed.extend(timestamps::timed(op, &part));
                dispatches.extend(part);
            }
            Ok((dispatches, timed))
        };
        let lowered: Vec<_> = programs.iter().map(lower).collect::<Result<_>>()?;
        let (lowered, timed): (Vec<Vec<Dispatch>>, Vec<_>) = lowered.into_iter().unzip();
        let opening = programs.first().map_or_else(Vec::new, |program| halves.copies(program));
        let stride = Binder::stride(context);
        let all = || lowered.iter().flatten().chain(&opening);
        let uniforms = parameters(&shared, all(), stride)?;
        let touched = touched(all(), buffers);
        let scratch_words = all().map(|dispatch| dispatch.scratch).max().unwrap_or(0);
        let scratch = context.buffer("scratch", scratch_words, STORAGE)?;
        let mut offset = 0;
        let mut bind = |dispatch: &Dispatch| {
            let place =
                Place { buffers: &with_copies, scratch: &scratch, uniforms: &uniforms, offset };
            offset += stride;
            shared.binder.bind(context, &shared.pipelines, dispatch, place)
        };
        let mut bound = |list: &Vec<Dispatch>| list.iter().map(&mut bind).collect();
        let programs = lowered.iter().map(&mut bound).collect::<Result<_>>()?;
        let opening = bound(&opening)?;
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let args = context.buffer("step arguments", MAX_LAUNCHES * stride / 4, usage)?;
        let args_group = shared.pipelines.bind_args(context, &args);
        let bytes = Vec::with_capacity(MAX_LAUNCHES * stride);
        Ok(Self { programs, opening, touched, timed, args, args_group, stride, bytes, shared })
    }

    /// Uploads the arguments of the launches.
    fn upload(&mut self, launches: &[Launch]) {
        self.bytes.clear();
        for launch in launches {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytemuck::bytes_of(&launch.args));
            self.bytes.resize(start + self.stride, 0);
        }
        let context = &self.shared.context;
        // In order with the submissions: those before have read what is overwritten here.
        context.queue.write_buffer(&self.args, 0, &self.bytes);
        Meter::add(&context.meter.uploads, 1);
    }

    /// Submits what a run begins with; the arguments are uploaded, whatever they are.
    fn open(&self) -> Result<()> {
        if self.opening.is_empty() {
            return Ok(());
        }
        self.shared.context.submit_pass(|pass| {
            pass.set_bind_group(0, &self.args_group, &[0]);
            self.opening.iter().for_each(|bound| bound.encode(pass));
        })
    }

    /// Submits a launch with each dispatch between timestamps.
    fn submit_timed(&self, launches: &[Launch], at: usize) -> Result<()> {
        let mut timestamps = Timestamps::new(&self.shared.context);
        let program = launches[at].program;
        for (bound, &timed) in self.programs[program].iter().zip(&self.timed[program]) {
            timestamps.dispatch(timed, |pass| {
                pass.set_bind_group(0, &self.args_group, &[(at * self.stride) as u32]);
                bound.encode(pass);
            })?;
        }
        timestamps.submit()
    }

    /// Submits the launches from `start` on that fit one submission, and returns how many.
    fn submit(&self, launches: &[Launch], start: usize) -> Result<usize> {
        let context = &self.shared.context;
        if context.profiler.is_on() {
            return self.submit_timed(launches, start).map(|()| 1);
        }
        let (mut dispatches, mut work, mut count) = (0, 0, 0);
        context.submit_pass(|pass| {
            for (index, launch) in launches.iter().enumerate().skip(start) {
                if dispatches >= MAX_DISPATCHES || work >= MAX_WORK {
                    break;
                }
                let program = &self.programs[launch.program];
                pass.set_bind_group(0, &self.args_group, &[(index * self.stride) as u32]);
                program.iter().for_each(|bound| bound.encode(pass));
                dispatches += program.len();
                work += program.iter().map(|bound| bound.work).sum::<u64>();
                count += 1;
            }
        })?;
        Ok(count)
    }
}

impl Executable for GpuExecutable {
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        self.shared.begin_run(&self.touched, None)?;
        self.open()?;
        for chunk in launches.chunks(MAX_LAUNCHES) {
            self.upload(chunk);
            let mut done = 0;
            while done < chunk.len() {
                done += self.submit(chunk, done)?;
            }
            Meter::add(&self.shared.context.meter.steps, chunk.len());
        }
        Ok(())
    }
}

/// The buffers among `buffers` that dispatches read and write, each once.
fn touched<'a>(
    dispatches: impl Iterator<Item = &'a Dispatch>,
    buffers: &[&wgpu::Buffer],
) -> Touched {
    let all: HashSet<(usize, Access)> = dispatches.flat_map(Dispatch::touched).collect();
    let given = all.into_iter().filter(|(index, _)| *index < buffers.len());
    given.map(|(index, access)| (buffers[index].clone(), access)).collect()
}

/// One uniform buffer with the parameters of all dispatches.
fn parameters<'a>(
    shared: &Shared,
    dispatches: impl Iterator<Item = &'a Dispatch>,
    stride: usize,
) -> Result<wgpu::Buffer> {
    let mut bytes = Vec::new();
    for dispatch in dispatches {
        let start = bytes.len();
        bytes.extend_from_slice(bytemuck::cast_slice(&dispatch.params));
        bytes.resize(start + stride, 0);
    }
    shared.context.buffer_of("parameters", &bytes, wgpu::BufferUsages::UNIFORM)
}
