//! Many trainings at once: seeds, folds, grids of hyper-parameters.
//!
//! Trainings that differ in numbers alone go in step on a GPU, a workgroup each (`lockstep`); the others
//! share the threads of their device (`threads`), or come one after the other.

mod data;
mod lockstep;
mod threads;

use self::lockstep::Lockstep;
use super::history::History;
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::error::Result;
use crate::mlp::Mlp;

/// Trains many networks, each with a trainer and data of its own, and returns the results in the same
/// order: for several seeds, the folds of a cross-validation, a grid of hyper-parameters.
///
/// A network ends as if it had been trained alone by the same strategy, bitwise, whatever became of the
/// others: a learning rate with which one diverges is the error of that one.
///
/// On a GPU, networks go through their steps together, in the same dispatches, where
///
/// - [`Strategy::Persistent`] or [`Strategy::Registers`] can run their training. With
///   [`Strategy::Auto`] all steps of all networks count among those that have to pay for compiling a
///   kernel, so that one may be chosen which a network alone would not have got;
/// - they agree in layers, the number of rows, batch size, epochs and all other settings but the seeds,
///   the schedule, and the learning rate and momentum (beta1) of the optimizer. Initial weights and data
///   may differ, and data that are one [`Dataset`] or clones of it are kept once;
/// - nobody watches: no validation set, callback, checkpoint, recording or trace, and no schedule that
///   looks at losses.
///
/// They need not all be alike: those that are form a group each. On the CPU every thread takes a network
/// at a time if it has no callback and no checkpoint. Whatever remains is trained one after the other.
///
/// The [`seconds`](super::EpochRecord::seconds) of an epoch are those in which it was trained, together
/// with others or not. A progress bar is that of a group, or of a network that is trained by itself on a
/// GPU.
///
/// ```
/// use wgrad::data::Dataset;
/// use wgrad::{Activation, Adam, Device, Loss, Mlp, Trainer, train_many};
///
/// let device = Device::cpu();
/// let x: Vec<f32> = (0..64).map(|i| i as f32 / 32.0 - 1.0).collect();
/// let y: Vec<f32> = x.iter().map(|x| x.sin()).collect();
/// let data = Dataset::regression_from_vec(x, 1, y, 1)?;
///
/// let rates = [0.001, 0.01, 0.1];
/// let network = |_| Mlp::builder(1).hidden(8, Activation::Tanh).output(1).seed(0).build(&device);
/// let mut networks = rates.iter().map(network).collect::<wgrad::Result<Vec<Mlp>>>()?;
/// let trainer = |rate: f64| Trainer::new(Loss::Mse, Adam::new(rate)).epochs(50);
/// let runs = rates.iter().zip(&mut networks).map(|(&rate, mlp)| (trainer(rate), mlp, &data));
/// for (rate, history) in rates.iter().zip(train_many(runs)) {
///     match history {
///         Ok(history) => println!("{rate}: {:.5}", history.final_loss()),
///         Err(error) => println!("{rate}: {error}"),
///     }
/// }
/// # Ok::<(), wgrad::Error>(())
/// ```
///
/// [`Strategy::Auto`]: crate::device::Strategy::Auto
/// [`Strategy::Persistent`]: crate::device::Strategy::Persistent
/// [`Strategy::Registers`]: crate::device::Strategy::Registers
///
/// # Errors
/// Those of [`Trainer::fit`], network by network.
pub fn train_many<'a>(
    runs: impl IntoIterator<Item = (Trainer, &'a mut Mlp, &'a Dataset)>,
) -> Vec<Result<History>> {
    pollster::block_on(train_many_async(runs))
}

/// [`train_many`], without blocking, but for the threads of the CPU.
///
/// # Errors
/// Those of [`Trainer::fit`], network by network.
pub async fn train_many_async<'a>(
    runs: impl IntoIterator<Item = (Trainer, &'a mut Mlp, &'a Dataset)>,
) -> Vec<Result<History>> {
    let job = |(trainer, mlp, data)| Job { trainer, mlp, data, result: None };
    let mut jobs: Vec<Job<'a>> = runs.into_iter().map(job).collect();
    for group in groups(&jobs) {
        let most = lockstep::most_members(&members(&jobs, &group));
        train_together(&mut jobs, &group, most).await;
    }
    threads::train(&mut jobs);
    let mut results = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        results.push(match job.result {
            Some(result) => result,
            None => job.trainer.fit_async(job.mlp, job.data).await,
        });
    }
    results
}

/// A network to be trained, and how that ended.
struct Job<'a> {
    trainer: Trainer,
    mlp: &'a mut Mlp,
    data: &'a Dataset,
    result: Option<Result<History>>,
}

/// The numbers of jobs that may go in step, by groups of two and more.
fn groups(jobs: &[Job<'_>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (number, job) in jobs.iter().enumerate() {
        if !lockstep::may_join(job) {
            continue;
        }
        match groups.iter_mut().find(|group| lockstep::are_alike(&jobs[group[0]], job)) {
            Some(group) => group.push(number),
            None => groups.push(vec![number]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// The jobs of a group.
fn members<'j, 'a>(jobs: &'j [Job<'a>], group: &[usize]) -> Vec<&'j Job<'a>> {
    group.iter().map(|&number| &jobs[number]).collect()
}

/// Trains jobs that are alike in step, at most so many at a time, if their device has a way to do so.
async fn train_together(jobs: &mut [Job<'_>], group: &[usize], most: usize) {
    let mut results = Vec::with_capacity(group.len());
    for part in members(jobs, group).chunks(most) {
        // What cannot be trained together is told why when it is trained alone.
        let Ok(Some(lockstep)) = Lockstep::new(part).await else { break };
        results.extend(lockstep.train().await);
    }
    for (&number, result) in group.iter().zip(results) {
        jobs[number].result = Some(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, Strategy};
    use crate::nn::{Activation, Loss};
    use crate::optim::Adam;

    #[test]
    fn groups_that_do_not_fit_at_once_are_trained_in_parts() {
        // Where there is none, other tests say so.
        let Ok(device) = Device::gpu() else { return };
        let x: Vec<f32> = (0..32).map(|i| (i as f32).sin()).collect();
        let data = Dataset::regression_from_vec(x.clone(), 1, x, 1).unwrap();
        let network = |seed| {
            let builder = Mlp::builder(1).hidden(3, Activation::Tanh).output(1).seed(seed);
            builder.build(&device).unwrap()
        };
        let trainer = |seed| {
            let trainer = Trainer::new(Loss::Mse, Adam::new(0.01)).batch_size(5).epochs(4);
            trainer.seed(seed).strategy(Strategy::Persistent)
        };
        let mut networks: Vec<Mlp> = (0..5).map(network).collect();
        let job = |(seed, mlp)| Job { trainer: trainer(seed), mlp, data: &data, result: None };
        let mut jobs: Vec<Job<'_>> = (0..).zip(&mut networks).map(job).collect();
        let groups = groups(&jobs);
        assert_eq!(groups, [[0, 1, 2, 3, 4]]);
        pollster::block_on(train_together(&mut jobs, &groups[0], 2));
        assert!(jobs.iter().all(|job| matches!(job.result, Some(Ok(_)))));
        for (seed, mlp) in (0..).zip(&networks) {
            let mut alone = network(seed);
            trainer(seed).fit(&mut alone, &data).unwrap();
            let parameters = |mlp: &Mlp| mlp.buffer().read::<u32>().unwrap();
            assert_eq!(parameters(mlp), parameters(&alone), "network {seed}");
        }
    }

    #[test]
    fn only_trainings_that_differ_in_numbers_are_alike() {
        let Ok(device) = Device::gpu() else { return };
        let data = Dataset::regression_from_vec([0.0, 1.0, 2.0], 1, [0.0, 1.0, 4.0], 1).unwrap();
        let clone = data.clone();
        let network = |width| {
            Mlp::builder(1).hidden(width, Activation::Tanh).output(1).build(&device).unwrap()
        };
        let trainer = |rate| Trainer::new(Loss::Mse, Adam::new(rate));
        let trainers = [
            trainer(0.1),
            trainer(0.2).seed(3),
            trainer(0.1).epochs(3),
            trainer(0.1).epochs(3).shuffle(false),
            Trainer::new(Loss::Mse, Adam::new(0.1).weight_decay(0.1)),
            Trainer::new(Loss::Mae, Adam::new(0.1)),
            trainer(0.1),
            trainer(0.1).strategy(Strategy::Program),
            trainer(0.1).validation(&data),
            trainer(0.1),
        ];
        let mut networks: Vec<Mlp> = (0..10).map(|i| network(if i == 9 { 4 } else { 3 })).collect();
        let job = |(trainer, mlp)| Job { trainer, mlp, data: &clone, result: None };
        let jobs: Vec<Job<'_>> = trainers.into_iter().zip(&mut networks).map(job).collect();
        assert_eq!(groups(&jobs), [[0, 1, 6]]);
    }
}
