//! One training step, described as data and lowered to instructions.

use super::backward::{self, LossOperands};
use super::forward::{Forward, Pass};
use super::kept::Kept;
use super::regularize::Regularizer;
use super::source::{Buffers, Source};
use super::update::{self, Flat};
use super::{Program, names};
use crate::error::Result;
use crate::nn::{Loss, LossReduction, Network, TargetKind};
use crate::op::{Op, Pick, Rows, Shape, View};
use crate::optim::{Groups, Optimizer, Regularization};
use crate::random::{Draw, device_key};

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

    /// The program that is this step's meaning. Steps that differ only in their batch or in their
    /// share of an update have the same list of buffers, so that the short last minibatch of an
    /// epoch runs over the same memory.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where network, loss and data do not fit, and
    /// [`Error::Argument`](crate::Error::Argument) where the groups do not fit the network.
    pub fn lower(&self) -> Result<Program> {
        self.groups.check(self.network.layers().len())?;
        let (mut list, mut ops) = (Buffers::default(), Vec::new());
        let flat = self.flat(&mut list);
        let Flat { parameters, gradients, .. } = flat;
        let regularizer = Regularizer::new(self, parameters, gradients, &mut list);
        let losses = list.add(names::LOSSES, Shape::new(self.slots, 1));
        let row_losses = list.add(names::ROW_LOSSES, Shape::new(self.batch, 1));

        let kept = [parameters, gradients];
        self.kept.lower(&self.network, kept, false, &mut list, &mut ops);
        let (input, loss) = self.data(losses, row_losses, &mut list, &mut ops);
        let input = self.disturbed(input, &mut list, &mut ops);
        let network = &self.network;
        let pass = Pass { seed: self.seed, keeps_pre: false };
        let forward = Forward::lower(network, input, parameters, pass, &mut list, &mut ops);
        backward::lower(self, &forward, loss, gradients, &mut list, &mut ops);
        self.kept.lower(network, kept, true, &mut list, &mut ops);
        if let Some(optimizer) = self.optimizer {
            // Who wants the gradients asks for a step without an optimizer; minibatches that share
            // an update hand them on.
            list.0[gradients.buffer].transient = self.share == Share::whole(self.batch);
            for spec in list.0.iter_mut().filter(|spec| names::is_between_layers(&spec.name)) {
                spec.transient = true;
            }
            // Lowered in every program, so that all have the same buffers.
            let mut finish = Vec::new();
            regularizer.before_update(&mut finish);
            update::lower(network, optimizer, &self.groups, flat, &mut list, &mut finish);
            regularizer.after_update(&mut finish);
            ops.extend(finish.into_iter().filter(|_| self.share.last));
        }
        let program = Program { buffers: list.0, ops };
        program.check()?;
        Ok(program)
    }

    /// The flat buffers: parameters, gradients, moments.
    pub(super) fn flat(&self, list: &mut Buffers) -> Flat {
        let shape = Shape::new(1, self.network.parameter_words());
        let parameters = list.add(names::PARAMETERS, shape);
        let gradients = list.add(names::GRADIENTS, shape);
        let count = self.optimizer.map_or(0, |optimizer| optimizer.moments());
        let mut moments = [None; 3];
        for (moment, name) in moments.iter_mut().zip(names::MOMENTS).take(count) {
            *moment = Some(list.add(name, shape));
        }
        Flat { parameters, gradients, moments }
    }

    /// The minibatch: its features, and what its loss needs.
    pub(super) fn data(
        &self,
        losses: View,
        row_losses: View,
        list: &mut Buffers,
        ops: &mut Vec<Op>,
    ) -> (Rows, LossOperands) {
        let order = self.order.map(|len| list.add(names::ORDER, Shape::new(len, 1)));
        let pick = order.map_or(Pick::Range, Pick::Order);
        let mut data =
            |source, parts, whole| list.data(source, parts, whole, self.batch, pick, ops);
        let input = data(&self.features, names::FEATURES, names::INPUT);
        let targets = data(&self.targets, names::TARGETS, names::TARGET);
        let weights = self.weights.as_ref().map(|at| data(at, names::WEIGHTS, names::WEIGHT));
        let weights = weights.map(|weights| {
            let output = list.add(names::ROW_WEIGHTS, Shape::new(self.batch, 1));
            let mean = self.reduction.is_mean();
            ops.push(Op::Weigh { weights, mean, output });
            output
        });
        let outputs = Shape::new(1, self.network.outputs());
        let positive = self.positive_weights.then(|| list.add(names::POSITIVE_WEIGHTS, outputs));
        (input, LossOperands { targets, weights, positive, row_losses, losses })
    }

    /// The minibatch with the network's noise and dropout on its inputs, in a buffer of its own.
    pub(super) fn disturbed(&self, input: Rows, list: &mut Buffers, ops: &mut Vec<Op>) -> Rows {
        let (noise, rate) = (self.network.input_noise(), self.network.input_dropout());
        let Some(seed) = self.seed.filter(|_| noise > 0.0 || rate > 0.0) else { return input };
        let output = list.gathered(input, ops);
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
