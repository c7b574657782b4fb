//! What else the experiment varies: batch size, learning rate, and everything that can go wrong.

use common::plot::Chart;
use ndarray::Axis;
use wgrad::data::Dataset;
use wgrad::estimator::MlpRegressor;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::Sgd;
use wgrad::{Device, Error, Mlp, Trainer};

use crate::common::{self, Failure, Result};
use crate::{BATCH, LEARNING_RATE};

/// A question to train several networks for.
#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Study {
    /// Batches of 2, 32 and 512 rows.
    Batch,
    /// Learning rates of 1, 0.1, 0.001 and 0.00001.
    Lr,
    /// Training from scratch, without anything that keeps it from diverging.
    Diverge,
}

/// What one training of a study is called, its batch size and its learning rate.
type Variant = (String, usize, f64);

/// The last loss of each variant; none where it diverged.
type Losses = Vec<(String, Option<f64>)>;

impl Study {
    fn variants(self) -> Vec<Variant> {
        let batches = [2, 32, 512].map(|n| (format!("batches of {n}"), n, LEARNING_RATE));
        let rates = ["1", "0.1", "0.001", "0.00001"]
            .map(|rate| (format!("rate {rate}"), BATCH, rate.parse().unwrap_or(LEARNING_RATE)));
        match self {
            Self::Batch => batches.to_vec(),
            Self::Lr => rates.to_vec(),
            Self::Diverge => Vec::new(),
        }
    }

    /// Trains a network for each variant and overlays the loss curves. Gives the last losses.
    pub fn run(
        self,
        device: &Device,
        train: &Dataset,
        (width, epochs, seed): (usize, usize, u64),
    ) -> Result<(Chart, Losses)> {
        let subject = if self == Self::Batch { "batch size" } else { "learning rate" };
        let mut chart = Chart::new(format!("The loss and the {subject}, 4096-{width}-{width}-1"))
            .axes("epoch", "half the mean squared error")
            .log_y()
            .size(760, 420);
        let mut losses = Losses::new();
        for (label, batch, rate) in self.variants() {
            let fitted = MlpRegressor::builder()
                .hidden_layer_sizes([width, width])
                .batch_size(batch)
                .learning_rate_init(rate)
                .max_iter(epochs)
                .n_iter_no_change(usize::MAX)
                .random_state(seed)
                .verbose(true)
                .device(device)
                .fit(&train.features(), &targets(train)?);
            match fitted {
                Ok(model) => {
                    println!("{label}: loss {:.1} after {epochs} epochs", model.loss());
                    chart = chart.epochs(&label, model.loss_curve());
                    losses.push((label, Some(model.loss())));
                }
                Err(error @ Error::Diverged { .. }) => {
                    println!("{label}: {error}");
                    losses.push((label, None));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok((chart, losses))
    }
}

/// The Reynolds number of each row.
pub fn targets(data: &Dataset) -> Result<ndarray::ArrayView1<'_, f32>> {
    let values = data.values().ok_or_else(|| Failure::new("Reynolds numbers are values"))?;
    Ok(values.index_axis_move(Axis(1), 0))
}

/// The learning rate of the run that diverges: 1 where gradients of half the squared error are
/// summed over a batch, as code written by hand does it, and 16 times that where they are averaged.
const SUMMED_RATE: f64 = BATCH as f64 / 2.0;

/// A network as it is first written by hand: weights N(0, 0.01^2), plain gradient descent with
/// summed gradients, targets as they are. Gives the error that it ends with.
pub fn diverge(device: &Device, train: &Dataset, seed: u64) -> Result<Error> {
    let mut mlp = Mlp::builder(train.inputs())
        .weight_init(Init::Normal(0.01))
        .bias_init(Init::Constant(0.0))
        .hidden(10, Activation::Relu)
        .hidden(10, Activation::Relu)
        .output(1)
        .seed(seed)
        .build(device)?;
    let fitted = Trainer::new(Loss::Mse, Sgd::new(SUMMED_RATE))
        .batch_size(BATCH)
        .epochs(20)
        .seed(seed)
        .fit(&mut mlp, train);
    match fitted {
        Err(error @ Error::Diverged { .. }) => Ok(error),
        Err(error) => Err(error.into()),
        Ok(history) => Err(Failure::new(format!(
            "plain gradient descent did not diverge: its loss is {:.1}",
            history.final_loss()
        ))),
    }
}
