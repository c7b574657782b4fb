//! Instructions between gradient and update, and after it: penalties, limits, averages.

use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::nn::sign;
use crate::op::{NORM_EPSILON, Op};

pub(super) fn execute(op: &Op, bank: &mut Bank) {
    match *op {
        Op::Penalize { l1, l2, parameters, gradients } => bank.write(gradients, |bank, out| {
            let parameters = bank.read(parameters);
            vectorize(|| penalize(l1, l2, parameters, out));
        }),
        Op::Clip { limit, values } => bank.write(values, |_, out| {
            // clamp lets a NaN through, so that divergence is seen.
            vectorize(|| out.iter_mut().for_each(|x| *x = x.clamp(-limit, limit)));
        }),
        Op::LimitNorm { limit, norms, values } => bank.write(values, |bank, out| {
            let norms = bank.read(norms);
            vectorize(|| limit_norm(limit, norms, out));
        }),
        Op::Average { decay, parameters, average } => bank.write(average, |bank, out| {
            let parameters = bank.read(parameters);
            let share = 1.0 - decay;
            vectorize(|| {
                out.iter_mut().zip(parameters).for_each(|(mean, p)| *mean += share * (p - *mean));
            });
        }),
        _ => {}
    }
}

#[inline(always)]
fn penalize(l1: f32, l2: f32, parameters: &[f32], gradients: &mut [f32]) {
    for (g, &p) in gradients.iter_mut().zip(parameters) {
        *g += l1 * sign(p) + l2 * p;
    }
}

/// One norm for all values, or one for each column.
#[inline(always)]
fn limit_norm(limit: f32, norms: &[f32], values: &mut [f32]) {
    let factor = |norm: f32| {
        let factor = limit / (norm + NORM_EPSILON);
        // Not min(): a NaN must pass through.
        if factor > 1.0 { 1.0 } else { factor }
    };
    match *norms {
        [norm] => {
            let factor = factor(norm);
            values.iter_mut().for_each(|x| *x *= factor);
        }
        _ => {
            for row in values.chunks_exact_mut(norms.len()) {
                row.iter_mut().zip(norms).for_each(|(x, &norm)| *x *= factor(norm));
            }
        }
    }
}
