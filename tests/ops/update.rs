//! The optimizers' instructions, for every rule with each of its settings, from its formula in f64.

use wgrad::op::{Op, Shape};
use wgrad::optim::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, Lamb, Lion, NAdam, Optimizer, RAdam, RmsProp, Sgd,
};

use super::near::Near;
use crate::common::Values;
use crate::common::bench::everywhere;
use crate::common::compare::Expected;

/// Not the optimizer's own rate: a schedule may hand in another one, and a group has its factor.
const RATE: f64 = 0.03;
const RATE_FACTOR: f32 = 0.5;

/// A parameter and its moments, before or after a step.
type Weight = [Near; 4];

/// The formulas of the documentation, with the learning rate and the step t, from 1.
fn stepped(optimizer: Optimizer, rate: f64, t: i32, [p, m, v, w]: Weight, g: Near) -> Weight {
    let c = Near::constant;
    let known = |decay: f64| 1.0 - decay.powi(t);
    match optimizer {
        Optimizer::Sgd(Sgd { momentum, dampening, nesterov, weight_decay, .. }) => {
            let g = g + c(weight_decay) * p;
            let v = if t == 1 { g } else { c(momentum) * m + c(1.0 - dampening) * g };
            let step = match (momentum == 0.0, nesterov) {
                (true, _) => g,
                (_, true) => g + c(momentum) * v,
                (_, false) => v,
            };
            [p - c(rate) * step, v, w, w]
        }
        Optimizer::Adam(Adam { beta1, beta2, epsilon, weight_decay, amsgrad, .. }) => {
            let g = g + c(weight_decay) * p;
            let (m, v) = (m.towards(g, 1.0 - beta1), v.towards(g * g, 1.0 - beta2));
            let w = w.max(v);
            let most = if amsgrad { w } else { v };
            let below = most.sqrt() * c(1.0 / known(beta2).sqrt()) + c(epsilon);
            [p - c(rate / known(beta1)) * m / below, m, v, w]
        }
        Optimizer::AdamW(AdamW { beta1, beta2, epsilon, weight_decay, amsgrad, .. }) => {
            let (m, v) = (m.towards(g, 1.0 - beta1), v.towards(g * g, 1.0 - beta2));
            let w = w.max(v);
            let most = if amsgrad { w } else { v };
            let below = most.sqrt() * c(1.0 / known(beta2).sqrt()) + c(epsilon);
            let kept = p - c(rate) * c(weight_decay) * p;
            [kept - c(rate / known(beta1)) * m / below, m, v, w]
        }
        Optimizer::NAdam(NAdam { beta1, beta2, epsilon, weight_decay, momentum_decay, .. }) => {
            let g = g + c(weight_decay) * p;
            let (m, v) = (m.towards(g, 1.0 - beta1), v.towards(g * g, 1.0 - beta2));
            let mu = |t: i32| beta1 * (1.0 - 0.5 * 0.96f64.powf(f64::from(t) * momentum_decay));
            let product: f64 = (1..=t).map(mu).product();
            let below = v.sqrt() * c(1.0 / known(beta2).sqrt()) + c(epsilon);
            let along_g = c(rate * (1.0 - mu(t)) / (1.0 - product));
            let along_m = c(rate * mu(t + 1) / (1.0 - product * mu(t + 1)));
            [p - (along_g * g + along_m * m) / below, m, v, w]
        }
        Optimizer::RAdam(RAdam { beta1, beta2, epsilon, weight_decay, .. }) => {
            let g = g + c(weight_decay) * p;
            let (m, v) = (m.towards(g, 1.0 - beta1), v.towards(g * g, 1.0 - beta2));
            let most = 2.0 / (1.0 - beta2) - 1.0;
            let now = most - 2.0 * f64::from(t) * beta2.powi(t) / known(beta2);
            let rate = rate / known(beta1);
            if now <= 5.0 {
                return [p - c(rate) * m, m, v, w];
            }
            let above = (now - 4.0) * (now - 2.0) * most;
            let rectified = (above / ((most - 4.0) * (most - 2.0) * now)).sqrt();
            let rate = rate * rectified * known(beta2).sqrt();
            [p - c(rate) * m / (v.sqrt() + c(epsilon)), m, v, w]
        }
        Optimizer::Adamax(Adamax { beta1, beta2, epsilon, weight_decay, .. }) => {
            let g = g + c(weight_decay) * p;
            let m = m.towards(g, 1.0 - beta1);
            let u = (c(beta2) * v).max(g.abs() + c(epsilon));
            [p - c(rate / known(beta1)) * m / u, m, u, w]
        }
        Optimizer::RmsProp(rule) => rmsprop(rule, rate, [p, m, v, w], g),
        Optimizer::Adagrad(rule) => {
            let g = g + c(rule.weight_decay) * p;
            let initial = if t == 1 { rule.initial_accumulator } else { 0.0 };
            let sum = m + c(initial) + g * g;
            let rate = rate / (1.0 + f64::from(t - 1) * rule.learning_rate_decay);
            [p - c(rate) * g / (sum.sqrt() + c(rule.epsilon)), sum, v, w]
        }
        Optimizer::Adadelta(Adadelta { rho, epsilon, weight_decay, .. }) => {
            let g = g + c(weight_decay) * p;
            let squares = m.towards(g * g, 1.0 - rho);
            let step = (v + c(epsilon)).sqrt() / (squares + c(epsilon)).sqrt() * g;
            [p - c(rate) * step, squares, v.towards(step * step, 1.0 - rho), w]
        }
        Optimizer::Lion(Lion { beta1, beta2, weight_decay, .. }) => {
            let step = m.towards(g, 1.0 - beta1).sign() + c(weight_decay) * p;
            [p - c(rate) * step, m.towards(g, 1.0 - beta2), v, w]
        }
        other => panic!("no reference for {}", other.name()),
    }
}

/// Moments: the mean of squares; the mean, if centered; the velocity, if there is a momentum.
fn rmsprop(rule: RmsProp, rate: f64, [p, squares, second, third]: Weight, g: Near) -> Weight {
    let c = Near::constant;
    let g = g + c(rule.weight_decay) * p;
    let squares = squares.towards(g * g, 1.0 - rule.alpha);
    let mean = if rule.centered { second.towards(g, 1.0 - rule.alpha) } else { c(0.0) };
    let variance = (squares - mean * mean).max(c(0.0));
    let step = g / (variance.sqrt() + c(rule.epsilon));
    let old = if rule.centered { third } else { second };
    let velocity = c(rule.momentum) * old + step;
    let step = if rule.momentum == 0.0 { step } else { velocity };
    let (second, third) = if rule.centered { (mean, velocity) } else { (velocity, velocity) };
    [p - c(rate) * step, squares, second, third]
}

/// Every rule with its defaults, and with each setting changed.
fn optimizers() -> Vec<Optimizer> {
    let sgd = Sgd::new(0.1);
    let swift = sgd.momentum(0.9);
    let rmsprop = RmsProp::default();
    let changed: Vec<Optimizer> = vec![
        sgd.weight_decay(0.2).into(),
        swift.into(),
        swift.dampening(0.3).into(),
        sgd.momentum(0.5).weight_decay(0.2).into(),
        swift.nesterov().into(),
        sgd.momentum(0.7).nesterov().weight_decay(0.3).into(),
        Adam::default().beta1(0.5).into(),
        Adam::default().beta2(0.9).into(),
        Adam::default().epsilon(0.1).into(),
        Adam::default().weight_decay(0.2).into(),
        Adam::default().amsgrad().weight_decay(0.2).into(),
        AdamW::default().beta1(0.5).beta2(0.9).epsilon(0.1).into(),
        AdamW::default().weight_decay(0.5).into(),
        AdamW::default().amsgrad().into(),
        NAdam::default().beta1(0.5).beta2(0.9).epsilon(0.1).into(),
        NAdam::default().weight_decay(0.2).momentum_decay(0.3).into(),
        RAdam::default().beta1(0.5).beta2(0.9).epsilon(0.1).into(),
        RAdam::default().weight_decay(0.2).into(),
        Adamax::default().beta1(0.5).beta2(0.9).epsilon(0.1).into(),
        Adamax::default().weight_decay(0.2).into(),
        rmsprop.alpha(0.9).epsilon(0.1).weight_decay(0.2).into(),
        rmsprop.momentum(0.9).into(),
        rmsprop.centered().epsilon(0.01).into(),
        rmsprop.centered().momentum(0.8).epsilon(0.01).weight_decay(0.1).into(),
        Adagrad::default().learning_rate_decay(0.3).epsilon(0.1).into(),
        Adagrad::default().initial_accumulator(0.4).weight_decay(0.2).into(),
        Adadelta::default().rho(0.5).epsilon(0.1).weight_decay(0.2).into(),
        Lion::default().beta1(0.5).beta2(0.8).weight_decay(0.2).into(),
        Lamb::default().beta1(0.5).beta2(0.9).epsilon(0.1).into(),
        Lamb::default().weight_decay(0.2).into(),
    ];
    Optimizer::all().into_iter().chain(changed).collect()
}

/// Parameters, gradients and moments before step t.
struct Case {
    p: Vec<f32>,
    g: Vec<f32>,
    moments: [Vec<f32>; 3],
}

impl Case {
    fn new(optimizer: Optimizer, words: usize, t: i32) -> Self {
        let mut values = Values::new(words as u64);
        let p = values.within(1.0, words);
        let g = values.within(1.0, words);
        // Zeros in the first step; afterwards a mean of squares is positive and no less than the
        // mean's square.
        let old = if t == 1 { 0.0 } else { 0.5 };
        let mut numbers = || values.within(old, words);
        let mut moments = [numbers(), numbers(), numbers()];
        let positive: &[usize] = match optimizer {
            Optimizer::Sgd(_) | Optimizer::Lion(_) => &[],
            Optimizer::RmsProp(_) | Optimizer::Adagrad(_) => &[0],
            Optimizer::Adadelta(_) => &[0, 1],
            _ => &[1, 2],
        };
        for &moment in positive {
            let above = if matches!(optimizer, Optimizer::RmsProp(_)) { old } else { 0.0 };
            moments[moment].iter_mut().for_each(|x| *x = x.abs() + above);
        }
        Self { p, g, moments }
    }

    fn weight(&self, i: usize) -> Weight {
        let [m, v, w] = [0, 1, 2].map(|k| Near::exact(self.moments[k][i]));
        [Near::exact(self.p[i]), m, v, w]
    }
}

/// What is expected of one of the numbers of each weight.
fn column(weights: &[Weight], part: usize) -> Vec<Expected> {
    weights.iter().map(|weight| weight[part].into()).collect()
}

fn check_update(optimizer: Optimizer, words: usize, t: i32) {
    let case = Case::new(optimizer, words, t);
    let rate = RATE * f64::from(RATE_FACTOR);
    let results: Vec<Weight> = (0..words)
        .map(|i| stepped(optimizer, rate, t, case.weight(i), Near::exact(case.g[i])))
        .collect();
    let expected = [0, 1, 2, 3].map(|part| column(&results, part));
    let shape = Shape::new(1, words);
    everywhere(&format!("update {optimizer:?} of {words} in step {t}"), |bench| {
        let gradients = bench.values(shape, &case.g);
        let parameters = bench.values(shape, &case.p);
        bench.expect(parameters, expected[0].clone());
        let mut moments = [None; 3];
        for (k, moment) in moments.iter_mut().enumerate().take(optimizer.moments()) {
            let view = bench.values(shape, &case.moments[k]);
            bench.expect(view, expected[k + 1].clone());
            *moment = Some(view);
        }
        bench.args.coefficients = optimizer.coefficients(t as u64, RATE);
        Op::Update { optimizer, rate_factor: RATE_FACTOR, parameters, gradients, moments }
    });
}

#[test]
fn update() {
    for optimizer in optimizers().into_iter().filter(|optimizer| !optimizer.needs_norms()) {
        for words in [1, 7, 64, 129] {
            for t in [1, 2, 10] {
                check_update(optimizer, words, t);
            }
        }
    }
    for optimizer in Optimizer::all().into_iter().filter(|optimizer| !optimizer.needs_norms()) {
        check_update(optimizer, 70_000, 2);
    }
}

#[test]
fn direction() {
    for optimizer in optimizers() {
        let Optimizer::Lamb(lamb) = optimizer else { continue };
        for (words, t) in [1, 7, 64, 129, 70_000].into_iter().flat_map(|n| [(n, 1), (n, 10)]) {
            let case = Case::new(optimizer, words, t);
            let directed = |i: usize| -> Weight {
                let ([p, m, v, w], g) = (case.weight(i), Near::exact(case.g[i]));
                let m = m.towards(g, 1.0 - lamb.beta1);
                let v = v.towards(g * g, 1.0 - lamb.beta2);
                let [m_known, v_known] = [lamb.beta1, lamb.beta2].map(|b| 1.0 - b.powi(t));
                let below =
                    v.sqrt() * Near::constant(v_known.powf(-0.5)) + Near::constant(lamb.epsilon);
                let quotient = Near::constant(1.0 / m_known) * m / below;
                [quotient + Near::constant(lamb.weight_decay) * p, m, v, w]
            };
            let results: Vec<Weight> = (0..words).map(directed).collect();
            let expected = [0, 1, 2].map(|part| column(&results, part));
            let shape = Shape::new(1, words);
            everywhere(&format!("direction {lamb:?} of {words} in step {t}"), |bench| {
                let gradients = bench.values(shape, &case.g);
                let parameters = bench.values(shape, &case.p);
                let [m, v] = [0, 1].map(|k| bench.values(shape, &case.moments[k]));
                for (view, expected) in [gradients, m, v].into_iter().zip(&expected) {
                    bench.expect(view, expected.clone());
                }
                bench.args.coefficients = optimizer.coefficients(t as u64, RATE);
                Op::Direction {
                    optimizer,
                    parameters,
                    gradients,
                    moments: [Some(m), Some(v), None],
                }
            });
        }
    }
}

#[test]
fn trust_step() {
    let optimizer = Optimizer::from(Lamb::default());
    let one = Shape::new(1, 1);
    for norms in [[2.0, 3.0], [0.0, 3.0], [2.0, 0.0], [0.0, 0.0]] {
        for shape in [(1, 1), (3, 7), (8, 8), (700, 101)].map(|(r, c)| Shape::new(r, c)) {
            let mut values = Values::new(shape.len() as u64);
            let p = values.within(1.0, shape.len());
            let d = values.within(1.0, shape.len());
            let trust = if norms.contains(&0.0) { 1.0 } else { 2.0 / 3.0 };
            let rate = Near::constant(RATE * f64::from(RATE_FACTOR) * trust);
            let moved = |(&p, &d): (&f32, &f32)| Near::exact(p) - rate * Near::exact(d);
            // The rate is a product of three rounded factors.
            let widened = |near: Near| Expected { value: near.value, within: 4.0 * near.within };
            let expected: Vec<Expected> = p.iter().zip(&d).map(moved).map(widened).collect();
            everywhere(&format!("trust step of {shape} with norms {norms:?}"), |bench| {
                let direction = bench.values(shape, &d);
                let parameters = bench.values(shape, &p);
                let [parameter_norm, direction_norm] = norms.map(|norm| bench.values(one, &[norm]));
                bench.expect(parameters, expected.clone());
                bench.args.coefficients = optimizer.coefficients(3, RATE);
                let rate_factor = RATE_FACTOR;
                Op::TrustStep { rate_factor, parameters, direction, parameter_norm, direction_norm }
            });
        }
    }
}
