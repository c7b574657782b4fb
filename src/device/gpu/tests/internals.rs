//! Lowering, the pipeline cache, the recorder and back-pressure.

use std::sync::Arc;

use super::super::context::MAX_IN_FLIGHT;
use super::super::kernels::{self, Dispatch, Halves, LOOP_LIMIT, Slot, Target};
use super::super::recorder::MAX_PENDING;
use super::super::{Gpu, adapter};
use super::{gpu, gpus, numbers};
use crate::device::{Backend, Launch, Precision, Storage};
use crate::error::Result;
use crate::op::{Axis, BinaryOp, Op, Reduction, Shape, StepArgs, View};
use crate::program::{BufferSpec, Program};

const HARDWARE: Target = Target {
    software: false,
    subgroup: None,
    cooperative: None,
    long_words: false,
    max_threads: 256,
    max_workgroup_words: 4_096,
    max_buffers: 8,
    precision: Precision::F32,
    shape: None,
};

fn lower(op: &Op, target: Target) -> Result<Vec<Dispatch>> {
    kernels::lower(op, target, &Halves::default())
}

fn fresh() -> Option<Gpu> {
    gpu()?;
    Some(Gpu { shared: Arc::new(adapter::fresh().unwrap()) })
}

fn matmul(m: usize, k: usize, n: usize) -> Op {
    Op::Matmul {
        a: View::new(0, Shape::new(m, k)),
        b: View::new(1, Shape::new(k, n)),
        transpose_a: false,
        transpose_b: false,
        output: View::new(2, Shape::new(m, n)),
    }
}

fn constant(op: &Op, target: Target, name: &str) -> u32 {
    let first = &lower(op, target).unwrap()[0];
    first.constants.iter().find(|(key, _)| *key == name).map_or(0, |(_, value)| *value)
}

#[test]
fn products_are_tiled_by_size_and_split_where_the_output_is_small() {
    for (words, blocks, stages) in [(8_192, 2, 2), (4_096, 2, 1), (2_048, 1, 1)] {
        let target = Target { max_workgroup_words: words, ..HARDWARE };
        assert_eq!(constant(&matmul(4_096, 4_096, 4_096), target, "BLOCKS"), blocks);
        assert_eq!(constant(&matmul(4_096, 4_096, 4_096), target, "STAGES"), stages);
    }
    // Matrices of f16 are for operands that are rounded to it.
    let matrices = Target {
        cooperative: Some(16),
        subgroup: Some(32),
        max_workgroup_words: 8_192,
        ..HARDWARE
    };
    let mixed = Target { precision: Precision::MIXED, ..matrices };
    assert_eq!(constant(&matmul(4_096, 4_096, 4_096), matrices, "LANES"), 0);
    assert_eq!(constant(&matmul(4_096, 4_096, 4_096), mixed, "LANES"), 32);
    assert_eq!(constant(&matmul(4_096, 4_096, 4_096), mixed, "ACROSS"), 4);
    assert_eq!(constant(&matmul(64, 4_096, 64), mixed, "DOWN"), 1);
    assert_eq!(constant(&matmul(32, 4_096, 10), HARDWARE, "SIDE"), 8);
    let split = lower(&matmul(32, 4_096, 10), HARDWARE).unwrap();
    assert_eq!(split.len(), 2);
    assert_eq!(split[0].slots[4], Slot::Scratch);
    assert!(lower(&matmul(64, 50, 10), HARDWARE).unwrap().len() == 1);
    // Longer than the loops that a software adapter grants.
    let software = Target { software: true, ..HARDWARE };
    assert_eq!(lower(&matmul(2, LOOP_LIMIT + 1, 2), software).unwrap().len(), 2);
}

#[test]
fn grids_are_folded_where_they_are_too_long() {
    let view = |buffer| View::new(buffer, Shape::new(70_000, 100));
    let op = Op::Scalar { op: BinaryOp::Add, a: view(0), scalar: 1.0, output: view(1) };
    let [x, y, z] = lower(&op, HARDWARE).unwrap()[0].groups;
    assert!(x <= 65_535 && y == 2 && z == 1, "{x} {y} {z}");
    assert!(u64::from(x * y) * 64 >= 7_000_000);
}

#[test]
fn long_loops_and_folded_grids_give_whole_results() {
    for device in gpus() {
        // 4.3 million elements: 67,000 workgroups, and a sum that no one thread may loop over.
        let (rows, cols) = (66_003, 65);
        let input = View::new(0, Shape::new(rows, cols));
        let ones = device.allocate(rows * cols).unwrap();
        let sums = device.allocate(rows).unwrap();
        let list = [&ones, &sums];
        let run = |op: Op| device.execute(&op, &list, &StepArgs::default()).unwrap();
        run(Op::Fill { value: 1.0, output: input });
        for (axis, want) in [(Axis::All, rows * cols), (Axis::Columns, rows), (Axis::Rows, cols)] {
            let output = View::new(1, axis.reduced(input.shape));
            run(Op::Reduce { reduction: Reduction::Sum, axis, input, output });
            let got: Vec<f32> = sums.read_range(output.range()).unwrap();
            assert!(got.iter().all(|&sum| sum == want as f32), "{axis:?}: {} not {want}", got[0]);
        }
        // Products over 66,003 rows and over all elements, which are k for a weight's gradient.
        for (k, m) in [(rows, cols), (rows * cols, 1)] {
            let a = View::new(0, Shape::new(k, m));
            let output = View::new(1, Shape::new(m, m));
            run(Op::Matmul { a, b: a, transpose_a: true, transpose_b: false, output });
            let got: Vec<f32> = sums.read_range(output.range()).unwrap();
            assert!(got.iter().all(|&sum| sum == k as f32), "{} not {k}", got[0]);
        }
    }
}

#[test]
fn eager_instructions_are_collected_and_pipelines_kept() {
    let Some(gpu) = fresh() else { return };
    let storage = gpu.upload(Arc::new(vec![0.0; 100])).unwrap();
    let other = gpu.allocate(100).unwrap();
    let view = |buffer| View::new(buffer, Shape::new(1, 100));
    let add = Op::Scalar { op: BinaryOp::Add, a: view(0), scalar: 1.0, output: view(1) };
    let before = gpu.meter().counters();
    for i in 0..MAX_PENDING {
        let list = if i % 2 == 0 { [&storage, &other] } else { [&other, &storage] };
        gpu.execute(&add, &list, &StepArgs::default()).unwrap();
    }
    let after = gpu.meter().counters();
    assert_eq!(gpu.shared.recorder.pending(), MAX_PENDING);
    assert_eq!(after.submissions, before.submissions);
    assert_eq!(after.allocations, before.allocations);
    assert_eq!(gpu.shared.pipelines.count(), 1);
    let got = pollster::block_on(gpu.read(&[(&storage, 0..100)])).unwrap();
    assert_eq!(got[0], vec![MAX_PENDING as f32; 100]);
    assert_eq!(gpu.shared.recorder.pending(), 0);
}

#[test]
fn writes_and_reads_are_in_order_with_the_queue() {
    let Some(device) = gpu() else { return };
    let words = numbers(10, 1);
    let a = device.upload(&words).unwrap();
    let b = device.allocate(10).unwrap();
    let view = |buffer| View::new(buffer, Shape::new(1, 10));
    let add = Op::Scalar { op: BinaryOp::Add, a: view(0), scalar: 1.0, output: view(1) };
    device.execute(&add, &[&a, &b], &StepArgs::default()).unwrap();
    a.write(3, &[7.0f32]).unwrap();
    let sums: Vec<f32> = b.read().unwrap();
    assert!(sums.iter().zip(&words).all(|(sum, word)| *sum == word + 1.0));
    device.execute(&add, &[&a, &b], &StepArgs::default()).unwrap();
    assert_eq!(b.read_range::<f32>(3..4).unwrap(), [8.0]);
}

#[test]
fn long_runs_keep_few_submissions_in_flight_and_allocate_nothing() {
    let Some(gpu) = fresh() else { return };
    let a = gpu.allocate(4).unwrap();
    let b = gpu.allocate(4).unwrap();
    let view = |buffer| View::new(buffer, Shape::new(1, 4));
    let step =
        |from, to| Op::Scalar { op: BinaryOp::Add, a: view(from), scalar: 1.0, output: view(to) };
    let buffers = ["a", "b"]
        .map(|name| BufferSpec { name: name.into(), words: 4, transient: false })
        .to_vec();
    let program = Program { buffers, ops: vec![step(0, 1), step(1, 0)] };
    let storages: [Storage; 2] = [a.clone(), b];
    let mut executable = gpu.compile(&[program], &storages).unwrap();
    let launches = vec![Launch { program: 0, args: StepArgs::default() }; 20_000];
    let before = gpu.meter().counters();
    executable.run(&launches).unwrap();
    let after = gpu.meter().counters();
    assert!(gpu.shared.context.in_flight() <= MAX_IN_FLIGHT);
    assert!(after.submissions - before.submissions >= 20);
    assert_eq!(after.allocations, before.allocations);
    assert_eq!(after.readbacks, before.readbacks);
    assert_eq!(after.steps - before.steps, 20_000);
    let got = pollster::block_on(gpu.read(&[(&a, 1..3)])).unwrap();
    assert_eq!(got[0], vec![40_000.0; 2]);
}
