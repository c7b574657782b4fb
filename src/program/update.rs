//! The end of a training step: the optimizer's update, by runs of parameters that are treated alike.

use super::names;
use super::source::Buffers;
use crate::nn::{Network, Parameter};
use crate::op::{Axis, Op, Reduction, Shape, View};
use crate::optim::{Groups, Optimizer};

/// The flat buffers that an update works on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flat {
    pub(super) parameters: View,
    pub(super) gradients: View,
    pub(super) moments: [Option<View>; 3],
}

impl Flat {
    /// A range of each of the buffers.
    fn part(self, run: &Run) -> Self {
        let part = |view: View| {
            let offset = view.offset + run.offset;
            View { offset, shape: Shape::new(1, run.words), ..view }
        };
        Self {
            parameters: part(self.parameters),
            gradients: part(self.gradients),
            moments: self.moments.map(|moment| moment.map(part)),
        }
    }
}

/// Adjacent parameters that are treated alike, with the padding that follows them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    offset: usize,
    words: usize,
    rate_factor: f32,
    optimizer: Optimizer,
}

/// Appends the update's instructions, and to `list` the memory that they need.
pub(super) fn lower(
    network: &Network,
    optimizer: Optimizer,
    groups: &Groups,
    flat: Flat,
    list: &mut Buffers,
    ops: &mut Vec<Op>,
) {
    if optimizer.needs_norms() {
        return lower_with_norms(network, optimizer, groups, flat, list, ops);
    }
    for run in runs(network, optimizer, groups) {
        let Flat { parameters, gradients, moments } = flat.part(&run);
        let Run { rate_factor, optimizer, .. } = run;
        ops.push(Op::Update { optimizer, rate_factor, parameters, gradients, moments });
    }
}

/// The same for a rule that scales its step to each parameter's norm.
fn lower_with_norms(
    network: &Network,
    optimizer: Optimizer,
    groups: &Groups,
    flat: Flat,
    list: &mut Buffers,
    ops: &mut Vec<Op>,
) {
    for run in runs(network, optimizer, groups) {
        let Flat { parameters, gradients, moments } = flat.part(&run);
        let optimizer = run.optimizer;
        ops.push(Op::Direction { optimizer, parameters, gradients, moments });
    }
    let trained: Vec<Parameter> =
        network.parameters().into_iter().filter(|p| groups.trains(p.layer)).collect();
    let norms = list.add(names::NORMS, Shape::new(1, 2 * trained.len()));
    for (i, parameter) in trained.iter().enumerate() {
        let [parameters, direction] =
            [flat.parameters, flat.gradients].map(|view| parameter.view(view.buffer));
        let [parameter_norm, direction_norm] =
            [2 * i, 2 * i + 1].map(|word| View { shape: Shape::new(1, 1), ..norms.at(word) });
        for (input, output) in [(parameters, parameter_norm), (direction, direction_norm)] {
            ops.push(Op::Reduce { reduction: Reduction::Norm, axis: Axis::All, input, output });
        }
        let rate_factor = groups.learning_rate_factor(parameter.layer) as f32;
        ops.push(Op::TrustStep {
            rate_factor,
            parameters,
            direction,
            parameter_norm,
            direction_norm,
        });
    }
}

/// The runs of adjacent trained parameters with equal settings, in order.
fn runs(network: &Network, optimizer: Optimizer, groups: &Groups) -> Vec<Run> {
    let parameters = network.parameters();
    let ends = parameters.iter().skip(1).map(|next| next.offset).chain([network.parameter_words()]);
    let mut runs: Vec<Run> = Vec::new();
    for (parameter, end) in parameters.iter().zip(ends) {
        if !groups.trains(parameter.layer) {
            continue;
        }
        let decays = groups.decay_biases || !parameter.is_bias();
        let run = Run {
            offset: parameter.offset,
            words: end - parameter.offset,
            rate_factor: groups.learning_rate_factor(parameter.layer) as f32,
            optimizer: if decays { optimizer } else { optimizer.without_weight_decay() },
        };
        match runs.last_mut() {
            Some(last) if last.joins(&run) => last.words += run.words,
            _ => runs.push(run),
        }
    }
    runs
}

impl Run {
    fn joins(&self, next: &Self) -> bool {
        self.offset + self.words == next.offset
            && self.rate_factor == next.rate_factor
            && self.optimizer == next.optimizer
    }
}

/// Whether the delta of a layer is needed: where a layer up to this one is trained.
pub(super) fn needs_delta(groups: &Groups, layer: usize) -> bool {
    (0..=layer).any(|below| groups.trains(below))
}
