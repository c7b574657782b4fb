//! The strategies that run many ops in one dispatch, as far as they can run a training, and the choice
//! among them.

use std::sync::Arc;

use super::Shared;
use super::calibration::{Demand, choose, program};
use super::kernels::Target;
use super::persistent::Persistent;
use super::two_pass::TwoPass;
use crate::device::{Executable, How, Members, Strategy};
use crate::error::{Error, Result};
use crate::program::Program;

/// What can run a training in place of the program.
pub(super) enum Candidate {
    Persistent(Persistent),
    TwoPass(TwoPass),
}

impl Candidate {
    /// The programs as a strategy runs them.
    ///
    /// # Errors
    /// `Argument` with the reason why it cannot.
    fn fitting(
        shared: &Shared,
        programs: &[Program],
        members: Option<&Members>,
        strategy: Strategy,
    ) -> Result<Self> {
        match strategy {
            Strategy::TwoPass => Ok(Self::TwoPass(TwoPass::fitting(shared, programs)?)),
            _ => Persistent::fitting(shared, programs, strategy, members).map(Self::Persistent),
        }
    }

    /// What runs the programs, and why; none for the program itself.
    ///
    /// # Errors
    /// `Argument` where the strategy asked for cannot, and the device's.
    pub(super) fn choose(
        shared: &Shared,
        programs: &[Program],
        members: Option<&Members>,
        how: How,
    ) -> Result<(Option<Self>, String)> {
        match how.strategy {
            Strategy::Auto => Self::suited(shared, programs, members, how),
            Strategy::Program => Ok((None, ASKED_FOR.into())),
            strategy => {
                let candidate = Self::fitting(shared, programs, members, strategy)?;
                Ok((Some(candidate), ASKED_FOR.into()))
            }
        }
    }

    /// The one that is expected to take the shortest time, if that is not the program.
    fn suited(
        shared: &Shared,
        programs: &[Program],
        members: Option<&Members>,
        how: How,
    ) -> Result<(Option<Self>, String)> {
        let strategies = [Strategy::Registers, Strategy::Persistent, Strategy::TwoPass];
        // Of many networks two passes run one after the other.
        let list = &strategies[..if members.is_some() { 2 } else { 3 }];
        let mut candidates = Vec::new();
        let mut refused = None;
        for &strategy in list {
            match Self::fitting(shared, programs, members, strategy) {
                Ok(candidate) => match candidate.demand(shared.target) {
                    Some(demand) => candidates.push((candidate, demand)),
                    None => refused = Some("a layer is too wide for the others".to_owned()),
                },
                Err(error) => refused = Some(reason(error)),
            }
        }
        if candidates.is_empty() {
            let why = refused.unwrap_or_default();
            return Ok((None, format!("the only one for this training: {why}")));
        }
        let program = program(programs, shared.target)?;
        let demands: Vec<Demand> = candidates.iter().map(|(_, demand)| demand.clone()).collect();
        let costs = how.calibration.unwrap_or_else(|| shared.calibration());
        let count = members.map_or(1, |members| members.count);
        let choice = choose(&program, &demands, &costs, (count, how.steps));
        let chosen =
            candidates.into_iter().find(|(_, demand)| demand.strategy == choice.strategy());
        Ok((chosen.map(|(candidate, _)| candidate), choice.to_string()))
    }

    /// What a step demands; none where the strategy is not to be chosen by itself.
    fn demand(&self, target: Target) -> Option<Demand> {
        match self {
            Self::Persistent(persistent) => Some(persistent.demand()),
            Self::TwoPass(two_pass) => two_pass.demand(target),
        }
    }

    /// Makes all that running needs.
    pub(super) fn bind(
        self,
        shared: Arc<Shared>,
        buffers: &[&wgpu::Buffer],
    ) -> Result<Box<dyn Executable>> {
        Ok(match self {
            Self::Persistent(persistent) => Box::new(persistent.bind(shared, buffers)?),
            Self::TwoPass(two_pass) => Box::new(two_pass.bind(shared, buffers)?),
        })
    }
}

const ASKED_FOR: &str = "asked for";

/// Why a strategy cannot run a training, without what to do about it.
fn reason(error: Error) -> String {
    match error {
        Error::Argument { expected, .. } => expected,
        other => other.to_string(),
    }
}
