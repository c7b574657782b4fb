//! The optimizer's instructions.

use crate::device::cpu::memory::Bank;
use crate::device::cpu::vectorize::vectorize;
use crate::op::{Op, StepArgs};
use crate::optim::Optimizer;

pub(super) fn execute(op: &Op, bank: &mut Bank, args: &StepArgs) {
    match *op {
        Op::Update { optimizer, rate_factor, parameters, gradients, moments } => {
            let [first, second, third] = moments;
            let coefficients = Optimizer::scaled(&args.coefficients, rate_factor);
            bank.write_all([Some(parameters), first, second, third], |bank, [p, m, v, w]| {
                let g = bank.read(gradients);
                vectorize(|| optimizer.update(&coefficients, p, g, [m, v, w]));
            });
        }
        Op::Direction { optimizer: Optimizer::Lamb(lamb), parameters, gradients, moments } => {
            let [first, second, _] = moments;
            bank.write_all([Some(gradients), first, second], |bank, [g, m, v]| {
                let p = bank.read(parameters);
                vectorize(|| lamb.direction(&args.coefficients, p, g, m, v));
            });
        }
        Op::TrustStep { rate_factor, parameters, direction, parameter_norm, direction_norm } => {
            bank.write(parameters, |bank, parameters| {
                let [p, d] = [parameter_norm, direction_norm].map(|norm| bank.read(norm)[0]);
                let trust = if p > 0.0 && d > 0.0 { p / d } else { 1.0 };
                let rate = args.coefficients[0] * rate_factor * trust;
                for (p, d) in parameters.iter_mut().zip(bank.read(direction)) {
                    *p -= rate * d;
                }
            });
        }
        _ => {}
    }
}
