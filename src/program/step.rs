//! One training step, and one prediction, described as data and lowered to instructions.

use super::regularize::Regularizer;
use super::update::{self, Flat};
use super::{BufferSpec, Program};
use crate::error::Result;
use crate::nn::{Cache, Layer, Loss, LossReduction, Network, Parameter, TargetKind};
use crate::op::{Op, Pick, Rows, Shape, View};
use crate::optim::{Groups, Optimizer, Regularization};
use crate::random::{Draw, device_key};

/// The names of the buffers that a step works on.
///
/// The parts of the data are `features.N`, `targets.N` and `weights.N`; and there are `pre.N`,
/// `output.N` and `delta.N` for each layer, `dropped.N` for a layer with dropout, and `kept.NAME`
/// for what steps keep.
pub mod names {
    /// The network's parameters, flat.
    pub const PARAMETERS: &str = "parameters";
    /// The gradients of the last step, laid out as the parameters.
    pub const GRADIENTS: &str = "gradients";
    /// The optimizer's first moment, laid out as the parameters.
    pub const FIRST_MOMENT: &str = "first_moment";
    /// The optimizer's second moment, laid out as the parameters.
    pub const SECOND_MOMENT: &str = "second_moment";
    /// The optimizer's third moment, laid out as the parameters.
    pub const THIRD_MOMENT: &str = "third_moment";
    /// The moments, in order.
    pub const MOMENTS: [&str; 3] = [FIRST_MOMENT, SECOND_MOMENT, THIRD_MOMENT];
    /// What steps keep of a parameter or a gradient, one row a step: this and its name.
    pub const KEPT: &str = "kept.";
    /// What the name of a parameter's gradient ends with: PyTorch's `.grad`.
    pub const GRADIENT: &str = ".grad";
    /// The moving average of the parameters, laid out as they are.
    pub const AVERAGE: &str = "average";
    /// Norms on their way to where they limit something.
    pub const LIMITED_NORMS: &str = "limited_norms";
    /// The norms that an optimizer scales its steps by: of each weight and bias, and of its
    /// direction.
    pub const NORMS: &str = "norms";
    /// The row order of one or more epochs, u32.
    pub const ORDER: &str = "order";
    /// The loss of every step, by slot.
    pub const LOSSES: &str = "losses";
    /// The loss of every row of the last minibatch.
    pub const ROW_LOSSES: &str = "row_losses";
    /// What the rows of the data count, in parts, where not each counts once.
    pub const WEIGHTS: &str = "weights";
    /// The features, in parts.
    pub const FEATURES: &str = "features";
    /// The targets, in parts.
    pub const TARGETS: &str = "targets";
    /// What the minibatch's rows count, brought to a mean of 1.
    pub const ROW_WEIGHTS: &str = "row_weights";
    /// What positive targets count against negative ones, by output.
    pub const POSITIVE_WEIGHTS: &str = "positive_weights";
    /// The minibatch's weights, where the data's are in parts.
    pub const WEIGHT: &str = "weight";
    /// The minibatch, where it has to be gathered first: the features are in parts, or change.
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

/// What part of an update a minibatch is: gradients may be accumulated over several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The rows of all minibatches of the update; the loss's mean runs over them.
    pub rows: usize,
    /// Whether this is the first minibatch: its gradients replace those of the update before.
    pub first: bool,
    /// Whether this is the last minibatch: the update follows.
    pub last: bool,
}

impl Share {
    /// A minibatch of `rows` rows with an update of its own.
    #[must_use]
    pub const fn whole(rows: usize) -> Self {
        Self { rows, first: true, last: true }
    }
}

/// One training step on a minibatch: forward, loss, backward, update.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The network.
    pub network: Network,
    /// The loss.
    pub loss: Loss,
    /// How its terms become one number.
    pub reduction: LossReduction,
    /// The update rule; none leaves the gradients and no more.
    pub optimizer: Option<Optimizer>,
    /// Which parameters it treats differently.
    pub groups: Groups,
    /// What is done before the update and after it.
    pub regularization: Regularization,
    /// The seed of dropout and noise; none leaves them out.
    pub seed: Option<u64>,
    /// The rows of the minibatch.
    pub batch: usize,
    /// The part of an update that the minibatch is.
    pub share: Share,
    /// Where the features are.
    pub features: Source,
    /// Where the targets are.
    pub targets: Source,
    /// What they are.
    pub target_kind: TargetKind,
    /// Where the rows' weights are, one or two columns as [`Op::Weigh`] takes them, if they have
    /// some.
    pub weights: Option<Source>,
    /// Whether there are positive weights.
    pub positive_weights: bool,
    /// The length of the row order; none takes the rows as they lie.
    pub order: Option<usize>,
    /// The number of losses kept.
    pub slots: usize,
    /// The parameters and gradients that some steps keep; see [`Kept`].
    pub kept: Kept,
}

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
    fn lower(
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

impl Step {
    /// A step with an update of its own after each minibatch, over rows as they lie and count once,
    /// that keeps one loss, its mean, and regularizes nothing. Targets are labels if the loss takes
    /// such.
    #[must_use]
    pub fn new(
        network: Network,
        loss: Loss,
        optimizer: Option<Optimizer>,
        batch: usize,
        [features, targets]: [Source; 2],
    ) -> Self {
        let labels = loss.accepts(TargetKind::Labels);
        Self {
            network,
            loss,
            reduction: LossReduction::Mean,
            optimizer,
            groups: Groups::default(),
            regularization: Regularization::default(),
            seed: None,
            batch,
            share: Share::whole(batch),
            features,
            targets,
            target_kind: if labels { TargetKind::Labels } else { TargetKind::Values },
            weights: None,
            positive_weights: false,
            order: None,
            slots: 1,
            kept: Kept::default(),
        }
    }

    /// The program that is this step's meaning. Steps that differ only in their batch have the same
    /// list of buffers, so that the short last minibatch of an epoch runs over the same memory.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where network, loss and data do not fit, and
    /// [`Error::Argument`](crate::Error::Argument) where the groups do not fit the network.
    pub fn lower(&self) -> Result<Program> {
        self.groups.check(self.network.layers().len())?;
        let mut list = Buffers::default();
        let words = self.network.parameter_words();
        let flat = Shape::new(1, words);
        let parameters = list.add(names::PARAMETERS, flat);
        let gradients = list.add(names::GRADIENTS, flat);
        let count = self.optimizer.map_or(0, |optimizer| optimizer.moments());
        let mut moments = [None; 3];
        for (moment, name) in moments.iter_mut().zip(names::MOMENTS).take(count) {
            *moment = Some(list.add(name, flat));
        }
        let regularizer = Regularizer::new(self, parameters, gradients, &mut list);
        let losses = list.add(names::LOSSES, Shape::new(self.slots, 1));
        let row_losses = list.add(names::ROW_LOSSES, Shape::new(self.batch, 1));
        let order = self.order.map(|len| list.add(names::ORDER, Shape::new(len, 1)));
        let pick = order.map_or(Pick::Range, Pick::Order);

        let mut ops = Vec::new();
        let flat = [parameters, gradients];
        self.kept.lower(&self.network, flat, false, &mut list, &mut ops);
        let mut data =
            |source, parts, whole| list.data(source, parts, whole, self.batch, pick, &mut ops);
        let input = data(&self.features, names::FEATURES, names::INPUT);
        let targets = data(&self.targets, names::TARGETS, names::TARGET);
        let weights = self.weights.as_ref().map(|at| data(at, names::WEIGHTS, names::WEIGHT));
        let weights = weights.map(|weights| {
            let output = list.add(names::ROW_WEIGHTS, Shape::new(self.batch, 1));
            let mean = self.reduction.is_mean();
            ops.push(Op::Weigh { weights, mean, output });
            output
        });
        let outputs = self.network.outputs();
        let positive = (self.positive_weights)
            .then(|| list.add(names::POSITIVE_WEIGHTS, Shape::new(1, outputs)));
        let input = self.disturbed(input, &mut list, &mut ops);
        let forward = Forward::lower(
            &self.network,
            self.batch,
            input,
            parameters,
            self.seed,
            &mut list,
            &mut ops,
        );

        let scale = self.reduction.scale(self.loss, self.share.rows, outputs) as f32;
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
                        kind: self.target_kind,
                        weights,
                        positive,
                        delta,
                        row_losses,
                    });
                    let scale = self.reduction.scale(self.loss, self.batch, outputs) as f32;
                    ops.push(Op::Record { scale, row_losses, losses });
                }
                Some(_) if !update::needs_delta(&self.groups, i) => break,
                Some(_) => ops.push(Op::Backward {
                    delta: deltas[i + 1],
                    weight: forward.weights[i + 1],
                    activation: layer.activation,
                    cached: forward.cached(i, layer),
                    output: delta,
                }),
            }
            if let Some(key) = forward.keys[i] {
                // The mask of the forward pass, drawn again.
                ops.push(Op::Dropout { rate: layer.dropout, key, input: None, output: delta });
            }
            if self.groups.trains(i) {
                ops.push(Op::Gradient {
                    accumulate: !self.share.first,
                    input: forward.inputs[i],
                    delta,
                    weight: View { buffer: gradients.buffer, ..forward.weights[i] },
                    bias: forward.biases[i].map(|bias| View { buffer: gradients.buffer, ..bias }),
                });
            }
        }
        self.kept.lower(&self.network, flat, true, &mut list, &mut ops);
        if let Some(optimizer) = self.optimizer {
            let flat = Flat { parameters, gradients, moments };
            // Lowered in every program, so that all have the same buffers.
            let mut finish = Vec::new();
            regularizer.before_update(&mut finish);
            let (network, groups) = (&self.network, &self.groups);
            update::lower(network, optimizer, groups, flat, &mut list.0, &mut finish);
            regularizer.after_update(&mut finish);
            ops.extend(finish.into_iter().filter(|_| self.share.last));
        }
        let program = Program { buffers: list.0, ops };
        program.check()?;
        Ok(program)
    }

    /// The minibatch with the network's noise and dropout on its inputs, in a buffer of its own.
    fn disturbed(&self, input: Rows, list: &mut Buffers, ops: &mut Vec<Op>) -> Rows {
        let (noise, rate) = (self.network.input_noise(), self.network.input_dropout());
        let Some(seed) = self.seed.filter(|_| noise > 0.0 || rate > 0.0) else { return input };
        let output = if input.pick == Pick::All {
            input.source
        } else {
            let output = list.add(names::INPUT, input.shape());
            ops.push(Op::Gather { rows: input, first: 0, output });
            output
        };
        if noise > 0.0 {
            let key = device_key(seed, Draw::InputNoise);
            ops.push(Op::Noise { deviation: noise, key, values: output });
        }
        if rate > 0.0 {
            let key = device_key(seed, Draw::InputDropout);
            ops.push(Op::Dropout { rate, key, input: None, output });
        }
        Rows::all(output)
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
        let network = &self.network;
        let input = list.data(
            &self.features,
            names::FEATURES,
            names::INPUT,
            self.batch,
            Pick::Range,
            &mut ops,
        );
        let forward =
            Forward::lower(network, self.batch, input, parameters, None, &mut list, &mut ops);
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
    /// The keys of the layers' dropout masks.
    keys: Vec<Option<[u32; 2]>>,
}

impl Forward {
    fn lower(
        network: &Network,
        batch: usize,
        input: Rows,
        parameters: View,
        seed: Option<u64>,
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
            keys: Vec::new(),
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
            let key = seed.filter(|_| layer.dropout > 0.0);
            let key = key.map(|seed| device_key(seed, Draw::Dropout(i)));
            input = Rows::all(match key {
                None => output,
                Some(key) => {
                    // The output itself is kept: the activation's derivative may need it.
                    let dropped = list.add(format!("dropped.{i}"), shape);
                    let (rate, input) = (layer.dropout, Some(output));
                    ops.push(Op::Dropout { rate, key, input, output: dropped });
                    dropped
                }
            });
            forward.keys.push(key);
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
pub(super) struct Buffers(Vec<BufferSpec>);

impl Buffers {
    pub(super) fn add(&mut self, name: impl Into<String>, shape: Shape) -> View {
        self.0.push(BufferSpec { name: name.into(), words: shape.len() });
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
