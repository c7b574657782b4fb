//! Instructions that draw random numbers by counter.

use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::op::{Op, StepArgs, dropout_threshold};
use crate::random::threefry;

pub(super) fn execute(op: &Op, bank: &mut Bank, args: &StepArgs) {
    let number = args.number;
    match *op {
        Op::Dropout { rate, key, input, output } => bank.write(output, |bank, out| {
            if let Some(input) = input {
                out.copy_from_slice(bank.read(input));
            }
            vectorize(|| drop(rate, key, number, out));
        }),
        Op::Noise { deviation, key, values } => bank.write(values, |_, out| {
            vectorize(|| add_noise(deviation, key, number, out));
        }),
        _ => {}
    }
}

#[inline(always)]
fn drop(rate: f32, key: [u32; 2], number: u32, values: &mut [f32]) {
    let (threshold, scale) = (dropout_threshold(rate), 1.0 / (1.0 - rate));
    for (i, x) in (0u32..).zip(values) {
        let [word, _] = threefry(key, [number, i]);
        *x = if word < threshold { 0.0 } else { *x * scale };
    }
}

#[inline(always)]
fn add_noise(deviation: f32, key: [u32; 2], number: u32, values: &mut [f32]) {
    // 23 bits and a half, so that every step of the way is exact in f32; never 0, nor 1.
    let unit = |word: u32| ((word >> 9) as f32 + 0.5) * (1.0 / (1 << 23) as f32);
    for (i, x) in (0u32..).zip(values) {
        let [u, v] = threefry(key, [number, i]).map(unit);
        *x += deviation * (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos();
    }
}
