//! The losses with one term an element: value and derivative from output y and target t.

use super::sum::sum_terms;
use super::{Loss, Target};
use crate::nn::Real;

/// The least logarithm of [`Loss::Bce`], as PyTorch has it.
const LEAST_LOGARITHM: f64 = -100.0;

/// The least y (1 - y) of [`Loss::Bce`]'s gradient, as PyTorch has it.
const LEAST_VARIANCE: f64 = 1e-12;

/// A row's terms: the choice of the loss is made outside of the loop over elements.
#[inline(always)]
pub(super) fn row<T: Real>(
    loss: Loss,
    output: &[T],
    target: Target<'_, T>,
    positive: Option<&[T]>,
    gradient: &mut [T],
) -> T {
    match target {
        Target::Values(target) => values(loss, output, target, positive, gradient),
        Target::Label(label) => {
            let mut sum = T::of(0.0);
            for (j, g) in gradient.iter_mut().enumerate() {
                let hot = T::of(f64::from(u8::from(j == label)));
                let positive = positive.map(|positive| &positive[j..=j]);
                let g = std::slice::from_mut(g);
                sum = sum + values(loss, &output[j..=j], &[hot], positive, g);
            }
            sum
        }
    }
}

#[inline(always)]
fn values<T: Real>(loss: Loss, y: &[T], t: &[T], positive: Option<&[T]>, gradient: &mut [T]) -> T {
    let (half, one, two) = (T::of(0.5), T::of(1.0), T::of(2.0));
    let constant = T::of(f64::from(loss.constant()));
    match loss {
        Loss::Mse | Loss::ChiSquare => sum_terms(y, t, gradient, |y, t| {
            let d = y - t;
            (d * d, two * d)
        }),
        Loss::HalfSquared => sum_terms(y, t, gradient, |y, t| {
            let d = y - t;
            (half * d * d, d)
        }),
        Loss::Mae => sum_terms(y, t, gradient, |y, t| ((y - t).abs(), sign(y - t))),
        Loss::Huber(_) => sum_terms(y, t, gradient, |y, t| huber(y - t, constant)),
        Loss::SmoothL1(_) => sum_terms(y, t, gradient, |y, t| smooth_l1(y - t, constant)),
        Loss::LogCosh => sum_terms(y, t, gradient, |y, t| (log_cosh(y - t), (y - t).tanh())),
        Loss::Quantile(_) => sum_terms(y, t, gradient, |y, t| quantile(y - t, constant)),
        Loss::Poisson => sum_terms(y, t, gradient, |y, t| {
            let rate = y.exp();
            (rate - t * y, rate - t)
        }),
        Loss::Bce => sum_terms(y, t, gradient, bce),
        Loss::BceWithLogits => match positive {
            None => sum_terms(y, t, gradient, |y, t| bce_with_logits(y, t, one)),
            Some(positive) => {
                let mut sum = T::of(0.0);
                for (((&y, &t), &p), g) in y.iter().zip(t).zip(positive).zip(gradient) {
                    let (value, slope) = bce_with_logits(y, t, p);
                    *g = slope;
                    sum = sum + value;
                }
                sum
            }
        },
        Loss::KlDivergence => sum_terms(y, t, gradient, kl_divergence),
        Loss::Hinge => sum_terms(y, t, gradient, |y, t| {
            let margin = one - t * y;
            if margin <= T::of(0.0) { (T::of(0.0), T::of(0.0)) } else { (margin, -t) }
        }),
        Loss::SquaredHinge => sum_terms(y, t, gradient, |y, t| {
            let margin = one - t * y;
            let margin = if margin <= T::of(0.0) { T::of(0.0) } else { margin };
            (margin * margin, -two * t * margin)
        }),
        Loss::CrossEntropy | Loss::SmoothedCrossEntropy(_) | Loss::Nll | Loss::Cosine => {
            unreachable!("{loss} has one term a row")
        }
    }
}

/// -1, 0 or 1; a NaN stays one.
#[inline(always)]
fn sign<T: Real>(d: T) -> T {
    let (zero, one) = (T::of(0.0), T::of(1.0));
    if d > zero {
        one
    } else if d < zero {
        -one
    } else {
        d
    }
}

#[inline(always)]
fn huber<T: Real>(d: T, delta: T) -> (T, T) {
    let half = T::of(0.5);
    if d.abs() > delta {
        (delta * (d.abs() - half * delta), delta * sign(d))
    } else {
        (half * d * d, d)
    }
}

#[inline(always)]
fn smooth_l1<T: Real>(d: T, beta: T) -> (T, T) {
    let half = T::of(0.5);
    if d.abs() >= beta {
        (d.abs() - half * beta, sign(d))
    } else {
        (half * d * (d / beta), d / beta)
    }
}

#[inline(always)]
fn quantile<T: Real>(d: T, tau: T) -> (T, T) {
    let (zero, one) = (T::of(0.0), T::of(1.0));
    let slope = if d > zero {
        one - tau
    } else if d < zero {
        -tau
    } else {
        d
    };
    (slope * d, if d == zero { zero } else { slope })
}

/// |d| + ln(1 + e^-2|d|) - ln 2, and near zero, where that cancels, ln(1 + 2 sinh^2(d/2)) with
/// sinh^2 = u^2 / (1 - u^2), u = tanh(d/2).
#[inline(always)]
fn log_cosh<T: Real>(d: T) -> T {
    let (one, two) = (T::of(1.0), T::of(2.0));
    let magnitude = d.abs();
    if magnitude < one {
        let u = (d * T::of(0.5)).tanh();
        return ln_1p(two * u * u / (one - u * u));
    }
    magnitude + (ln_1p((-two * magnitude).exp()) - T::of(std::f64::consts::LN_2))
}

#[inline(always)]
fn bce<T: Real>(y: T, t: T) -> (T, T) {
    let one = T::of(1.0);
    let bounded = |x: T| if x < T::of(LEAST_LOGARITHM) { T::of(LEAST_LOGARITHM) } else { x };
    let value = -(t * bounded(y.ln()) + (one - t) * bounded(ln_1p(-y)));
    let variance = y * (one - y);
    let least = T::of(LEAST_VARIANCE);
    (value, (y - t) / if variance < least { least } else { variance })
}

/// Both terms are at least 0, so that nothing cancels however large the logit.
#[inline(always)]
fn bce_with_logits<T: Real>(y: T, t: T, positive: T) -> (T, T) {
    let (zero, one) = (T::of(0.0), T::of(1.0));
    let e = (-y.abs()).exp();
    let tail = ln_1p(e);
    let (above, below) = if y < zero { (zero, -y) } else { (y, zero) };
    let (hot, cold) = (positive * t, one - t);
    // s(y) and s(-y), each without cancellation.
    let (up, down) =
        if y < zero { (e / (one + e), one / (one + e)) } else { (one / (one + e), e / (one + e)) };
    (hot * (below + tail) + cold * (above + tail), cold * up - hot * down)
}

#[inline(always)]
fn kl_divergence<T: Real>(y: T, t: T) -> (T, T) {
    let zero = T::of(0.0);
    (if t == zero { zero } else { t * (t.ln() - y) }, -t)
}

/// ln(1 + x) for x >= -1, where 1 + x has lost digits of x: Kahan's correction.
#[inline(always)]
fn ln_1p<T: Real>(x: T) -> T {
    let one = T::of(1.0);
    let u = one + x;
    if u == one { x } else { u.ln() * (x / (u - one)) }
}
