//! The gradients of one batch, by name.

use super::engine::{Engine, Setup};
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::device::Launch;
use crate::error::Result;
use crate::mlp::{Mlp, Named, named};
use crate::op::StepArgs;
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
        let settings = self.settings.clone().one_batch(data.len());
        let mut engine = Engine::new(mlp, data, Setup::gradients(&settings))?;
        let (loss, words) = evaluate(&mut engine, mlp).await?;
        Ok(Gradients { loss, by_name: named(mlp.network(), &words) })
    }
}

/// The loss of all rows, and the gradients as they lie in their buffer.
pub(super) async fn evaluate(engine: &mut Engine, mlp: &Mlp) -> Result<(f64, Vec<f32>)> {
    engine.queue(&[Launch { program: 0, args: StepArgs::default() }])?;
    let read = [names::GRADIENTS, names::LOSSES].map(|name| engine.buffer(name));
    let ranges: Vec<_> =
        (read.into_iter().flatten()).map(|buffer| (buffer.storage(), 0..buffer.words())).collect();
    let mut parts = mlp.device().backend().read(&ranges).await?.into_iter();
    let gradients = parts.next().unwrap_or_default();
    let loss = parts.next().and_then(|losses| losses.first().copied()).unwrap_or(f32::NAN);
    Ok((f64::from(loss), gradients))
}
