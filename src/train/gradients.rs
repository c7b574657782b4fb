//! The gradients of one batch, by name.

use super::engine::{Engine, Setup};
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::device::Launch;
use crate::error::Result;
use crate::mlp::{Mlp, Named, named};
use crate::op::StepArgs;
use crate::optim::Groups;
use crate::persist::RunSettings;
use crate::program::names;

/// The loss of a batch and its gradient with respect to every parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// The loss.
    pub loss: f64,
    /// The gradients by parameter name, in the parameters' shapes.
    pub by_name: Named,
}

impl Trainer {
    /// The loss of all rows of `data` as one batch, and its gradients; no parameter moves, nothing
    /// is dropped, and no penalty is added.
    ///
    /// # Errors
    /// Those of [`fit`](Trainer::fit), but for divergence.
    pub fn gradients(&self, mlp: &Mlp, data: &Dataset) -> Result<Gradients> {
        pollster::block_on(self.gradients_async(mlp, data))
    }

    /// [`gradients`](Self::gradients), without blocking.
    ///
    /// # Errors
    /// Those of [`gradients`](Self::gradients).
    pub async fn gradients_async(&self, mlp: &Mlp, data: &Dataset) -> Result<Gradients> {
        let settings = RunSettings {
            batch_size: data.len(),
            accumulate: 1,
            shuffle: false,
            groups: Groups::default(),
            ..self.settings.clone()
        };
        let setup = Setup { settings: &settings, trains: false, recorder: None, most_epochs: 1 };
        let mut engine = Engine::new(mlp, data, setup)?;
        engine.queue(&[Launch { program: 0, args: StepArgs::default() }])?;
        let read = [names::GRADIENTS, names::LOSSES].map(|name| engine.buffer(name));
        let ranges: Vec<_> = (read.into_iter().flatten())
            .map(|buffer| (buffer.storage(), 0..buffer.words()))
            .collect();
        let parts = mlp.device().backend().read(&ranges).await?;
        let loss = parts.get(1).and_then(|losses| losses.first()).copied().unwrap_or(f32::NAN);
        let by_name = parts.first().map(|words| named(mlp.network(), words)).unwrap_or_default();
        Ok(Gradients { loss: f64::from(loss), by_name })
    }
}
