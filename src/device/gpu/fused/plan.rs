//! A training step as fused kernels run it, whatever its minibatch.

use super::super::kernels::{Slot, picked};
use crate::nn::{Activation, Cache, Loss, TargetKind};
use crate::op::{Pick, Rows, View};
use crate::optim::Optimizer;

/// A parameter of a layer: where it begins in the flat buffer, and the constants of its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Trained {
    pub(in super::super) offset: usize,
    /// The weight decay, two constants of the rule, and the factor of the learning rate.
    pub(in super::super) constants: [f32; 4],
}

/// A dense layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct PlanLayer {
    pub(in super::super) inputs: usize,
    pub(in super::super) outputs: usize,
    pub(in super::super) activation: Activation,
    pub(in super::super) weight: Trained,
    pub(in super::super) bias: Option<Trained>,
}

impl PlanLayer {
    /// Whether z is kept beside y.
    pub(in super::super) fn keeps_pre(&self) -> bool {
        self.activation.cache() == Cache::Input
    }
}

/// What a step computes, and where its numbers are.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Plan {
    pub(in super::super) layers: Vec<PlanLayer>,
    pub(in super::super) loss: Loss,
    pub(in super::super) kind: TargetKind,
    pub(in super::super) optimizer: Optimizer,
    /// The features and targets in the data, and how rows are picked out of them.
    pub(in super::super) features: View,
    pub(in super::super) targets: View,
    pub(in super::super) pick: Pick,
    pub(in super::super) losses: View,
    /// The buffers of the parameters and of the moments there are.
    pub(in super::super) parameters: usize,
    pub(in super::super) moments: Vec<usize>,
    /// The words of each of them.
    pub(in super::super) words: usize,
    /// Where there are several networks.
    pub(in super::super) strides: Strides,
}

/// By how many words each network's numbers lie behind those of the network before, buffer by buffer;
/// 0 for what all share, and for a network that is alone. The moments lie as the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Strides {
    pub(in super::super) features: usize,
    pub(in super::super) targets: usize,
    pub(in super::super) order: usize,
    pub(in super::super) losses: usize,
    pub(in super::super) parameters: usize,
}

impl Plan {
    /// The plan of several networks, whose buffers have these strides.
    pub(in super::super) fn side_by_side(self, strides: &[usize]) -> Self {
        let order = match self.pick {
            Pick::Order(order) => strides[order.buffer],
            _ => 0,
        };
        let strides = Strides {
            features: strides[self.features.buffer],
            targets: strides[self.targets.buffer],
            order,
            losses: strides[self.losses.buffer],
            parameters: strides[self.parameters],
        };
        Self { strides, ..self }
    }

    /// The rows of the data, and how a minibatch's are picked.
    pub(in super::super) fn rows(&self) -> Rows {
        Rows { source: self.features, pick: self.pick, count: 1 }
    }

    /// The buffer of the row order; `unused` where there is none and nothing reads it.
    pub(in super::super) fn order<'a>(
        &self,
        buffers: &[&'a wgpu::Buffer],
        unused: &'a wgpu::Buffer,
    ) -> &'a wgpu::Buffer {
        match picked(self.rows()).order {
            Slot::Buffer(order) => buffers[order],
            _ => unused,
        }
    }

    /// The weights of each layer: how many there are.
    pub(in super::super) fn weights(&self) -> Vec<usize> {
        self.layers.iter().map(|layer| layer.inputs * layer.outputs).collect()
    }

    /// The multiplications of a step of so many rows.
    pub(in super::super) fn work(&self, rows: usize) -> usize {
        3 * rows * self.weights().iter().sum::<usize>()
    }

    /// The outputs of the network.
    pub(in super::super) fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// The widest row of values that a step computes.
    pub(in super::super) fn widest(&self) -> usize {
        self.layers.iter().map(|layer| layer.outputs.max(layer.inputs)).max().unwrap_or(1)
    }
}
