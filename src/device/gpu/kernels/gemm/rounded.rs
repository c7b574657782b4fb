//! Products of operands in f16: their scales, and which of them are kept so.

use super::super::Constants;
use super::super::halves::Half;
use crate::op::Op;

/// What the operands of a product are multiplied by before they are rounded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scales {
    pub(super) a: u32,
    pub(super) b: u32,
}

impl Scales {
    /// Deltas are scaled, wherever they are.
    pub(super) fn of(op: &Op, loss_scale: u32) -> Self {
        match op {
            Op::Backward { .. } => Self { a: loss_scale, b: 1 },
            Op::Gradient { .. } => Self { a: 1, b: loss_scale },
            _ => Self { a: 1, b: 1 },
        }
    }

    pub(super) fn constants(self) -> Constants {
        let [a, b] = [self.a, self.b].map(|scale| scale as f32);
        let [a_bits, b_bits, c_bits] = [a, b, 1.0 / (a * b)].map(f32::to_bits);
        vec![("HALF", 1), ("A_SCALE", a_bits), ("B_SCALE", b_bits), ("C_SCALE", c_bits)]
    }
}

/// What of a product is kept in f16.
#[derive(Default, Clone, Copy)]
pub(super) struct Kept {
    /// The buffers of A, of B and of what the derivative is computed from.
    pub(super) a: Option<usize>,
    pub(super) b: Option<usize>,
    pub(super) extra: Option<usize>,
    pub(super) c: Option<Half>,
}

impl Kept {
    /// What `shaders/gemm_c4.wgsl` has to know.
    pub(super) fn constants(self) -> Constants {
        let extra = self.extra.map(|_| ("EXTRA_HALF", 1));
        let c = self.c.map(|half| {
            let how = if half.alone { 2 } else { 1 };
            [("C_HALF", how), ("C_HALF_SCALE", (half.scale as f32).to_bits())]
        });
        extra.into_iter().chain(c.into_iter().flatten()).collect()
    }
}
