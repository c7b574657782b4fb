//! Checkpoints: a resumed run is the run that was not interrupted, bit by bit, and one with other
//! settings is refused.

mod common;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use common::folder::Folder;
use common::{Values, devices};
use ndarray::Array2;
use wgrad::device::Strategy;
use wgrad::nn::{Activation, Loss, LossReduction};
use wgrad::optim::{Adam, Lamb, NAdam, Optimizer, RmsProp, Sgd};
use wgrad::persist::Checkpoint;
use wgrad::{Dataset, Device, Error, Mlp, Trainer};

fn data(rows: usize) -> Dataset {
    let mut values = Values::new(7);
    let x = Array2::from_shape_vec((rows, 3), values.within(1.0, rows * 3)).unwrap();
    let y = Array2::from_shape_fn((rows, 2), |(row, k)| x[[row, 0]] * x[[row, k + 1]]);
    Dataset::regression(&x, &y).unwrap()
}

fn network(device: &Device) -> Mlp {
    let builder = Mlp::builder(3).hidden(9, Activation::Tanh).hidden(5, Activation::Relu);
    builder.output(2).seed(3).build(device).unwrap()
}

fn trainer(optimizer: impl Into<Optimizer>) -> Trainer {
    let trainer = Trainer::new(Loss::Mse, optimizer).batch_size(16).seed(5).record_steps(true);
    // Named, as the choice goes by how many epochs are planned.
    trainer.strategy(Strategy::Program)
}

/// The bits of every parameter.
fn bits(mlp: &Mlp) -> Vec<u32> {
    let parameters = mlp.parameters().unwrap();
    parameters.values().flatten().map(|value| value.to_bits()).collect()
}

/// Trains to epoch `k` with checkpoints, goes on from the file to epoch 8, and compares with a run
/// of 8 epochs without one.
fn interrupted(device: &Device, optimizer: Optimizer, shuffle: bool, k: usize, every: usize) {
    let folder = Folder::new(&format!("resume-{}-{shuffle}-{k}-{every}", optimizer.name()));
    let path = folder.path("run.safetensors");
    // 50 rows in batches of 16: the last batch is short.
    let data = data(50);
    let trainer = || trainer(optimizer).shuffle(shuffle);

    let mut whole = network(device);
    let expected = trainer().epochs(8).fit(&mut whole, &data).unwrap();

    let mut first = network(device);
    trainer().epochs(k).checkpoint(&path, every).fit(&mut first, &data).unwrap();
    // Parameters of its own: they must come from the checkpoint.
    let mut resumed = Mlp::builder(3).hidden(9, Activation::Tanh).hidden(5, Activation::Relu);
    resumed = resumed.output(2).seed(99);
    let mut resumed = resumed.build(device).unwrap();
    let history = trainer().epochs(8).resume(&path).unwrap().fit(&mut resumed, &data).unwrap();

    let what = format!("{device} {optimizer:?} shuffle {shuffle} from {k}");
    assert_eq!(bits(&resumed), bits(&whole), "{what}");
    assert_ne!(bits(&resumed), bits(&first), "{what}");
    let epochs: Vec<usize> = history.epochs.iter().map(|epoch| epoch.epoch).collect();
    assert_eq!(epochs, (k + 1..=8).collect::<Vec<_>>());
    assert_eq!(history.train_losses(), expected.train_losses()[k..], "{what}");
    assert_eq!(history.step_losses, expected.step_losses[4 * k..], "{what}");
}

#[test]
fn a_resumed_run_is_the_run_that_was_not_interrupted() {
    // Numbers that JSON must give back exactly, or they would count as changed.
    let adam = Adam { learning_rate: 0.1 + 0.2, beta1: 0.7, epsilon: 3.3e-9, ..Adam::default() };
    let rules: [Optimizer; 8] = [
        Sgd::new(0.05).into(),
        Sgd::new(0.05).momentum(0.9).into(),
        Sgd::new(0.05).momentum(0.9).nesterov().into(),
        Adam { learning_rate: 0.01, ..adam }.into(),
        Adam::new(0.01).amsgrad().into(),
        NAdam::new(0.01).into(),
        RmsProp::new(0.01).centered().momentum(0.5).into(),
        Lamb::new(0.01).into(),
    ];
    for device in devices() {
        for optimizer in rules {
            for shuffle in [true, false] {
                // Taken at a multiple, and at the end of the training.
                interrupted(device, optimizer, shuffle, 4, 2);
                interrupted(device, optimizer, shuffle, 5, 3);
            }
        }
        interrupted(device, adam.into(), true, 1, 1);
    }
}

/// Everything else that a run carries on: masks by step, averages, accumulated minibatches.
#[test]
fn a_regularized_run_resumes_bitwise() {
    let data = data(50);
    for device in devices() {
        let network = |seed| {
            let builder = Mlp::builder(3).hidden(9, Activation::Tanh).output(2).seed(seed);
            builder.dropout(0.2).input_noise(0.1).build(device).unwrap()
        };
        let regularized =
            || trainer(Adam::new(0.01)).batch_size(8).accumulate(3).average(0.9).max_norm(1.0);
        let mut whole = network(3);
        let expected = regularized().epochs(8).fit(&mut whole, &data).unwrap();

        let kept = Rc::new(RefCell::new(None));
        let keep = kept.clone();
        let mut first = network(3);
        let interrupted = regularized().epochs(5).on_checkpoint(5, move |checkpoint| {
            *keep.borrow_mut() = Some(checkpoint.to_bytes()?);
            Ok(())
        });
        { interrupted }.fit(&mut first, &data).unwrap();
        let checkpoint = Checkpoint::from_bytes(&kept.take().unwrap()).unwrap();
        // The average is the model: it is what the run would have left, and what is loaded.
        assert_eq!(bits(&checkpoint.mlp(device).unwrap()), bits(&first), "{device}");

        let mut resumed = network(99);
        let resume = regularized().epochs(8).resume_from(checkpoint.clone());
        let history = { resume }.fit(&mut resumed, &data).unwrap();
        assert_eq!(bits(&resumed), bits(&whole), "{device}");
        assert_eq!(history.train_losses(), expected.train_losses()[5..], "{device}");

        let other = regularized().accumulate(2).resume_from(checkpoint);
        let message = { other }.fit(&mut network(3), &data).unwrap_err().to_string();
        assert!(message.contains("`accumulate`, 2 here") && message.contains('3'), "{message}");
    }
}

#[test]
fn checkpoints_are_taken_when_they_are_due_and_at_the_end() {
    for device in devices() {
        let taken = |epochs: usize, every, stop: usize, resume: Option<Checkpoint>| {
            let list = Rc::new(RefCell::new(Vec::new()));
            let kept = list.clone();
            let mut trainer =
                trainer(Adam::new(0.01)).epochs(epochs).on_checkpoint(every, move |checkpoint| {
                    kept.borrow_mut().push(checkpoint.clone());
                    Ok(())
                });
            if stop != 0 {
                trainer = trainer.on_epoch(move |record| match record.epoch == stop {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                });
            }
            if let Some(checkpoint) = resume {
                trainer = trainer.resume_from(checkpoint);
            }
            let history = trainer.fit(&mut network(device), &data(50)).unwrap();
            (list.take(), history.epochs.len())
        };
        let epochs = |list: &[Checkpoint]| list.iter().map(Checkpoint::epoch).collect::<Vec<_>>();
        let (list, _) = taken(10, 3, 0, None);
        assert_eq!(epochs(&list), [3, 6, 9, 10]);
        assert_eq!(list.iter().map(Checkpoint::step).collect::<Vec<_>>(), [12, 24, 36, 40]);
        assert_eq!(epochs(&taken(6, 3, 0, None).0), [3, 6]);
        assert_eq!(epochs(&taken(5, 100, 0, None).0), [5]);
        assert_eq!(epochs(&taken(10, 4, 6, None).0), [4, 6]);
        // Counted from the first epoch of all.
        assert_eq!(epochs(&taken(10, 3, 0, Some(list[1].clone())).0), [9, 10]);
        let (none, trained) = taken(10, 3, 0, Some(list[3].clone()));
        assert_eq!((none.len(), trained), (0, 0), "the run is over");
        // Every checkpoint survives its bytes, and a network can be made of it.
        for checkpoint in &list {
            let bytes = checkpoint.to_bytes().unwrap();
            assert_eq!(&Checkpoint::from_bytes(&bytes).unwrap(), checkpoint);
            let mlp = checkpoint.mlp(device).unwrap();
            assert_eq!(bits(&Mlp::from_bytes(&bytes, device).unwrap()), bits(&mlp));
        }
    }
}

fn checkpoint(optimizer: impl Into<Optimizer>) -> Checkpoint {
    let kept = Rc::new(RefCell::new(None));
    let keep = kept.clone();
    let mut trainer = trainer(optimizer).epochs(2).on_checkpoint(2, move |checkpoint| {
        *keep.borrow_mut() = Some(checkpoint.clone());
        Ok(())
    });
    trainer.fit(&mut network(&Device::cpu()), &data(50)).unwrap();
    kept.take().unwrap()
}

/// The message of a fit that goes on from a checkpoint of Adam 0.01.
fn refused(trainer: Trainer, mlp: &mut Mlp, rows: usize) -> String {
    let before = bits(mlp);
    let error = trainer.resume_from(checkpoint(Adam::new(0.01))).fit(mlp, &data(rows)).unwrap_err();
    assert!(matches!(error, Error::Argument { .. }), "{error}");
    assert_eq!(bits(mlp), before, "a refused run must leave the network alone");
    error.to_string()
}

#[test]
fn a_setting_that_differs_is_named_with_both_values() {
    let cpu = Device::cpu();
    let same = || trainer(Adam::new(0.01)).epochs(3);
    let cases: [(Trainer, &[&str]); 8] = [
        (trainer(Adam::new(0.02)).epochs(3), &["optimizer.adam.learning_rate", "0.02", "0.01"]),
        (trainer(Sgd::new(0.01)).epochs(3), &["`optimizer`", "sgd", "adam"]),
        (same().batch_size(17), &["batch_size", "17", "16"]),
        (same().reduction(LossReduction::Sum), &["reduction", "sum", "mean"]),
        (same().class_weights([1.0, 2.0]), &["class_weights", "here", "none"]),
        (same().seed(6), &["seed", "6", "5"]),
        (same().shuffle(false), &["shuffle", "false", "true"]),
        (same().epochs(1), &["number of epochs is 1", "has 2"]),
    ];
    for (trainer, parts) in cases {
        let message = refused(trainer, &mut network(&cpu), 50);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
    let message = refused(same(), &mut network(&cpu), 51);
    assert!(["rows", "51", "50"].iter().all(|part| message.contains(part)), "{message}");

    let build = |width, activation| {
        Mlp::builder(3).hidden(9, Activation::Tanh).hidden(width, activation).output(2).build(&cpu)
    };
    let message = refused(same(), &mut build(6, Activation::Relu).unwrap(), 50);
    assert!(message.contains("network.layers.1.outputs`, 6 here"), "{message}");
    let message = refused(same(), &mut build(5, Activation::Tanh).unwrap(), 50);
    assert!(message.contains("tanh here") && message.contains("relu"), "{message}");
}

#[test]
fn a_checkpoint_every_0_epochs_and_a_folder_that_is_not_there_are_errors() {
    let mut mlp = network(&Device::cpu());
    let error = trainer(Adam::new(0.01)).checkpoint("x", 0).fit(&mut mlp, &data(20)).unwrap_err();
    assert!(error.to_string().contains("epochs between checkpoints is 0"), "{error}");
    let path = "/no/such/folder/run.safetensors";
    let error = trainer(Adam::new(0.01)).checkpoint(path, 5).fit(&mut mlp, &data(20)).unwrap_err();
    assert!(matches!(&error, Error::File { path: at, .. } if at.ends_with("run.safetensors")));
    let error = mlp.save(path).unwrap_err();
    assert!(error.to_string().contains(path), "{error}");
}

#[test]
fn a_checkpoint_whose_step_cannot_be_or_that_is_a_network_is_refused() {
    let bytes = checkpoint(Adam::new(0.01)).to_bytes().unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for (old, new) in [("step\\\":8", "step\\\":9"), ("batch_size\\\":16", "batch_size\\\":00")] {
        let at = text.find(old).unwrap();
        let mut changed = bytes.clone();
        changed[at..at + old.len()].copy_from_slice(new.as_bytes());
        assert!(Checkpoint::from_bytes(&changed).is_err(), "{new}");
    }
    let network = network(&Device::cpu()).to_bytes().unwrap();
    let message = Checkpoint::from_bytes(&network).unwrap_err().to_string();
    assert!(message.contains("without a training run"), "{message}");
    // Plain SGD has no moments; Adam's are missing in its file.
    let sgd = checkpoint(Sgd::new(0.01)).to_bytes().unwrap();
    assert!(Checkpoint::from_bytes(&sgd).is_ok());
}

#[test]
fn no_damage_makes_a_reader_panic() {
    let bytes = checkpoint(Adam::new(0.01)).to_bytes().unwrap();
    for length in 0..bytes.len() {
        assert!(Checkpoint::from_bytes(&bytes[..length]).is_err(), "cut to {length} bytes");
    }
    // Each byte of the header, in several ways: it may still be read, but must not panic.
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for at in 0..header {
        for change in [1, 4, 16, 128, 255] {
            let mut damaged = bytes.clone();
            damaged[at] ^= change;
            let _ = Checkpoint::from_bytes(&damaged);
        }
    }
}
