//! The losses in f64, from their definitions, and targets that suit them.
//!
//! Nothing here calls the library's formulas. A new loss of the library fails here until its formula
//! is written down.

use wgrad::nn::{Loss, TargetKind};

use super::Values;

/// One row's targets.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    Label(usize),
    Values(&'a [f64]),
}

impl Target<'_> {
    /// As values: a label's one-hot vector.
    pub fn values(&self, outputs: usize) -> Vec<f64> {
        match self {
            Self::Label(label) => (0..outputs).map(|j| f64::from(u8::from(j == *label))).collect(),
            Self::Values(values) => values.to_vec(),
        }
    }
}

/// The kinds of targets that a loss takes.
pub fn kinds(loss: Loss) -> Vec<TargetKind> {
    let all = [TargetKind::Labels, TargetKind::Values];
    all.into_iter().filter(|&kind| loss.accepts(kind)).collect()
}

/// Targets as a data set for the loss would have them, row-major.
pub fn targets(loss: Loss, numbers: &mut Values, rows: usize, outputs: usize) -> Vec<f32> {
    let unit = |x: f32| 0.5 + 0.5 * x;
    let uniform = numbers.within(1.0, rows * outputs);
    match loss {
        Loss::Poisson => uniform.iter().map(|x| (5.0 * unit(*x)).floor()).collect(),
        // Yes, no, and something between.
        Loss::Bce | Loss::BceWithLogits => {
            let value = |x: &f32| if *x < -0.4 { 0.0 } else { (1.7 * unit(*x)).min(1.0) };
            uniform.iter().map(value).collect()
        }
        Loss::Hinge | Loss::SquaredHinge => uniform.iter().map(|x| x.signum()).collect(),
        // Probabilities of a row, some of them 0.
        Loss::CrossEntropy | Loss::SmoothedCrossEntropy(_) | Loss::KlDivergence => {
            let held: Vec<f32> = uniform.iter().map(|x| (x + 0.5).max(0.0) + 1e-3).collect();
            let row = |row: &[f32]| -> Vec<f32> {
                let sum: f32 = row.iter().sum();
                row.iter().map(|x| if *x < 0.01 { 0.0 } else { x / sum }).collect()
            };
            held.chunks(outputs).flat_map(row).collect()
        }
        _ => uniform,
    }
}

/// The distance of an element from the nearest place where the loss is not smooth.
pub fn to_kink(loss: Loss, y: f64, t: f64) -> f64 {
    let d = (y - t).abs();
    match loss {
        Loss::Mae | Loss::Quantile(_) => d,
        Loss::Huber(at) | Loss::SmoothL1(at) => (d - f64::from(at)).abs(),
        Loss::Hinge | Loss::SquaredHinge => (1.0 - t * y).abs(),
        _ => f64::INFINITY,
    }
}

/// A row's loss: the sum of its terms.
pub fn row(loss: Loss, y: &[f64], target: Target, positive: Option<&[f64]>) -> f64 {
    let t = &target.values(y.len())[..];
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    match loss {
        Loss::CrossEntropy => -dot(t, &log_softmax(y)),
        Loss::SmoothedCrossEntropy(epsilon) => -dot(&smooth(t, epsilon.into()), &log_softmax(y)),
        Loss::Nll => -dot(t, y),
        Loss::Cosine => 1.0 - dot(y, t) / (length(y) * length(t)),
        _ => terms(loss, y, t, positive).map(|(value, _)| value).sum(),
    }
}

/// The gradient of a row's loss with respect to y.
pub fn gradient(loss: Loss, y: &[f64], target: Target, positive: Option<&[f64]>) -> Vec<f64> {
    let t = &target.values(y.len())[..];
    let entropy = |t: &[f64]| {
        let mass: f64 = t.iter().sum();
        log_softmax(y).iter().zip(t).map(|(log, t)| mass * log.exp() - t).collect()
    };
    match loss {
        Loss::CrossEntropy => entropy(t),
        Loss::SmoothedCrossEntropy(epsilon) => entropy(&smooth(t, epsilon.into())),
        Loss::Nll => t.iter().map(|t| -t).collect(),
        Loss::Cosine => {
            let (of_y, of_t) = (length(y), length(t));
            let cosine = y.iter().zip(t).map(|(y, t)| y * t).sum::<f64>() / (of_y * of_t);
            y.iter().zip(t).map(|(y, t)| (cosine * y / of_y - t / of_t) / of_y).collect()
        }
        _ => terms(loss, y, t, positive).map(|(_, slope)| slope).collect(),
    }
}

fn length(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-8)
}

pub fn log_softmax(y: &[f64]) -> Vec<f64> {
    let largest = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = largest + y.iter().map(|y| (y - largest).exp()).sum::<f64>().ln();
    y.iter().map(|y| y - total).collect()
}

fn smooth(t: &[f64], epsilon: f64) -> Vec<f64> {
    let share = epsilon / t.len() as f64;
    t.iter().map(|t| (1.0 - epsilon) * t + share).collect()
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Value and derivative of each term.
fn terms<'a>(
    loss: Loss,
    y: &'a [f64],
    t: &'a [f64],
    positive: Option<&'a [f64]>,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    let weight = move |j: usize| positive.map_or(1.0, |positive| positive[j]);
    y.iter().zip(t).enumerate().map(move |(j, (&y, &t))| term(loss, y, t, weight(j)))
}

fn term(loss: Loss, y: f64, t: f64, positive: f64) -> (f64, f64) {
    let d = y - t;
    let sign = if d == 0.0 { 0.0 } else { d.signum() };
    match loss {
        Loss::Mse | Loss::ChiSquare => (d.powi(2), 2.0 * d),
        Loss::HalfSquared => (d.powi(2) / 2.0, d),
        Loss::Mae => (d.abs(), sign),
        Loss::Huber(delta) => {
            let delta = f64::from(delta);
            let far = (delta * d.abs() - delta.powi(2) / 2.0, delta * sign);
            if d.abs() <= delta { (d.powi(2) / 2.0, d) } else { far }
        }
        Loss::SmoothL1(beta) => {
            let beta = f64::from(beta);
            let near = (d.powi(2) / (2.0 * beta), d / beta);
            if d.abs() < beta { near } else { (d.abs() - beta / 2.0, sign) }
        }
        Loss::LogCosh => {
            (d.abs() + (-2.0 * d.abs()).exp().ln_1p() - std::f64::consts::LN_2, d.tanh())
        }
        Loss::Quantile(tau) => {
            let slope = if t > y { -f64::from(tau) } else { 1.0 - f64::from(tau) };
            (slope * d, slope * sign.abs())
        }
        Loss::Poisson => (y.exp() - t * y, y.exp() - t),
        Loss::Bce => {
            let log = |p: f64| p.ln().max(-100.0);
            (-t * log(y) - (1.0 - t) * log(1.0 - y), d / (y * (1.0 - y)).max(1e-12))
        }
        Loss::BceWithLogits => (
            positive * t * softplus(-y) + (1.0 - t) * softplus(y),
            (1.0 - t) * sigmoid(y) - positive * t * sigmoid(-y),
        ),
        Loss::KlDivergence if t == 0.0 => (0.0, 0.0),
        Loss::KlDivergence => (t * (t.ln() - y), -t),
        Loss::Hinge if t * y < 1.0 => (1.0 - t * y, -t),
        Loss::SquaredHinge if t * y < 1.0 => ((1.0 - t * y).powi(2), -2.0 * t * (1.0 - t * y)),
        Loss::Hinge | Loss::SquaredHinge => (0.0, 0.0),
        other => panic!("no reference for {other}"),
    }
}
