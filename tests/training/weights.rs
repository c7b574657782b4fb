//! Sample and class weights through the trainer: a weight of 0 is the row left out, a weight of k
//! the row k times.

use ndarray::Array2;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Loss, LossReduction};
use wgrad::optim::Sgd;
use wgrad::train::Gradients;
use wgrad::{Device, Error, Metric, Mlp, Trainer};

use super::support::{assert_near, matrix};
use crate::common::{Values, devices, losses};

const ROWS: usize = 14;
const CLASSES: usize = 3;

/// What each row and each class counts.
const SAMPLE_WEIGHTS: [usize; ROWS] = [1, 0, 2, 1, 3, 0, 0, 1, 1, 2, 0, 1, 4, 1];
const CLASS_WEIGHTS: [usize; CLASSES] = [2, 0, 3];

fn mlp(device: &Device, last: Activation) -> Mlp {
    let builder = Mlp::builder(4).hidden(5, Activation::Tanh).hidden(CLASSES, last);
    builder.seed(3).build(device).unwrap()
}

/// An activation that the loss can follow, if there is one.
fn last(loss: Loss) -> Option<Activation> {
    Activation::ALL.into_iter().find(|&activation| loss.domain().accepts(activation))
}

/// Every kind of data set that a loss takes.
fn data(loss: Loss) -> Vec<Dataset> {
    let numbers = &mut Values::new(11);
    let x = matrix(numbers, ROWS, 4);
    let of_kind = |kind| match kind {
        wgrad::nn::TargetKind::Labels => {
            let labels = numbers.below(CLASSES, ROWS);
            Dataset::classification(&x, labels).unwrap().with_classes(CLASSES).unwrap()
        }
        wgrad::nn::TargetKind::Values => {
            let values = losses::targets(loss, numbers, ROWS, CLASSES);
            let values = Array2::from_shape_vec((ROWS, CLASSES), values).unwrap();
            let data = Dataset::regression(&x, &values).unwrap();
            let sigma = |x: f32| 1.5 + x;
            let sigmas: Vec<f32> = numbers.within(1.0, ROWS).into_iter().map(sigma).collect();
            data.with_sigmas(sigmas).unwrap()
        }
    };
    losses::kinds(loss).into_iter().map(of_kind).collect()
}

/// Each row as often as it counts.
fn repeated(data: &Dataset, counts: impl Fn(usize) -> usize) -> Dataset {
    let rows: Vec<usize> = (0..data.len()).flat_map(|row| vec![row; counts(row)]).collect();
    data.select(&rows).unwrap()
}

fn assert_same(context: &str, got: &Gradients, want: &Gradients) {
    assert_near(context, &[got.loss], &[want.loss], 2e-6, 1e-7);
    for (name, want) in &want.by_name {
        let context = format!("{context}, {name}");
        let wide = |array: &ndarray::ArrayD<f32>| array.iter().copied().collect::<Vec<f32>>();
        assert_near(
            context,
            &wide(&got.by_name[name]),
            &wide(want),
            1e-5,
            2e-7 * want.len() as f64,
        );
    }
}

#[test]
fn sample_weights_are_rows_left_out_and_repeated() {
    for device in devices() {
        for loss in Loss::ALL {
            let Some(last) = last(loss) else { continue };
            let mlp = mlp(device, last);
            for data in data(loss) {
                let weights = SAMPLE_WEIGHTS.map(|weight| weight as f32);
                let weighted = data.clone().with_sample_weights(weights).unwrap();
                let repeated = repeated(&data, |row| SAMPLE_WEIGHTS[row]);
                for reduction in LossReduction::ALL {
                    let trainer = Trainer::new(loss, Sgd::default()).reduction(reduction);
                    let [got, want] =
                        [&weighted, &repeated].map(|data| trainer.gradients(&mlp, data).unwrap());
                    let context = format!("{loss}, {reduction}, {:?} on {device}", data.targets());
                    assert_same(&context, &got, &want);
                }
                let [got, want] =
                    [&weighted, &repeated].map(|data| mlp.evaluate(data, loss).unwrap());
                assert_near(format!("{loss} on {device}"), &[got], &[want], 1e-6, 1e-7);
            }
        }
    }
}

#[test]
fn class_weights_are_rows_repeated() {
    let loss = Loss::CrossEntropy;
    for device in devices() {
        let mlp = mlp(device, Activation::Identity);
        let [labels, _] = &data(loss)[..] else { panic!("two kinds of targets") };
        let label = |row: usize| labels.labels().unwrap()[row] as usize;
        let hot = |(row, class)| f32::from(u8::from(label(row) == class));
        let one_hot = Array2::from_shape_fn((ROWS, CLASSES), hot);
        let one_hot = Dataset::regression(&labels.features(), &one_hot).unwrap();
        let repeated = repeated(labels, |row| CLASS_WEIGHTS[label(row)]);
        for reduction in LossReduction::ALL {
            let trainer = || Trainer::new(loss, Sgd::default()).reduction(reduction);
            let weighted = trainer().class_weights(CLASS_WEIGHTS.map(|weight| weight as f32));
            let want = trainer().gradients(&mlp, &repeated).unwrap();
            for data in [labels, &one_hot] {
                let got = weighted.gradients(&mlp, data).unwrap();
                assert_same(&format!("{reduction}, {:?} on {device}", data.targets()), &got, &want);
            }
        }
    }
}

/// Two outputs of a yes or no are two classes, whether no is 0 or -1.
#[test]
fn class_weights_of_one_output() {
    let x = matrix(&mut Values::new(5), 6, 4);
    let yes = [true, false, false, true, false, true];
    let device = Device::cpu();
    for (loss, no) in [(Loss::BceWithLogits, 0.0), (Loss::Hinge, -1.0)] {
        let y = Array2::from_shape_fn((6, 1), |(row, _)| if yes[row] { 1.0 } else { no });
        let data = Dataset::regression(&x, &y).unwrap();
        let mlp = Mlp::builder(4).output(1).build(&device).unwrap();
        let trainer = || Trainer::new(loss, Sgd::default());
        let got = trainer().class_weights([1.0, 3.0]).gradients(&mlp, &data).unwrap();
        let repeated = repeated(&data, |row| if yes[row] { 3 } else { 1 });
        assert_same(loss.name(), &got, &trainer().gradients(&mlp, &repeated).unwrap());
    }
}

/// Minibatches whose weights differ: the epoch's loss is that of all rows that count, and rows of
/// weight 0 may be in any minibatch, alone too.
#[test]
fn a_run_with_weights_is_the_run_of_the_rows_that_count() {
    for device in devices() {
        let [labels, _] = &data(Loss::CrossEntropy)[..] else { panic!("two kinds of targets") };
        // Whole minibatches of 2 rows drop out, so that the others are those of the shorter data.
        let counts = |row: usize| row / 2 % 3 != 1;
        let weights: Vec<f32> = (0..ROWS).map(|row| f32::from(u8::from(counts(row)))).collect();
        let weighted = labels.clone().with_sample_weights(weights).unwrap();
        let kept = repeated(labels, |row| usize::from(counts(row)));
        let run = |data: &Dataset| {
            let mut mlp = mlp(device, Activation::Identity);
            let trainer = Trainer::new(Loss::CrossEntropy, Sgd::new(0.1)).batch_size(2).epochs(3);
            let history = { trainer }.shuffle(false).validation(data).fit(&mut mlp, data).unwrap();
            let losses = history.epochs.iter();
            let losses = losses.flat_map(|e| [e.train_loss, e.validation_loss.unwrap()]);
            (losses.collect::<Vec<f64>>(), mlp.parameters().unwrap())
        };
        let ((got, parameters), (want, others)) = (run(&weighted), run(&kept));
        assert_near(format!("losses on {device}"), &got, &want, 1e-6, 0.0);
        for (name, got) in parameters {
            let (got, want): (Vec<f32>, Vec<f32>) =
                (got.iter().copied().collect(), others[&name].iter().copied().collect());
            assert_near(format!("{name} on {device}"), &got, &want, 1e-5, 1e-7);
        }
        // Shuffled, minibatches differ in what they count.
        let shuffled = |rate: f64| {
            let mut mlp = mlp(device, Activation::Identity);
            let trainer = Trainer::new(Loss::CrossEntropy, Sgd::new(rate)).batch_size(4).epochs(1);
            let history = { trainer }.fit(&mut mlp, &weighted).unwrap();
            (history.final_loss(), mlp.evaluate(&weighted, Loss::CrossEntropy).unwrap())
        };
        let (trained, evaluated) = shuffled(0.0);
        assert_near(format!("shuffled on {device}"), &[trained], &[evaluated], 1e-6, 0.0);
    }
}

#[test]
fn weights_in_metrics_are_rows_repeated() {
    let device = Device::cpu();
    let mlp = mlp(&device, Activation::Identity);
    let weights = SAMPLE_WEIGHTS.map(|weight| weight as f32);
    for metric in [Metric::Accuracy, Metric::R2, Metric::Mse, Metric::Mae] {
        let loss = if metric == Metric::Accuracy { Loss::Nll } else { Loss::Mse };
        let data = data(loss).remove(0);
        let weighted = data.clone().with_sample_weights(weights).unwrap();
        let want = mlp.evaluate(&repeated(&data, |row| SAMPLE_WEIGHTS[row]), metric).unwrap();
        let got = mlp.evaluate(&weighted, metric).unwrap();
        assert_near(metric.name(), &[got], &[want], 1e-12, 0.0);
    }
}

#[test]
fn weights_that_are_none() {
    let [labels, _] = &data(Loss::CrossEntropy)[..] else { panic!("two kinds of targets") };
    let mlp = mlp(&Device::cpu(), Activation::Identity);
    let refused = |trainer: Trainer, data: &Dataset, parts: &[&str]| {
        let message = trainer.gradients(&mlp, data).unwrap_err().to_string();
        parts.iter().for_each(|part| assert!(message.contains(part), "{message}: {part}"));
    };
    let trainer = |loss| Trainer::new(loss, Sgd::default());
    let entropy = || trainer(Loss::CrossEntropy);
    refused(entropy().class_weights([1.0; 2]), labels, &["number of weights is 2", "3"]);
    refused(entropy().class_weights([1.0, -1.0, 0.0]), labels, &["-1 at place 1", "at least 0"]);
    refused(entropy().class_weights([0.0; 3]), labels, &["every row's weight is 0"]);
    refused(entropy().positive_weights([1.0; 3]), labels, &["cross_entropy", "BceWithLogits"]);
    let logits = trainer(Loss::BceWithLogits).positive_weights([1.0; 2]);
    refused(logits, &data(Loss::BceWithLogits)[0], &["number of weights is 2", "3"]);

    let weights = |weights: Vec<f32>| labels.clone().with_sample_weights(weights).unwrap_err();
    let sigmas = |sigmas: Vec<f32>| labels.clone().with_sigmas(sigmas).unwrap_err();
    for (error, parts) in [
        (weights(vec![1.0; 3]), ["3", "14 rows"]),
        (weights(vec![0.0; ROWS]), ["every sample weight is 0", "above 0"]),
        (weights(vec![f32::NAN; ROWS]), ["NaN in row 0", "finite"]),
        (sigmas(vec![0.0; ROWS]), ["0 in row 0", "above 0"]),
        (sigmas(vec![1e-30; ROWS]), ["row 0", "range of f32"]),
    ] {
        assert!(matches!(error, Error::Argument { .. }));
        parts.iter().for_each(|part| assert!(error.to_string().contains(part), "{error}"));
    }
    // A part whose rows do not count.
    let first = labels.clone().with_sample_weights([&[1.0f32][..], &[0.0; ROWS - 1]].concat());
    let (_, rest) = first.unwrap().split_at(1).unwrap();
    refused(entropy(), &rest, &["every row's weight is 0"]);
    let error = mlp.evaluate(&rest, Metric::Accuracy).unwrap_err().to_string();
    assert!(error.contains("at least one row that counts"), "{error}");
}
