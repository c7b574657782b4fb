//! The measurement: one kernel, run shorter and longer until the difference says what an iteration or a
//! dispatch takes.

use super::super::Shared;
use super::super::context::Context;
use super::super::descriptors::{
    bind_buffers, bind_uniform, buffers_layout, compute_pipeline, module, uniform_layout,
};
use super::super::kernels::{LOOP_LIMIT, word};
use crate::device::Calibration;
use crate::error::Result;
use crate::stopwatch::Stopwatch;

const SOURCE: &str = include_str!("../../../../shaders/calibration.wgsl");
const NAME: &str = "calibration";

/// The multiplications of an iteration in registers: six of vectors of 4.
const PRODUCTS: f64 = 24.0;

/// The threads of a full workgroup, and the workgroups that fill a device.
const THREADS: usize = 256;
const GROUPS: usize = 2_048;

/// The same where the processor computes: it has few cores, and threads that take turns.
const SOFTWARE_THREADS: usize = 64;
const SOFTWARE_GROUPS: usize = 16;

/// The threads of a subgroup where the adapter does not say.
const SUBGROUP: usize = 32;

/// By how much the longer one of two runs has to take longer, in seconds: the clock and the driver's own
/// work are to be small beside it.
const SPAN: f64 = 4e-4;

/// How long hardware is kept busy before, in seconds: it sleeps at a low clock rate.
const WARM_UP: f64 = 0.02;

/// What no clock tells from nothing.
const TICK: f64 = 1e-7;

/// How often a run is repeated; the shortest counts.
const REPEATS: usize = 4;

/// The most dispatches of a run.
const MOST_DISPATCHES: usize = 1_024;

/// One run: `Length` of `shaders/calibration.wgsl`, and the grid.
#[derive(Debug, Clone, Copy)]
struct Run {
    memory: usize,
    registers: usize,
    threads: usize,
    groups: usize,
    dispatches: usize,
}

const LENGTH_BYTES: u64 = 16;

/// Measures an adapter, in some hundredths of a second.
///
/// # Errors
/// The device's.
pub(super) fn measure(shared: &Shared) -> Result<Calibration> {
    let target = shared.target;
    let most = target.max_threads as usize;
    let (threads, groups) =
        if target.software { (SOFTWARE_THREADS, SOFTWARE_GROUPS) } else { (THREADS, GROUPS) };
    let threads = threads.min(most);
    let subgroup = target.subgroup.unwrap_or(SUBGROUP).min(threads);
    let probe = Probe::new(&shared.context, threads)?;
    // Whatever was queued before is not to be measured, nor compiling, which some drivers put off.
    let nothing = Run { memory: 0, registers: 0, threads: 0, groups: 1, dispatches: 1 };
    shared.context.drain()?;
    probe.run(nothing)?;

    let dispatch = |dispatches| Run { dispatches, ..nothing };
    let memory = |threads, groups| move |memory| Run { memory, threads, groups, ..nothing };
    let registers =
        |threads, groups| move |registers| Run { registers, threads, groups, ..nothing };
    let watch = Stopwatch::start();
    while !target.software && watch.seconds() < WARM_UP {
        probe.run(registers(threads, groups)(LOOP_LIMIT / 32))?;
    }
    let all = (groups * threads) as f64;
    Ok(Calibration {
        dispatch: probe.slope(MOST_DISPATCHES, dispatch)?,
        subgroup_registers: probe.slope(LOOP_LIMIT, registers(subgroup, 1))? / PRODUCTS,
        subgroup_memory: probe.slope(LOOP_LIMIT, memory(subgroup, 1))?,
        workgroup_memory: probe.slope(LOOP_LIMIT, memory(threads, 1))? / threads as f64,
        device_memory: probe.slope(LOOP_LIMIT, memory(threads, groups))? / all,
        device_registers: probe.slope(LOOP_LIMIT, registers(threads, groups))? / (PRODUCTS * all),
    })
}

/// The kernel with its buffers.
struct Probe<'a> {
    context: &'a Context,
    pipeline: wgpu::ComputePipeline,
    groups: [wgpu::BindGroup; 2],
    length: wgpu::Buffer,
}

impl<'a> Probe<'a> {
    fn new(context: &'a Context, threads: usize) -> Result<Self> {
        let device = &context.device;
        let storage = wgpu::BufferBindingType::Storage { read_only: false };
        let layouts =
            [uniform_layout(device, NAME, LENGTH_BYTES), buffers_layout(device, NAME, [storage])];
        let words = [0.5f32; THREADS];
        let words =
            context.buffer_of(NAME, bytemuck::cast_slice(&words), wgpu::BufferUsages::STORAGE)?;
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let length = context.buffer(NAME, LENGTH_BYTES as usize / 4, usage)?;
        let groups = [
            bind_uniform(device, NAME, &layouts[0], &length, LENGTH_BYTES),
            bind_buffers(device, NAME, &layouts[1], [words.as_entire_buffer_binding()]),
        ];
        let module = module(device, NAME, SOURCE);
        let constants = vec![("THREADS", word(threads))];
        let layouts = layouts.each_ref();
        let pipeline = compute_pipeline(device, NAME, (&module, NAME), layouts, &constants);
        context.check(NAME)?;
        Ok(Self { context, pipeline, groups, length })
    }

    /// What one more of at most `most` takes: the difference of a short run and one that is made longer
    /// until it can be told from noise, divided by theirs.
    fn slope(&self, most: usize, run: impl Fn(usize) -> Run) -> Result<f64> {
        const SHORT: usize = 1;
        let short = self.shortest(run(SHORT))?;
        let mut count = 16;
        loop {
            let last = count >= most;
            let mut difference = self.run(run(count))? - short;
            if difference >= SPAN || last {
                // What came between may have made it long.
                difference = difference.min(self.shortest(run(count))? - short);
            }
            if difference >= SPAN / 2.0 || last {
                return Ok(difference.max(TICK) / (count - SHORT) as f64);
            }
            let growth = (1.2 * SPAN / difference.max(TICK)).clamp(2.0, 16.0);
            count = most.min((growth * count as f64) as usize);
        }
    }

    /// The seconds of the shortest of some runs.
    fn shortest(&self, run: Run) -> Result<f64> {
        let mut shortest = f64::INFINITY;
        for _ in 0..REPEATS {
            shortest = shortest.min(self.run(run)?);
        }
        Ok(shortest)
    }

    /// The seconds of a run, from writing its commands to its end.
    fn run(&self, run: Run) -> Result<f64> {
        let context = self.context;
        let length = [run.memory, run.registers, run.threads, 0].map(word);
        context.queue.write_buffer(&self.length, 0, bytemuck::cast_slice(&length));
        let watch = Stopwatch::start();
        context.submit_pass(|pass| {
            for _ in 0..run.dispatches {
                // As a step does, whose dispatches differ.
                pass.set_pipeline(&self.pipeline);
                pass.set_bind_group(0, &self.groups[0], &[0]);
                pass.set_bind_group(1, &self.groups[1], &[]);
                pass.dispatch_workgroups(word(run.groups), 1, 1);
            }
        })?;
        context.drain()?;
        Ok(watch.seconds())
    }
}
