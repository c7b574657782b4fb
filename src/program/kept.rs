//! Parameters and gradients that a step keeps for whoever watches the training.

use super::names;
use super::source::Buffers;
use crate::nn::{Network, Parameter};
use crate::op::{Op, Shape, View};

/// Parameters as they are before the step, and gradients as they are after backward, before
/// anything else is done to them; each in a buffer of its own with a row for each step that keeps
/// something: [`StepArgs::keep`](crate::op::StepArgs::keep).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// `layers.0.weight`, `layers.0.weight.grad`, ...
    pub names: Vec<String>,
    /// The rows.
    pub rows: usize,
}

impl Kept {
    /// The parameter that a name is about, and whether it is about its gradient.
    pub(crate) fn find(network: &Network, name: &str) -> Option<(Parameter, bool)> {
        let (plain, gradient) = match name.strip_suffix(names::GRADIENT) {
            Some(plain) => (plain, true),
            None => (name, false),
        };
        let parameter = network.parameters().into_iter().find(|p| p.name == plain)?;
        Some((parameter, gradient))
    }

    /// Lowers the names about gradients, or those about parameters.
    pub(super) fn lower(
        &self,
        network: &Network,
        [parameters, gradients]: [View; 2],
        of_gradients: bool,
        list: &mut Buffers,
        ops: &mut Vec<Op>,
    ) {
        for name in &self.names {
            let Some((parameter, gradient)) = Self::find(network, name) else { continue };
            if gradient == of_gradients {
                let from = if gradient { gradients.buffer } else { parameters.buffer };
                let shape = Shape::new(self.rows, parameter.shape.len());
                let output = list.add(format!("{}{name}", names::KEPT), shape);
                ops.push(Op::Keep { input: parameter.view(from), output });
            }
        }
    }
}
