//! Penalties, clipping, weight limits, averages and accumulation against PyTorch in float64, dropout
//! and noise against a network computed by hand.

use ndarray::Array2;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::op::StepArgs;
use wgrad::optim::{Adam, Clip, Sgd};
use wgrad::program::{Source, Step, names};
use wgrad::train::Metric;
use wgrad::{Device, Mlp, Trainer};

use super::stepper::Stepper;
use super::support::{Golden, assert_near, matrix, parameter_bits};
use crate::common::{Values, devices};

/// The network and the data of `tests/golden/optimizers.py`.
fn problem(golden: &Golden, device: &Device) -> (Mlp, Dataset) {
    let builder = Mlp::builder(7).hidden(13, Activation::Tanh).hidden(5, Activation::Sigmoid);
    let mut mlp = builder.output(3).build(device).unwrap();
    for (name, values) in golden.under("init/") {
        mlp.set_parameter(&name, &values.mapv(|x| x as f32)).unwrap();
    }
    (mlp, Dataset::regression(&golden.matrix("x"), &golden.matrix("target")).unwrap())
}

fn momentum() -> Trainer {
    Trainer::new(Loss::Mse, Sgd::new(0.1).momentum(0.9))
        .batch_size(8)
        .epochs(10)
        .shuffle(false)
        .record_steps(true)
}

#[test]
fn regularized_steps_are_pytorchs() {
    let cases: [(&str, Trainer); 9] = [
        ("l1", momentum().l1(0.003)),
        ("l2", momentum().l2(0.02)),
        ("l2_biases", momentum().l2(0.02).penalize_biases(true)),
        ("clip_value", momentum().clip(Clip::Value(0.01))),
        ("clip_layer", momentum().clip(Clip::LayerNorm(0.05))),
        ("clip_global", momentum().clip(Clip::GlobalNorm(0.1))),
        ("max_norm", momentum().max_norm(0.6)),
        ("average", momentum().average(0.9)),
        ("accumulate", momentum().batch_size(2).accumulate(4)),
    ];
    let start = Golden::read("optimizers");
    let golden = Golden::read("regularization");
    for (name, mut trainer) in cases {
        for device in devices() {
            let (mut mlp, data) = problem(&start, device);
            let history = trainer.fit(&mut mlp, &data).unwrap();
            // Minibatches of one update, each with a loss of its own.
            let parts = history.step_losses.len() / 50;
            let losses: Vec<f64> = (history.step_losses.chunks(parts))
                .map(|parts| parts.iter().map(|&x| f64::from(x)).sum::<f64>() / parts.len() as f64)
                .collect();
            let context = format!("{name} on {device}");
            let want = golden.values(&format!("{name}/losses"));
            assert_near(format!("{context}, losses"), &losses, &want, 1e-5, 1e-6);
            for (parameter, want) in golden.under(&format!("{name}/layers.")) {
                let parameter = format!("layers.{parameter}");
                let got: Vec<f32> = mlp.parameter(&parameter).unwrap().into_iter().collect();
                let want: Vec<f64> = want.iter().copied().collect();
                assert_near(format!("{context}, {parameter}"), &got, &want, 1e-5, 4e-6);
            }
        }
    }
}

#[test]
fn accumulation_over_4_batches_of_8_is_a_batch_of_32() {
    let mut numbers = Values::new(31);
    let x = matrix(&mut numbers, 75, 6);
    let data = Dataset::regression(&x, &matrix(&mut numbers, 75, 2)).unwrap();
    for device in devices() {
        let builder = || Mlp::builder(6).hidden(9, Activation::Tanh).output(2).seed(1);
        let run = |trainer: Trainer| {
            let mut mlp = builder().build(device).unwrap();
            let history = trainer.epochs(6).seed(3).fit(&mut mlp, &data).unwrap();
            (mlp.parameters().unwrap(), history)
        };
        // 75 rows: the last update has 11, in batches of 8 and 3.
        let trainer = || Trainer::new(Loss::Mse, Adam::new(0.01)).record_steps(true);
        let (whole, whole_history) = run(trainer().batch_size(32));
        let (parts, history) = run(trainer().batch_size(8).accumulate(4));
        assert_eq!((whole_history.step_losses.len(), history.step_losses.len()), (18, 60));
        for (name, want) in whole {
            let want: Vec<f64> = want.iter().map(|&x| f64::from(x)).collect();
            let got: Vec<f32> = parts[&name].iter().copied().collect();
            assert_near(format!("{name} on {device}"), &got, &want, 1e-5, 1e-6);
        }
        let (got, want) = (history.train_losses(), whole_history.train_losses());
        assert_near(format!("losses on {device}"), &got, &want, 1e-5, 0.0);
    }
}

const ROWS: usize = 24;
const RATE: f32 = 0.4;
const SEED: u64 = 17;

/// A 5-33-2 network with dropout, and a step of it.
fn dropping(device: &Device) -> (Mlp, Step) {
    let builder = Mlp::builder(5).hidden(33, Activation::Tanh).output(2).dropout(RATE);
    let mlp = builder.bias_init(Init::Uniform(0.5)).seed(2).build(device).unwrap();
    let sources = [5, 2].map(|cols| Source { cols, parts: vec![ROWS] });
    let step = Step::new(mlp.network().clone(), Loss::Mse, None, ROWS, sources);
    (mlp, Step { seed: Some(SEED), ..step })
}

/// The gradients of a step are those of the network without the dropped units, whose others count
/// 1 / (1 - rate): computed here from the mask that the forward pass left.
#[test]
fn dropouts_gradients_are_those_of_the_masked_network() {
    let mut numbers = Values::new(5);
    let x = matrix(&mut numbers, ROWS, 5);
    let t = matrix(&mut numbers, ROWS, 2);
    let mut masks = Vec::new();
    for device in devices() {
        let (mlp, step) = dropping(device);
        let stepper = Stepper::new(&mlp, &[step]);
        stepper.write_parts("features", x.as_slice().unwrap());
        stepper.write_parts("targets", t.as_slice().unwrap());
        stepper.run(0, StepArgs { number: 6, ..StepArgs::default() });

        let (whole, dropped) = (stepper.read("output.0"), stepper.read("dropped.0"));
        let kept = whole.iter().zip(&dropped).map(|(y, d)| f64::from(*d) / f64::from(*y));
        let mask: Vec<f64> = kept.collect();
        let scale = 1.0 / f64::from(1.0 - RATE);
        assert!(mask.iter().all(|&m| m == 0.0 || (m / scale - 1.0).abs() < 1e-6));
        assert!(mask.contains(&0.0) && mask.iter().any(|&m| m != 0.0));
        masks.push(mask.iter().map(|&m| m != 0.0).collect::<Vec<_>>());

        let wide = |name: &str| mlp.parameter(name).unwrap().mapv(f64::from);
        let two = |name| wide(name).into_dimensionality::<ndarray::Ix2>().unwrap();
        let one = |name| wide(name).into_dimensionality::<ndarray::Ix1>().unwrap();
        let [w0, w1] = ["layers.0.weight", "layers.1.weight"].map(two);
        let [b0, b1] = ["layers.0.bias", "layers.1.bias"].map(one);
        let mask = Array2::from_shape_vec((ROWS, 33), mask).unwrap();
        let x = x.mapv(f64::from);
        let y = (x.dot(&w0) + &b0).mapv(f64::tanh);
        let hidden = &y * &mask;
        let output = hidden.dot(&w1) + &b1;
        let delta1 = (output - t.mapv(f64::from)) * (2.0 / (2 * ROWS) as f64);
        let delta0 = delta1.dot(&w1.t()) * &mask * y.mapv(|y| 1.0 - y * y);
        let parts = [x.t().dot(&delta0), hidden.t().dot(&delta1)];
        let flat = stepper.read(names::GRADIENTS);
        for (parameter, want) in mlp.network().parameters().iter().step_by(2).zip(parts) {
            let want: Vec<f64> = want.iter().copied().collect();
            let got = &flat[parameter.range()];
            assert_near(format!("{} on {device}", parameter.name), got, &want, 1e-5, 1e-6);
        }
    }
    assert!(masks.iter().all(|mask| *mask == masks[0]), "masks differ between devices");
}

#[test]
fn what_is_drawn_depends_on_seed_and_step_alone() {
    let mut numbers = Values::new(8);
    let x = matrix(&mut numbers, 50, 4);
    let data = Dataset::regression(&x, &matrix(&mut numbers, 50, 1)).unwrap();
    let mut losses = Vec::new();
    for device in devices() {
        let run = |rates: [f32; 3], seed, epochs| {
            let builder = Mlp::builder(4).hidden(12, Activation::Relu).output(1).dropout(rates[0]);
            let builder = builder.input_dropout(rates[1]).input_noise(rates[2]);
            let mut mlp = builder.build(device).unwrap();
            let trainer = Trainer::new(Loss::Mse, Adam::new(0.01)).batch_size(16).shuffle(false);
            let history = { trainer }.epochs(epochs).seed(seed).fit(&mut mlp, &data).unwrap();
            (parameter_bits(&mlp), history.train_losses())
        };
        let (plain, _) = run([0.0; 3], 1, 3);
        assert!(run([0.0; 3], 2, 3).0 == plain, "nothing is drawn, so the seed does not matter");
        for rates in [[0.3, 0.0, 0.0], [0.0, 0.2, 0.0], [0.0, 0.0, 0.1], [0.5, 0.1, 0.2]] {
            let context = format!("{rates:?} on {device}");
            let (one, curve) = run(rates, 1, 3);
            assert!(one != plain, "{context} changes the training");
            assert!(one == run(rates, 1, 3).0, "{context} twice");
            assert!(one != run(rates, 2, 3).0, "{context} with another seed");
            losses.push(curve);
        }
    }
    let (cpu, others) = losses.split_at(4);
    for other in others.chunks(4) {
        for (got, want) in other.iter().zip(cpu) {
            assert_near("a curve with dropout and noise", got, want, 1e-3, 0.0);
        }
    }
}

#[test]
fn predictions_and_gradients_drop_nothing() {
    for device in devices() {
        let build = |rate| {
            let builder = Mlp::builder(3).hidden(8, Activation::Tanh).output(2).dropout(rate);
            builder.input_dropout(rate).input_noise(rate).seed(5).build(device).unwrap()
        };
        let (whole, dropping) = (build(0.0), build(0.9));
        let mut numbers = Values::new(3);
        let x = matrix(&mut numbers, 9, 3);
        assert_eq!(whole.predict(&x).unwrap(), dropping.predict(&x).unwrap(), "{device}");
        let data = Dataset::regression(&x, &matrix(&mut numbers, 9, 2)).unwrap();
        let trainer = Trainer::new(Loss::Mse, Sgd::default());
        let gradients = |mlp| trainer.gradients(mlp, &data).unwrap();
        assert_eq!(gradients(&whole), gradients(&dropping), "{device}");
    }
}

#[test]
fn noise_is_added_to_the_rows_of_the_minibatch() {
    for device in devices() {
        let builder = Mlp::builder(40).output(1).input_noise(0.25);
        let mlp = builder.build(device).unwrap();
        let sources = [40, 1].map(|cols| Source { cols, parts: vec![200] });
        let step = Step::new(mlp.network().clone(), Loss::Mse, None, 100, sources);
        let stepper = Stepper::new(&mlp, &[Step { seed: Some(1), ..step }]);
        let x = matrix(&mut Values::new(1), 200, 40);
        stepper.write_parts("features", x.as_slice().unwrap());
        stepper.write_parts("targets", &[0.0; 200]);
        stepper.run(0, StepArgs { first_row: 50, ..StepArgs::default() });
        let noisy = stepper.read(names::INPUT);
        let from = &x.as_slice().unwrap()[50 * 40..150 * 40];
        let squares = noisy.iter().zip(from).map(|(a, b)| f64::from(a - b).powi(2));
        // 4,000 numbers: the deviation is known to 1.1 %.
        let deviation = (squares.sum::<f64>() / 4000.0).sqrt();
        assert!((deviation / 0.25 - 1.0).abs() < 0.06, "{deviation} on {device}");
        assert_eq!(stepper.read("features.0"), x.as_slice().unwrap(), "the data stay as they are");
    }
}

#[test]
fn the_average_is_what_is_validated_and_left() {
    let mut numbers = Values::new(21);
    let x = matrix(&mut numbers, 40, 3);
    let data = Dataset::regression(&x, &matrix(&mut numbers, 40, 2)).unwrap();
    for device in devices() {
        let mut mlp = Mlp::builder(3).hidden(6, Activation::Tanh).output(2).build(device).unwrap();
        let trainer = Trainer::new(Loss::Mse, Sgd::new(0.3)).batch_size(10).average(0.95);
        let history = { trainer }.epochs(3).validation(&data).fit(&mut mlp, &data).unwrap();
        let got = mlp.evaluate(&data, Metric::Mse).unwrap();
        let want = history.last().unwrap().validation_loss.unwrap();
        assert_near(format!("validation on {device}"), &[got], &[want], 1e-6, 0.0);
    }
}
