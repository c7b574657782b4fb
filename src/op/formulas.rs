//! Numbers that both devices need to follow an instruction's formula.

/// What [`Op::LimitNorm`](super::Op::LimitNorm) adds to a norm, as PyTorch's `clip_grad_norm_` does.
pub(crate) const NORM_EPSILON: f32 = 1e-6;

/// The random word from which on [`Op::Dropout`](super::Op::Dropout) keeps an element.
pub(crate) fn dropout_threshold(rate: f32) -> u32 {
    (f64::from(rate) * 2f64.powi(32)) as u32
}

/// The most bins of an [`Op::Histogram`](super::Op::Histogram): they have to fit what a GPU's
/// workgroup shares.
pub const MAX_BINS: usize = 1024;
