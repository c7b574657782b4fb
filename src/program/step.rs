//! One training step, and one prediction, described as data and lowered to instructions.

use super::{BufferSpec, Program};
use crate::error::Result;
use crate::nn::{Cache, Layer, Loss, Network, Parameter};
use crate::op::{Op, Pick, Rows, Shape, View};
use crate::optim::Optimizer;

/// The names of the buffers that a step works on.
///
/// Beside these there are `features.N` and `targets.N` for the parts of the data, and `pre.N`,
/// `output.N` and `delta.N` for each layer.
pub mod names {
    /// The network's parameters, flat.
    pub const PARAMETERS: &str = "parameters";
    /// The gradients of the last step, laid out as the parameters.
    pub const GRADIENTS: &str = "gradients";
    /// The optimizer's first moment, laid out as the parameters.
    pub const FIRST_MOMENT: &str = "first_moment";
    /// The optimizer's second moment, laid out as the parameters.
    pub const SECOND_MOMENT: &str = "second_moment";
    /// The row order of one or more epochs, u32.
    pub const ORDER: &str = "order";
    /// The loss of every step, by slot.
    pub const LOSSES: &str = "losses";
    /// The loss of every row of the last minibatch.
    pub const ROW_LOSSES: &str = "row_losses";
    /// The minibatch, where the features are in parts and so have to be gathered first.
    pub const INPUT: &str = "input";
    /// The minibatch's targets, likewise.
    pub const TARGET: &str = "target";
    /// What a prediction leaves: one row for each row of the features.
    pub const PREDICTIONS: &str = "predictions";
}

/// A matrix of data on the device, whole or in parts that each fit one binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The columns.
    pub cols: usize,
    /// The rows of each part, in order.
    pub parts: Vec<usize>,
}

impl Source {
    /// Rows of `cols` words, in as few parts as `max_words` words a part allow.
    #[must_use]
    pub fn divided(rows: usize, cols: usize, max_words: usize) -> Self {
        let most = (max_words / cols.max(1)).max(1);
        let mut parts = vec![most; rows / most];
        if !rows.is_multiple_of(most) {
            parts.push(rows % most);
        }
        Self { cols, parts }
    }

    /// The rows of all parts.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.parts.iter().sum()
    }
}

/// One training step on a minibatch: forward, loss, backward, update.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The network.
    pub network: Network,
    /// The loss.
    pub loss: Loss,
    /// The update rule; none leaves the gradients and no more.
    pub optimizer: Option<Optimizer>,
    /// The rows of the minibatch.
    pub batch: usize,
    /// Where the features are.
    pub features: Source,
    /// Where the targets are.
    pub targets: Source,
    /// The length of the row order; none takes the rows as they lie.
    pub order: Option<usize>,
    /// The number of losses kept.
    pub slots: usize,
}

impl Step {
    /// The program that is this step's meaning. Steps that differ only in their batch have the same
    /// list of buffers, so that the short last minibatch of an epoch runs over the same memory.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where network, loss and data do not fit.
    pub fn lower(&self) -> Result<Program> {
        let mut list = Buffers::default();
        let words = self.network.parameter_words();
        let flat = Shape::new(1, words);
        let parameters = list.add(names::PARAMETERS, flat);
        let gradients = list.add(names::GRADIENTS, flat);
        let moments = self.optimizer.map_or(0, |optimizer| optimizer.moments());
        let first = (moments > 0).then(|| list.add(names::FIRST_MOMENT, flat));
        let second = (moments > 1).then(|| list.add(names::SECOND_MOMENT, flat));
        let losses = list.add(names::LOSSES, Shape::new(self.slots, 1));
        let row_losses = list.add(names::ROW_LOSSES, Shape::new(self.batch, 1));
        let order = self.order.map(|len| list.add(names::ORDER, Shape::new(len, 1)));
        let pick = order.map_or(Pick::Range, Pick::Order);

        let mut ops = Vec::new();
        let mut data =
            |source, parts, whole| list.data(source, parts, whole, self.batch, pick, &mut ops);
        let input = data(&self.features, "features", names::INPUT);
        let targets = data(&self.targets, "targets", names::TARGET);
        let forward =
            Forward::lower(&self.network, self.batch, input, parameters, &mut list, &mut ops);

        let scale = self.loss.scale(self.batch, self.network.outputs()) as f32;
        let deltas: Vec<View> = (self.network.layers().iter().enumerate())
            .map(|(i, layer)| list.add(format!("delta.{i}"), Shape::new(self.batch, layer.outputs)))
            .collect();
        for (i, layer) in self.network.layers().iter().enumerate().rev() {
            let delta = deltas[i];
            match self.network.layers().get(i + 1) {
                None => {
                    ops.push(Op::Loss {
                        loss: self.loss,
                        activation: layer.activation,
                        scale,
                        output: forward.outputs[i],
                        cached: forward.cached(i, layer),
                        targets,
                        delta,
                        row_losses,
                    });
                    ops.push(Op::Record { scale, row_losses, losses });
                }
                Some(_) => ops.push(Op::Backward {
                    delta: deltas[i + 1],
                    weight: forward.weights[i + 1],
                    activation: layer.activation,
                    cached: forward.cached(i, layer),
                    output: delta,
                }),
            }
            ops.push(Op::Gradient {
                input: forward.inputs[i],
                delta,
                weight: View { buffer: gradients.buffer, ..forward.weights[i] },
                bias: forward.biases[i].map(|bias| View { buffer: gradients.buffer, ..bias }),
            });
        }
        if let Some(optimizer) = self.optimizer {
            // Who wants the gradients asks for a step without an optimizer.
            list.0[gradients.buffer].transient = true;
            ops.push(Op::Update { optimizer, parameters, gradients, first, second });
        }
        let program = Program { buffers: list.0, ops };
        program.check()?;
        Ok(program)
    }
}

/// The network's output for rows of data, each stored at its own row of the predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Predict {
    /// The network.
    pub network: Network,
    /// The rows that one launch takes.
    pub batch: usize,
    /// Where the features are.
    pub features: Source,
}

impl Predict {
    /// The program: forward, and the last output scattered to the predictions.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where network and data do not fit.
    pub fn lower(&self) -> Result<Program> {
        let mut list = Buffers::default();
        let parameters = list.add(names::PARAMETERS, Shape::new(1, self.network.parameter_words()));
        let all = Shape::new(self.features.rows(), self.network.outputs());
        let predictions = list.add(names::PREDICTIONS, all);
        let mut ops = Vec::new();
        let input =
            list.data(&self.features, "features", names::INPUT, self.batch, Pick::Range, &mut ops);
        let forward =
            Forward::lower(&self.network, self.batch, input, parameters, &mut list, &mut ops);
        if let Some(&output) = forward.outputs.last() {
            ops.push(Op::Scatter { input: output, output: predictions });
        }
        let program = Program { buffers: list.0, ops };
        program.check()?;
        Ok(program)
    }
}

/// The views of a lowered forward pass, by layer.
struct Forward {
    inputs: Vec<Rows>,
    weights: Vec<View>,
    biases: Vec<Option<View>>,
    pres: Vec<Option<View>>,
    outputs: Vec<View>,
}

impl Forward {
    fn lower(
        network: &Network,
        batch: usize,
        input: Rows,
        parameters: View,
        list: &mut Buffers,
        ops: &mut Vec<Op>,
    ) -> Self {
        let named = network.parameters();
        let find = |layer: usize, bias: bool| {
            let wanted = |p: &&Parameter| p.layer == layer && p.is_bias() == bias;
            named.iter().find(wanted).map(|parameter| parameter.view(parameters.buffer))
        };
        let mut forward = Self {
            inputs: Vec::new(),
            weights: Vec::new(),
            biases: Vec::new(),
            pres: Vec::new(),
            outputs: Vec::new(),
        };
        let mut input = input;
        for (i, layer) in network.layers().iter().enumerate() {
            let shape = Shape::new(batch, layer.outputs);
            let weight = find(i, false).unwrap_or(parameters);
            let bias = find(i, true);
            let pre = (layer.activation.cache() == Cache::Input)
                .then(|| list.add(format!("pre.{i}"), shape));
            let output = list.add(format!("output.{i}"), shape);
            ops.push(Op::Dense { input, weight, bias, activation: layer.activation, pre, output });
            forward.inputs.push(input);
            forward.weights.push(weight);
            forward.biases.push(bias);
            forward.pres.push(pre);
            forward.outputs.push(output);
            input = Rows::all(output);
        }
        forward
    }

    /// What the derivative of a layer's activation is computed from.
    fn cached(&self, i: usize, layer: &Layer) -> Option<View> {
        match layer.activation.cache() {
            Cache::Nothing => None,
            Cache::Input => self.pres[i],
            Cache::Output => Some(self.outputs[i]),
        }
    }
}

/// The list of buffers while it grows.
#[derive(Default)]
struct Buffers(Vec<BufferSpec>);

impl Buffers {
    fn add(&mut self, name: impl Into<String>, shape: Shape) -> View {
        self.0.push(BufferSpec { name: name.into(), words: shape.len(), transient: false });
        View::new(self.0.len() - 1, shape)
    }

    /// The rows of a minibatch: picked in place from data in one part, gathered from several.
    fn data(
        &mut self,
        source: &Source,
        parts: &str,
        whole: &str,
        count: usize,
        pick: Pick,
        ops: &mut Vec<Op>,
    ) -> Rows {
        let views: Vec<View> = (source.parts.iter().enumerate())
            .map(|(i, &rows)| self.add(format!("{parts}.{i}"), Shape::new(rows, source.cols)))
            .collect();
        if let [view] = views[..] {
            return Rows { source: view, pick, count };
        }
        let output = self.add(whole, Shape::new(count, source.cols));
        let mut first = 0;
        for view in views {
            ops.push(Op::Gather { rows: Rows { source: view, pick, count }, first, output });
            first += view.shape.rows;
        }
        Rows::all(output)
    }
}
