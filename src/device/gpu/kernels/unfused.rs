//! Layers with activations that the kernels of products and losses do not apply themselves.
//!
//! Those kernels are unrolled over many results: a long formula would be compiled for each of them.
//! Such an activation is a dispatch of its own, which for wide layers costs little beside the
//! product.

use super::{Dispatch, Halves, Target, elementwise, instruction};
use crate::error::Result;
use crate::nn::Activation;
use crate::op::Op;

/// The dispatches of a layer's instruction, if its activation is not in `activation_fused.wgsl`.
pub(super) fn dispatches(
    op: &Op,
    target: Target,
    halves: &Halves,
) -> Result<Option<Vec<Dispatch>>> {
    let (linear, rest) = match *op {
        Op::Dense { input, weight, bias, activation, pre, output } if !is_fused(activation) => {
            let sums = pre.unwrap_or(output);
            let (identity, none) = (Activation::Identity, None);
            let linear =
                Op::Dense { input, weight, bias, activation: identity, pre: none, output: sums };
            let rest = match pre {
                Some(input) => elementwise::lower(&Op::Activate { activation, input, output }),
                None => elementwise::activate_in_place(activation, output),
            };
            (linear, rest)
        }
        Op::Backward { delta, weight, activation, cached: Some(cached), output }
            if !is_fused(activation) =>
        {
            let (identity, none) = (Activation::Identity, None);
            let linear = Op::Backward { delta, weight, activation: identity, cached: none, output };
            (linear, elementwise::chain(activation, cached, output))
        }
        Op::Loss { activation, cached: Some(kept), delta, .. } if !is_fused(activation) => {
            let mut linear = *op;
            if let Op::Loss { activation, cached, .. } = &mut linear {
                (*activation, *cached) = (Activation::Identity, None);
            }
            (linear, elementwise::chain(activation, kept, delta))
        }
        _ => return Ok(None),
    };
    let mut list = instruction(&linear, target, halves)?;
    list.push(rest);
    Ok(Some(list))
}

pub(super) fn is_fused(activation: Activation) -> bool {
    matches!(
        activation,
        Activation::Identity | Activation::Relu | Activation::Tanh | Activation::Sigmoid
    )
}
