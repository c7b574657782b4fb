//! Products by every shape of every kernel, whatever would be chosen, around the edges of its tiles.

use std::sync::Arc;

use super::super::kernels::TileShape;
use super::super::{Gpu, adapter};
use super::{Memory, gpu, numbers};
use crate::device::{Device, Precision};
use crate::nn::Activation;
use crate::op::{Op, Shape, View};

/// A device whose products are all cut in one way.
struct Cut {
    device: Device,
    rows: usize,
    cols: usize,
}

/// The larger of the ways in which the adapter can cut products; `ops.rs` has the others, by its sizes.
fn cuts() -> Vec<Cut> {
    if gpu().is_none() {
        return Vec::new();
    }
    let target = adapter::fresh().unwrap().target;
    let mut shapes: Vec<TileShape> = [(16, 2, 2), (16, 2, 1), (16, 1, 2)]
        .map(|(side, blocks, stages)| TileShape::Tiled { side, blocks, stages })
        .to_vec();
    if let Some((size, lanes)) = target.cooperative.zip(target.subgroup) {
        let cooperative = |(down, across)| TileShape::Cooperative { size, lanes, down, across };
        shapes.extend([(2, 4), (2, 2), (1, 2)].map(cooperative));
    }
    shapes.into_iter().map(cut).collect()
}

fn cut(shape: TileShape) -> Cut {
    let mut shared = adapter::fresh().unwrap();
    shared.target.shape = Some(shape);
    if matches!(shape, TileShape::Cooperative { .. }) {
        shared.target.precision = Precision::Mixed { loss_scale: 1 };
    }
    let (rows, cols) = shape.size();
    Cut { device: Device { backend: Arc::new(Gpu { shared: Arc::new(shared) }) }, rows, cols }
}

/// A matrix of numbers that f16 holds.
fn matrix(memory: &mut Memory, rows: usize, cols: usize, seed: u64) -> View {
    let coarse = |x: f32| (x * 512.0).round() / 512.0;
    let values = numbers(rows * cols, seed).into_iter().map(coarse).collect();
    memory.input(Shape::new(rows, cols), values)
}

#[test]
fn every_shape_is_right_at_the_edges_of_its_tiles() {
    for Cut { device, rows, cols } in cuts() {
        println!("{rows} x {cols}");
        let sizes =
            [(1, 1, 1), (rows - 1, 13, cols + 1), (rows, 72, cols), (rows + 1, 37, 2 * cols - 1)];
        for (index, (m, k, n)) in sizes.into_iter().enumerate() {
            let (transpose_a, transpose_b) = (index % 2 == 1, index >= 2);
            let mut memory = Memory::default();
            let shape = |swap, (rows, cols)| if swap { (cols, rows) } else { (rows, cols) };
            let (a, b) = (shape(transpose_a, (m, k)), shape(transpose_b, (k, n)));
            let a = matrix(&mut memory, a.0, a.1, 1);
            let b = matrix(&mut memory, b.0, b.1, 2);
            let output = memory.output(m, n);
            memory.check(&device, &Op::Matmul { a, b, transpose_a, transpose_b, output });
        }
    }
}

#[test]
fn every_shape_has_the_epilogues_of_layers() {
    for Cut { device, rows, cols } in cuts() {
        println!("{rows} x {cols}");
        // Words, and fours.
        let sizes = [(rows + 3, 37, cols + 1), (rows - 4, 36, cols + 4)];
        for (index, (batch, inputs, outputs)) in sizes.into_iter().enumerate() {
            let mut memory = Memory::default();
            let source = matrix(&mut memory, batch + 5, inputs, 1);
            let input = memory.pick(2, batch, source, 2);
            let weight = matrix(&mut memory, inputs, outputs, 3);
            let bias = memory.behind(weight, numbers(outputs, 4), 1, outputs);
            let bias = Some(bias);
            let pre = Some(memory.output(batch, outputs));
            let output = memory.output(batch, outputs);
            let activation = Activation::Sigmoid;
            memory.check(&device, &Op::Dense { input, weight, bias, activation, pre, output });

            let mut memory = Memory::default();
            let delta = matrix(&mut memory, batch, inputs, 1);
            let weight = matrix(&mut memory, outputs, inputs, 2);
            let cached = Some(memory.matrix(batch, outputs, 3));
            let output = memory.output(batch, outputs);
            let activation = Activation::Tanh;
            memory.check(&device, &Op::Backward { delta, weight, activation, cached, output });

            // The batch is what is summed over, and the row of ones ends a tile or begins one.
            let (batch, inputs) = (45, rows - 1 + index);
            let mut memory = Memory::default();
            let source = matrix(&mut memory, batch + 5, inputs, 1);
            let input = memory.pick(1, batch, source, 1);
            let delta = matrix(&mut memory, batch, outputs, 2);
            let weight = memory.output(inputs, outputs);
            let bias = Some(memory.behind(weight, numbers(outputs, 6), 1, outputs));
            memory.check(&device, &Op::Gradient { accumulate: false, input, delta, weight, bias });
        }
        // Split along k, where C comes in fours and where it does not.
        for n in [8, 7] {
            let mut memory = Memory::default();
            let a = matrix(&mut memory, 5, 5_000, 1);
            let b = matrix(&mut memory, 5_000, n, 2);
            let output = memory.output(5, n);
            let op = Op::Matmul { a, b, transpose_a: false, transpose_b: false, output };
            memory.check_to(&device, &op, 2e-4);
        }
    }
}
