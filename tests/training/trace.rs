//! Traces against statistics by PyTorch and numpy in float64, against each other on both devices, and
//! against the training without them.

use ndarray::Array1;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::{Adam, Sgd};
use wgrad::train::{LayerTrace, Trace, Traces};
use wgrad::{Dense, Device, Error, Mlp, Trainer};

use super::support::{Golden, assert_near, digits, matrix, parameter_bits};
use crate::common::folder::Folder;
use crate::common::{Values, devices};

fn golden_network(golden: &Golden, device: &Device) -> Mlp {
    let activations = [Activation::Tanh, Activation::Relu, Activation::Sigmoid];
    let layers = activations.into_iter().enumerate().map(|(k, phi)| {
        let weight = golden.matrix(&format!("init/layers.{k}.weight"));
        let bias = golden.get(&format!("init/layers.{k}.bias")).mapv(|x| x as f32);
        let bias: Array1<f32> = bias.into_dimensionality().unwrap();
        Dense::new(weight.ncols(), phi)
            .weight_init(Init::Array(weight))
            .bias_init(Init::Array(bias.insert_axis(ndarray::Axis(0))))
    });
    layers.fold(Mlp::builder(7), |net, layer| net.layer(layer)).build(device).unwrap()
}

fn golden_data(golden: &Golden) -> Dataset {
    Dataset::regression(&golden.matrix("x"), &golden.matrix("target")).unwrap()
}

#[test]
fn statistics_are_those_of_numpy() {
    let golden = Golden::read("trace");
    for device in devices() {
        let mlp = golden_network(&golden, device);
        let trainer = Trainer::new(Loss::Mse, Sgd::new(0.1));
        let trace = trainer.trace(&mlp, &golden_data(&golden)).unwrap();
        assert_eq!(trace.step, 0);
        assert_near("loss", &[trace.loss], &golden.values("loss"), 1e-5, 0.0);
        for (k, layer) in trace.layers.iter().enumerate() {
            for (name, summary) in layer.quantities() {
                let context = format!("layer {k}, {name} on {device}");
                let array = golden.get(&format!("{k}/{name}"));
                assert_eq!(summary.shape, array.shape(), "{context}");
                let want = golden.values(&format!("{k}/{name}/statistics"));
                let got = [summary.mean, summary.std, summary.min, summary.max, summary.zeros];
                let size = summary.max.abs().max(summary.min.abs());
                assert_near(&context, &got, &want, 2e-6, 1e-6 * size);
                // An element within roundings of an edge may be in the next bin.
                let want = golden.values(&format!("{k}/{name}/histogram"));
                let counts = summary.histogram.iter().map(|&count| f64::from(count));
                let moved: f64 = counts.zip(&want).map(|(a, b)| (a - b).abs()).sum();
                assert!(moved <= 2.0, "{context}: {:?}, want {want:?}", summary.histogram);
                let all: u32 = summary.histogram.iter().sum();
                assert_eq!(all as usize, array.len(), "{context}");
                let edges = summary.edges();
                assert_eq!((edges[0], edges.len()), (summary.min, 33));
                assert!((edges[32] - summary.max).abs() <= 1e-9 * size);
            }
            let want = golden.values(&format!("{k}/saturated"));
            assert_near(
                format!("saturated, layer {k}"),
                &[layer.saturated.unwrap()],
                &want,
                1e-6,
                0.0,
            );
        }
    }
}

#[test]
fn values_are_those_of_pytorch() {
    let golden = Golden::read("trace");
    for device in devices() {
        let mlp = golden_network(&golden, device);
        let trainer = Trainer::new(Loss::Mse, Sgd::new(0.1));
        let values = trainer.layer_values(&mlp, &golden_data(&golden)).unwrap();
        assert_eq!(values.len(), 3);
        for (k, layer) in values.iter().enumerate() {
            let arrays = [&layer.input, &layer.pre_activation, &layer.output, &layer.delta];
            for (name, got) in
                ["input", "pre_activation", "output", "delta"].into_iter().zip(arrays)
            {
                let want = golden.get(&format!("{k}/{name}"));
                assert_eq!(got.shape(), want.shape());
                let got: Vec<f32> = got.iter().copied().collect();
                let want: Vec<f64> = want.iter().copied().collect();
                let size = want.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
                assert_near(
                    format!("layer {k}, {name} on {device}"),
                    &got,
                    &want,
                    1e-5,
                    2e-6 * size,
                );
            }
        }
    }
}

/// A network with whatever needs care: noise, dropout, a frozen layer, and maps of layers.
fn mlp(device: &Device) -> Mlp {
    Mlp::builder(64)
        .input_noise(0.1)
        .layer(Dense::new(20, Activation::Gelu).dropout(0.3))
        .layer(Dense::new(12, Activation::Prelu))
        .layer(Dense::new(10, Activation::LogSoftmax))
        .seed(4)
        .build(device)
        .unwrap()
}

fn trainer() -> Trainer {
    // 50 rows: four minibatches an epoch, the last one short, three of them to an update.
    Trainer::new(Loss::Nll, Adam::new(0.01))
        .batch_size(16)
        .accumulate(3)
        .epochs(6)
        .freeze(0)
        .record_steps(true)
}

#[test]
fn a_training_does_not_notice_its_traces() {
    let data = digits(50);
    for device in devices() {
        let (mut plain, mut traced) = (mlp(device), mlp(device));
        let without = trainer().fit(&mut plain, &data).unwrap();
        let with = trainer().trace_every(5).fit(&mut traced, &data).unwrap();
        assert!(without.traces.is_empty());
        assert_eq!(without.step_losses, with.step_losses, "{device}");
        assert_eq!(parameter_bits(&plain), parameter_bits(&traced), "{device}");
        let steps: Vec<u64> = with.traces.iter().map(|trace| trace.step).collect();
        assert_eq!(steps, [1, 6, 11, 16, 21]);
        for trace in with.traces.iter() {
            // The same rows, noise and masks: the loss of the step itself, bit for bit.
            let loss = with.step_losses[trace.step as usize - 1];
            assert_eq!(trace.loss, f64::from(loss), "step {} on {device}", trace.step);
            let rows = if trace.step % 4 == 0 { 2 } else { 16 };
            let [first, second, third] = &trace.layers[..] else { panic!("three layers") };
            assert_eq!((first.input.shape, second.input.shape), ([rows, 64], [rows, 20]));
            assert!(second.input.zeros > 0.1 && first.output.zeros == 0.0, "dropout");
            assert!(first.saturated.is_some() && third.saturated.is_none());
            assert!(second.saturated.is_none());
            assert!(first.delta.std > 0.0, "the delta of a frozen layer");
        }
    }
}

#[test]
fn traces_do_not_depend_on_flights() {
    let data = digits(50);
    for device in devices() {
        let all = trainer().trace_every(1).fit(&mut mlp(device), &data).unwrap();
        let some = trainer().trace_every(3).fit(&mut mlp(device), &data).unwrap();
        let slow = trainer().trace_every(3).validation(&data).fit(&mut mlp(device), &data).unwrap();
        assert_eq!((all.traces.len(), some.traces.len()), (24, 8));
        assert_eq!(some.traces, slow.traces, "{device}");
        for trace in some.traces.iter() {
            assert_eq!(trace, &all.traces[trace.step as usize - 1], "{device}");
        }
    }
}

/// A batch of 3,000 rows that a device reduces in several parts.
#[test]
fn devices_agree_on_a_large_batch() {
    let mut numbers = Values::new(9);
    let x = matrix(&mut numbers, 3_000, 20);
    let data = Dataset::regression(&x, &matrix(&mut numbers, 3_000, 3)).unwrap();
    let traces: Vec<Trace> = (devices().iter())
        .map(|device| {
            let hidden = Dense::new(50, Activation::Tanh).weight_init(Init::Normal(2.0));
            let mlp = Mlp::builder(20).layer(hidden).output(3).seed(1).build(device).unwrap();
            Trainer::new(Loss::Mse, Sgd::new(0.1)).trace(&mlp, &data).unwrap()
        })
        .collect();
    for trace in &traces {
        for (one, other) in trace.layers.iter().zip(&traces[0].layers) {
            assert!(trace.layers[0].saturated.unwrap() > 0.2);
            for ((name, one), (_, other)) in one.quantities().into_iter().zip(other.quantities()) {
                let numbers = |s: &wgrad::train::Summary| [s.mean, s.std, s.min, s.max, s.zeros];
                let size = other.max - other.min;
                assert_near(name, &numbers(one), &numbers(other), 1e-5, 1e-6 * size);
                let pairs = one.histogram.iter().zip(&other.histogram);
                let moved: u32 = pairs.map(|(a, b)| a.abs_diff(*b)).sum();
                assert!(moved <= 40, "{name}: {moved} elements in other bins");
            }
        }
    }
}

#[test]
fn an_every_of_zero_is_refused() {
    let error = trainer().trace_every(0).fit(&mut mlp(&Device::cpu()), &digits(50)).unwrap_err();
    assert!(matches!(error, Error::Argument { .. }), "{error}");
    assert!(error.to_string().contains("the steps between traces is 0"), "{error}");
}

#[test]
fn files_hold_what_was_traced() {
    let folder = Folder::new("trace");
    let data = digits(50);
    let history = trainer().trace_every(8).fit(&mut mlp(&Device::cpu()), &data).unwrap();
    let (json, csv) = (folder.path("traces.json"), folder.path("traces.csv"));
    history.traces.write_json(&json).unwrap();
    history.traces.write_csv(&csv).unwrap();
    let read: Traces = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(read, history.traces);

    let text = std::fs::read_to_string(csv).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 1 + 3 * 3 * 6);
    assert!(lines.iter().all(|line| line.len() == 13 + 32));
    let second: &LayerTrace = &history.traces[1].layers[0];
    let line = &lines[1 + 18 + 1];
    assert_eq!(line[0..1], ["9"]);
    assert_eq!(line[2..7], ["0", "gelu", "pre_activation", "16", "20"]);
    assert_eq!(line[7].parse::<f64>().unwrap(), second.pre_activation.mean);
    assert_eq!(line[12].parse::<f64>().unwrap(), second.saturated.unwrap());
    assert_eq!(line[13].parse::<u32>().unwrap(), second.pre_activation.histogram[0]);

    let shown = history.traces[0].to_string();
    assert!(shown.starts_with("shapes: (16, 64) -> (16, 20) -> (16, 12) -> (16, 10), loss"));
    assert!(shown.contains("layer 1, prelu") && shown.contains("weight gradient"), "{shown}");
}

#[test]
fn weights_count_in_traces_too() {
    let mut numbers = Values::new(3);
    let x = matrix(&mut numbers, 40, 6);
    let targets = matrix(&mut numbers, 40, 2).mapv(|t| f32::from(u8::from(t > 0.0)));
    let weights: Vec<f32> = numbers.within(0.5, 40).into_iter().map(|w| 1.0 + w).collect();
    let data = Dataset::regression(&x, &targets).unwrap().with_sample_weights(weights).unwrap();
    for device in devices() {
        let mut mlp = Mlp::builder(6).hidden(5, Activation::Relu).output(2).build(device).unwrap();
        let trainer = || {
            let trainer = Trainer::new(Loss::BceWithLogits, Sgd::new(0.5)).batch_size(16).epochs(4);
            trainer.positive_weights([3.0, 0.5]).record_steps(true).trace_every(1)
        };
        let gradients = trainer().gradients(&mlp, &data).unwrap();
        let whole = trainer().trace(&mlp, &data).unwrap();
        assert_eq!(whole.loss, gradients.loss, "{device}");
        let gradient = gradients.by_name["layers.0.weight"].iter().fold(0.0f32, |m, g| m.max(*g));
        assert_near("gradient", &[whole.layers[0].weight_gradient.max], &[gradient], 1e-6, 0.0);
        let history = trainer().fit(&mut mlp, &data).unwrap();
        let losses: Vec<f64> = history.traces.iter().map(|trace| trace.loss).collect();
        let steps: Vec<f64> = history.step_losses.iter().map(|&loss| f64::from(loss)).collect();
        // A step may add up in another order.
        assert_near("losses", &losses, &steps, 1e-6, 0.0);
    }
}
