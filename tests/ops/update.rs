//! Update, for every optimizer with each of its constants, from its formula in f64.

use wgrad::op::{Op, Shape};
use wgrad::optim::{Adam, Optimizer, Sgd};

use crate::common::Values;
use crate::common::bench::everywhere;
use crate::common::compare::{EPS, Expected, TINY};

/// One parameter with its gradient and moments.
#[derive(Clone, Copy)]
struct Weight {
    p: f64,
    g: f64,
    first: f64,
    second: f64,
}

/// What the step makes of a parameter and its moments.
struct Stepped {
    p: Expected,
    first: Expected,
    second: Expected,
}

/// A few roundings of each of the terms that a moment or a step is made of.
fn near(value: f64, terms: &[f64]) -> Expected {
    let magnitude: f64 = terms.iter().map(|term| term.abs()).sum();
    Expected { value, within: 4.0 * EPS * magnitude + TINY }
}

/// The formulas of the documentation, with the learning rate and the step t, from 1.
fn stepped(optimizer: Optimizer, rate: f64, t: i32, weight: Weight) -> Stepped {
    let Weight { p, g, first, second } = weight;
    match optimizer {
        Optimizer::Sgd(Sgd { momentum, nesterov, weight_decay, .. }) => {
            let g = g + weight_decay * p;
            let v = if t == 1 || momentum == 0.0 { g } else { momentum * first + g };
            let step = if nesterov { g + momentum * v } else { v };
            let terms = [weight.g, weight_decay * p, momentum * first];
            let of_step: Vec<f64> = terms.iter().map(|term| 2.0 * rate * term).collect();
            Stepped {
                p: near(p - rate * step, &[&of_step[..], &[p]].concat()),
                first: near(v, &terms),
                second: near(0.0, &[]),
            }
        }
        Optimizer::Adam(Adam { beta1, beta2, epsilon, weight_decay, .. }) => {
            let penalty = weight_decay * p;
            let largest = g.abs() + penalty.abs();
            let g = g + penalty;
            let m = beta1 * first + (1.0 - beta1) * g;
            let v = beta2 * second + (1.0 - beta2) * g * g;
            let denominator = v.sqrt() / (1.0 - beta2.powi(t)).sqrt() + epsilon;
            let rate = rate / (1.0 - beta1.powi(t));
            let step = rate * m / denominator;
            let m_near = near(m, &[first, (1.0 - beta1) * largest]);
            let v_near = near(v, &[second, (1.0 - beta2) * largest * largest]);
            // The step's own roundings, and what it inherits from the moments.
            let inherited = rate * m_near.within / denominator;
            let relative = if v > 0.0 { v_near.within / v } else { 0.0 };
            let p_near = near(p - step, &[p, 2.0 * step]);
            let within = p_near.within + inherited + step.abs() * relative;
            Stepped { p: Expected { within, ..p_near }, first: m_near, second: v_near }
        }
        other => panic!("no reference for {}", other.name()),
    }
}

fn optimizers() -> Vec<Optimizer> {
    let sgd = Sgd::new(0.1);
    let adam = Adam::new(0.01);
    vec![
        Sgd::default().into(),
        sgd.into(),
        sgd.weight_decay(0.2).into(),
        sgd.momentum(0.9).into(),
        sgd.momentum(0.5).weight_decay(0.2).into(),
        sgd.momentum(0.9).nesterov().into(),
        sgd.momentum(0.7).nesterov().weight_decay(0.3).into(),
        Adam::default().into(),
        adam.into(),
        Adam { beta1: 0.5, ..adam }.into(),
        Adam { beta2: 0.9, ..adam }.into(),
        Adam { epsilon: 0.1, ..adam }.into(),
        Adam { weight_decay: 0.2, ..adam }.into(),
    ]
}

#[test]
fn update() {
    for (optimizer, words) in
        optimizers().into_iter().flat_map(|o| [1, 7, 64, 65, 129, 70_000].map(|words| (o, words)))
    {
        for t in [1, 2, 10] {
            let mut values = Values::new(words as u64);
            let p = values.within(1.0, words);
            let g = values.within(1.0, words);
            // Zeros in the first step; afterwards a second moment is positive.
            let old = if t == 1 { 0.0 } else { 0.5 };
            let m = values.within(old, words);
            let v: Vec<f32> = values.within(old, words).iter().map(|v| v.abs()).collect();
            // Not the optimizer's own rate: a schedule may hand in another one.
            let rate = 0.03;
            let results: Vec<Stepped> = (0..words)
                .map(|i| {
                    let [p, g, first, second] = [p[i], g[i], m[i], v[i]].map(f64::from);
                    stepped(optimizer, rate, t, Weight { p, g, first, second })
                })
                .collect();
            let of = |part: fn(&Stepped) -> Expected| results.iter().map(part).collect::<Vec<_>>();
            let (new_p, new_m, new_v) = (of(|r| r.p), of(|r| r.first), of(|r| r.second));
            let shape = Shape::new(1, words);
            everywhere(&format!("update {optimizer:?} of {words} in step {t}"), |bench| {
                let gradients = bench.values(shape, &g);
                let parameters = bench.values(shape, &p);
                let moments = optimizer.moments();
                let first = (moments > 0).then(|| bench.values(shape, &m));
                let second = (moments > 1).then(|| bench.values(shape, &v));
                bench.args.coefficients = optimizer.coefficients(t as u64, rate);
                bench.expect(parameters, &new_p);
                if let Some(first) = first {
                    bench.expect(first, &new_m);
                }
                if let Some(second) = second {
                    bench.expect(second, &new_v);
                }
                Op::Update { optimizer, parameters, gradients, first, second }
            });
        }
    }
}
