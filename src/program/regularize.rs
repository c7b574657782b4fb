//! Penalties, clipping, weight limits and averages, lowered to instructions.

use super::source::Buffers;
use super::step::Step;
use crate::nn::{Network, Parameter};
use crate::op::{Axis, Op, Reduction, Shape, View};
use crate::optim::{Clip, Regularization};
use crate::program::names;

/// Lowers what happens before an update and after it.
pub(super) struct Regularizer<'a> {
    settings: Regularization,
    /// The parameters that are trained.
    named: Vec<Parameter>,
    network: &'a Network,
    /// All parameters and all gradients, flat.
    parameters: View,
    gradients: View,
    /// (1, n): norms on their way to where they limit something.
    norms: Option<View>,
    average: Option<View>,
}

impl<'a> Regularizer<'a> {
    /// Adds the buffers that the settings need.
    pub(super) fn new(
        step: &'a Step,
        parameters: View,
        gradients: View,
        list: &mut Buffers,
    ) -> Self {
        let Step { network, regularization: settings, groups, .. } = step;
        let settings = *settings;
        let widest = network.layers().iter().map(|layer| layer.outputs).max().unwrap_or(1);
        let words = match (settings.max_norm, settings.clip) {
            (Some(_), _) => Some(widest),
            (None, Some(Clip::LayerNorm(_) | Clip::GlobalNorm(_))) => Some(1),
            (None, Some(Clip::Value(_)) | None) => None,
        };
        Self {
            settings,
            // Frozen ones stay as they are.
            named: (network.parameters().into_iter().filter(|p| groups.trains(p.layer))).collect(),
            network,
            parameters,
            gradients,
            norms: words.map(|words| list.add(names::LIMITED_NORMS, Shape::new(1, words))),
            average: settings.average.map(|_| list.add(names::AVERAGE, parameters.shape)),
        }
    }

    /// The penalties' gradients and the limits of all gradients.
    pub(super) fn before_update(&self, ops: &mut Vec<Op>) {
        let Regularization { l1, l2, biases, clip, .. } = self.settings;
        if l1 != 0.0 || l2 != 0.0 {
            let (l1, l2, buffer) = (l1 as f32, l2 as f32, self.gradients.buffer);
            for parameter in self.named.iter().filter(|p| biases || p.is_weight()) {
                let parameters = parameter.view(self.parameters.buffer);
                let gradients = parameter.view(buffer);
                ops.push(Op::Penalize { l1, l2, parameters, gradients });
            }
        }
        match clip {
            None => {}
            Some(Clip::Value(limit)) => {
                ops.push(Op::Clip { limit: limit as f32, values: self.gradients });
            }
            Some(Clip::GlobalNorm(limit)) => self.limit(Axis::All, limit, self.gradients, ops),
            Some(Clip::LayerNorm(limit)) => {
                for layer in 0..self.network.layers().len() {
                    if let Some(gradients) = self.of_layer(layer) {
                        self.limit(Axis::All, limit, gradients, ops);
                    }
                }
            }
        }
    }

    /// The limits of the weights, and the average.
    pub(super) fn after_update(&self, ops: &mut Vec<Op>) {
        if let Some(limit) = self.settings.max_norm {
            for weight in self.named.iter().filter(|parameter| parameter.is_weight()) {
                self.limit(Axis::Columns, limit, weight.view(self.parameters.buffer), ops);
            }
        }
        if let (Some(decay), Some(average)) = (self.settings.average, self.average) {
            let (decay, parameters) = (decay as f32, self.parameters);
            ops.push(Op::Average { decay, parameters, average });
        }
    }

    /// Scales values down to a norm, all together or each column by itself.
    fn limit(&self, axis: Axis, limit: f64, values: View, ops: &mut Vec<Op>) {
        let Some(norms) = self.norms else { return };
        let norms = View { shape: axis.reduced(values.shape), ..norms };
        let (reduction, limit) = (Reduction::Norm, limit as f32);
        ops.push(Op::Reduce { reduction, axis, input: values, output: norms });
        ops.push(Op::LimitNorm { limit, norms, values });
    }

    /// The gradients of a trained layer: its parameters lie side by side, with zeros between.
    fn of_layer(&self, layer: usize) -> Option<View> {
        let mut ranges = self.named.iter().filter(|p| p.layer == layer).map(Parameter::range);
        let first = ranges.next()?;
        let end = ranges.next_back().map_or(first.end, |last| last.end);
        let shape = Shape::new(1, end - first.start);
        Some(View { buffer: self.gradients.buffer, offset: first.start, shape })
    }
}
