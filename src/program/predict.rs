//! A prediction, described as data and lowered to instructions.

use super::forward::{Forward, Pass};
use super::source::{Buffers, Source};
use super::{Program, names};
use crate::error::Result;
use crate::nn::Network;
use crate::op::{Op, Pick, Shape};

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
        let pass = Pass::default();
        let forward = Forward::lower(network, input, parameters, pass, &mut list, &mut ops);
        if let Some(last) = forward.layers.last() {
            ops.push(Op::Scatter { input: last.output, output: predictions });
        }
        let program = Program { buffers: list.0, ops };
        program.check()?;
        Ok(program)
    }
}
