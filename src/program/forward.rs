//! The forward pass, layer by layer, lowered to instructions.

use super::map;
use super::source::Buffers;
use crate::nn::{Activation, Cache, Layer, Network, Parameter, ParameterKind};
use crate::op::{Op, Rows, Shape, View};
use crate::random::{Draw, device_key};

/// What the lowered forward pass of a layer left, for the backward pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lowered {
    pub(super) layer: Layer,
    pub(super) input: Rows,
    pub(super) weight: View,
    pub(super) bias: Option<View>,
    /// The parameter of the layer's map, if it has one.
    pub(super) slope: Option<View>,
    /// z, where it is kept.
    pub(super) pre: Option<View>,
    /// y, before dropout.
    pub(super) output: View,
    /// The key of the dropout mask.
    pub(super) key: Option<[u32; 2]>,
}

impl Lowered {
    /// The elementwise function that the instructions of products and losses apply.
    pub(super) fn activation(&self) -> Activation {
        self.layer.activation.elementwise()
    }

    /// What the derivative of that function is computed from.
    pub(super) fn cached(&self) -> Option<View> {
        match self.activation().cache() {
            Cache::Nothing => None,
            Cache::Input => self.pre,
            Cache::Output => Some(self.output),
        }
    }
}

/// What a forward pass is for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pass {
    /// The seed of dropout; none in predictions.
    pub(super) seed: Option<u64>,
    /// Whether z is kept of every layer, not only where backward needs it.
    pub(super) keeps_pre: bool,
}

/// The layers of a lowered forward pass.
pub(super) struct Forward {
    pub(super) layers: Vec<Lowered>,
}

impl Forward {
    /// Lowers the network.
    pub(super) fn lower(
        network: &Network,
        input: Rows,
        parameters: View,
        pass: Pass,
        list: &mut Buffers,
        ops: &mut Vec<Op>,
    ) -> Self {
        let named = network.parameters();
        let mut layers: Vec<Lowered> = Vec::with_capacity(network.layers().len());
        let mut input = input;
        for (i, &layer) in network.layers().iter().enumerate() {
            let find = |kind| {
                let wanted = |p: &&Parameter| p.layer == i && p.kind == kind;
                named.iter().find(wanted).map(|parameter| parameter.view(parameters.buffer))
            };
            let shape = Shape::new(input.count, layer.outputs);
            let keeps_pre = pass.keeps_pre || layer.keeps_pre();
            let pre = keeps_pre.then(|| list.add(format!("pre.{i}"), shape));
            let output = list.add(format!("output.{i}"), shape);
            let key = pass.seed.filter(|_| layer.dropout > 0.0);
            let lowered = Lowered {
                layer,
                input,
                weight: find(ParameterKind::Weight).unwrap_or(parameters),
                bias: find(ParameterKind::Bias),
                slope: find(ParameterKind::Slope),
                pre,
                output,
                key: key.map(|seed| device_key(seed, Draw::Dropout(i))),
            };
            lowered.forward(i, list, ops);
            input = Rows::all(lowered.dropped(i, list, ops));
            layers.push(lowered);
        }
        Self { layers }
    }
}

impl Lowered {
    /// y = phi(x . W + b): as one instruction, or z first and its map after it.
    fn forward(&self, i: usize, list: &mut Buffers, ops: &mut Vec<Op>) {
        let Self { input, weight, bias, pre, output, .. } = *self;
        let activation = self.activation();
        match pre.filter(|_| !self.layer.activation.is_elementwise()) {
            None => ops.push(Op::Dense { input, weight, bias, activation, pre, output }),
            Some(z) => {
                ops.push(Op::Dense { input, weight, bias, activation, pre: None, output: z });
                map::forward(self, i, z, list, ops);
            }
        }
    }

    /// What the next layer sees: y, or y with elements dropped.
    fn dropped(&self, i: usize, list: &mut Buffers, ops: &mut Vec<Op>) -> View {
        let Some(key) = self.key else { return self.output };
        // y itself is kept: the activation's derivative may need it.
        let output = list.add(format!("dropped.{i}"), self.output.shape);
        let (rate, input) = (self.layer.dropout, Some(self.output));
        ops.push(Op::Dropout { rate, key, input, output });
        output
    }
}
