//! What only the inside of the backend can show: every kernel against f64, with guard bands and
//! poisoned outputs, and the queues.

mod halves;
mod internals;
mod ops;
mod packing;
mod precision;
mod reference;
mod shapes;
mod two_pass;

use std::sync::{Arc, OnceLock};

use super::{Gpu, adapter};
use crate::device::{Buffer, Device};
use crate::error::Error;
use crate::op::{Op, Pick, Rows, Shape, StepArgs, View};

/// The GPU, or nothing, said aloud, where there is none and none is required.
fn gpu() -> Option<Device> {
    match Device::gpu() {
        Ok(device) => Some(device),
        Err(error @ Error::NoAdapter { .. }) => {
            let required = std::env::var("WGRAD_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "{error}");
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The GPU as it is, and as if it were of another kind: the kernels chosen for hardware run on a
/// software adapter too, and have to be right there.
fn gpus() -> Vec<Device> {
    static OTHER: OnceLock<Device> = OnceLock::new();
    let other = || {
        let mut shared = adapter::fresh().unwrap();
        shared.target.software = !shared.target.software;
        Device { backend: Arc::new(Gpu { shared: Arc::new(shared) }) }
    };
    gpu().into_iter().flat_map(|gpu| [gpu, OTHER.get_or_init(other).clone()]).collect()
}

/// Reproducible numbers in [-1, 1).
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(next).collect()
}

/// Row numbers or labels below `limit`, as the words of a buffer.
fn indices(count: usize, limit: usize, seed: u64) -> Vec<f32> {
    let index =
        |x: &f32| f32::from_bits((((x + 1.0) / 2.0 * limit as f32) as u32).min(limit as u32 - 1));
    numbers(count, seed).iter().map(index).collect()
}

/// A NaN that no arithmetic makes: what must not be written keeps it.
const POISON: u32 = 0x7fc1_2345;

/// Words behind every view. There are as many before it, and one more where it does not come in
/// fours, so that kernels that load vectors of 4 have their share.
const GUARD: usize = 4;

/// Buffers under construction.
#[derive(Default)]
struct Memory {
    buffers: Vec<Vec<f32>>,
}

impl Memory {
    /// A view of these values in a buffer of its own, between guards.
    fn input(&mut self, shape: Shape, values: Vec<f32>) -> View {
        assert_eq!(values.len(), shape.len());
        let poison = [f32::from_bits(POISON); GUARD + 1];
        let offset = GUARD + usize::from(!shape.cols.is_multiple_of(4));
        self.buffers.push([&poison[..offset], &values, &poison[..GUARD]].concat());
        View { buffer: self.buffers.len() - 1, offset, shape }
    }

    fn matrix(&mut self, rows: usize, cols: usize, seed: u64) -> View {
        self.input(Shape::new(rows, cols), numbers(rows * cols, seed))
    }

    /// A poisoned view in a buffer of its own.
    fn output(&mut self, rows: usize, cols: usize) -> View {
        let shape = Shape::new(rows, cols);
        self.input(shape, vec![f32::from_bits(POISON); shape.len()])
    }

    /// A view behind another one, in its buffer.
    fn behind(&mut self, view: View, values: Vec<f32>, rows: usize, cols: usize) -> View {
        let buffer = &mut self.buffers[view.buffer];
        let offset = buffer.len();
        buffer.extend(values);
        buffer.extend([f32::from_bits(POISON); GUARD]);
        View { buffer: view.buffer, offset, shape: Shape::new(rows, cols) }
    }

    /// A minibatch of `count` rows out of `rows`, in one of three ways.
    fn rows(&mut self, way: usize, count: usize, rows: usize, cols: usize, seed: u64) -> Rows {
        let source = if way == 0 { count } else { rows };
        let source = self.matrix(source, cols, seed);
        self.pick(way, count, source, seed)
    }

    fn pick(&mut self, way: usize, count: usize, source: View, seed: u64) -> Rows {
        let pick = match way {
            0 => Pick::All,
            1 => Pick::Range,
            _ => {
                let order = Shape::new(count + ARGS.first_row as usize, 1);
                let values = indices(order.rows, source.shape.rows, seed + 1);
                Pick::Order(self.input(order, values))
            }
        };
        Rows { source, pick, count }
    }

    /// Executes the instruction and compares every word of every buffer with the reference.
    fn check(&self, device: &Device, op: &Op) {
        self.check_to(device, op, 2e-5);
    }

    fn check_to(&self, device: &Device, op: &Op, tolerance: f64) {
        let upload = |words: &Vec<f32>| device.upload(words).unwrap();
        let buffers: Vec<Buffer> = self.buffers.iter().map(upload).collect();
        let list: Vec<&Buffer> = buffers.iter().collect();
        device.execute(op, &list, &ARGS).unwrap_or_else(|error| panic!("{op:?}: {error}"));
        let mut expected: Vec<Vec<Option<f64>>> =
            self.buffers.iter().map(|words| vec![None; words.len()]).collect();
        for (buffer, index, value) in reference::run(op, &self.buffers, &ARGS) {
            expected[buffer][index] = Some(value);
        }
        for (number, buffer) in buffers.iter().enumerate() {
            let got: Vec<f32> = buffer.read().unwrap();
            for (index, &got) in got.iter().enumerate() {
                let before = self.buffers[number][index];
                let place = || format!("{op:?}: word {index} of buffer {number} is {got}");
                match expected[number][index] {
                    None => {
                        assert_eq!(got.to_bits(), before.to_bits(), "{}, was {before}", place())
                    }
                    Some(want) if want.is_nan() => assert!(got.is_nan(), "{}, not NaN", place()),
                    Some(want) => {
                        let bound = tolerance * (1.0 + want.abs());
                        let near = (f64::from(got) - want).abs() <= bound;
                        assert!(near || f64::from(got) == want, "{}, not {want}", place());
                    }
                }
            }
        }
    }
}

/// The arguments of every instruction tested: not zero, so that forgetting them shows.
const ARGS: StepArgs = StepArgs {
    first_row: 2,
    slot: 3,
    number: 0,
    keep: 0,
    coefficients: [0.01, 0.0, 0.9, 0.4, 0.7, 0.3, 0.0, 0.0],
};
