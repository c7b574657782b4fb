//! Networks before any training: their description, parameters, initial values, layout, lowering,
//! and what single units and layers compute.

mod common;

use ndarray::{Array1, Array2, ArrayD, array};
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::{Adam, AdamW, Groups, Lamb, Optimizer, Sgd};
use wgrad::program::{Predict, Source, Step};
use wgrad::{Dense, Device, Mlp, MlpBuilder};

use common::compare::{Expected, deviation};
use common::devices;

fn cpu(builder: MlpBuilder) -> Mlp {
    builder.build(&Device::cpu()).unwrap()
}

fn values(array: &ArrayD<f32>) -> Vec<f32> {
    array.iter().copied().collect()
}

#[test]
fn a_network_is_described_layer_by_layer() {
    let mlp = cpu(Mlp::builder(8)
        .hidden(4, Activation::Tanh)
        .layer(Dense::new(3, Activation::Relu).bias(false))
        .output(2));
    let layers: Vec<_> = (mlp.layers().iter())
        .map(|layer| (layer.inputs, layer.outputs, layer.bias, layer.activation))
        .collect();
    let want = [
        (8, 4, true, Activation::Tanh),
        (4, 3, false, Activation::Relu),
        (3, 2, true, Activation::Identity),
    ];
    assert_eq!(layers, want);
    let names = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.2.weight"];
    assert_eq!(mlp.parameter_names(), [names.as_slice(), &["layers.2.bias"]].concat());
    for (name, shape) in
        mlp.parameter_names().iter().zip([&[8, 4][..], &[4], &[4, 3], &[3, 2], &[2]])
    {
        assert_eq!(mlp.parameter(name).unwrap().shape(), shape, "{name}");
        assert_eq!(mlp.parameters().unwrap()[name], mlp.parameter(name).unwrap());
    }
    let network = mlp.network();
    assert_eq!((network.inputs(), network.outputs()), (8, 2));
    assert_eq!(network.parameter_count(), 8 * 4 + 4 + 4 * 3 + 3 * 2 + 2);
    assert_eq!(format!("{mlp:?}"), "Mlp(8-4-3-2 on cpu)");
}

#[test]
fn a_layers_own_terms_go_before_the_networks() {
    let mlp = cpu(Mlp::builder(2)
        .layer(Dense::new(2, Activation::Relu).bias(true).weight_init(Init::Constant(1.0)))
        .layer(Dense::new(2, Activation::Relu))
        .bias(false)
        .weight_init(Init::Constant(2.0))
        .bias_init(Init::Constant(3.0)));
    assert_eq!(mlp.parameter_names(), ["layers.0.weight", "layers.0.bias", "layers.1.weight"]);
    let all = mlp.parameters().unwrap();
    assert_eq!(values(&all["layers.0.weight"]), [1.0; 4]);
    assert_eq!(values(&all["layers.0.bias"]), [3.0; 2]);
    assert_eq!(values(&all["layers.1.weight"]), [2.0; 4]);
}

#[test]
fn parameters_are_set_and_got_by_name() {
    for device in devices() {
        let builder = Mlp::builder(3).hidden(2, Activation::Tanh).output(1);
        let mut mlp = builder.build(device).unwrap();
        let before = mlp.parameters().unwrap();
        let weight: Array2<f32> = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        // A transposed view lies in memory column by column.
        let transposed = array![[1.0f32, 3.0, 5.0], [2.0, 4.0, 6.0]];
        for weight in [weight.view(), transposed.t()] {
            mlp.set_parameter("layers.0.weight", &weight).unwrap();
            let got = mlp.parameter("layers.0.weight").unwrap();
            assert_eq!(got, weight.to_owned().into_dyn(), "{device}");
        }
        mlp.set_parameter("layers.0.bias", &array![-1.0, f32::MIN_POSITIVE]).unwrap();
        assert_eq!(values(&mlp.parameter("layers.0.bias").unwrap()), [-1.0, f32::MIN_POSITIVE]);
        mlp.set_parameter("layers.0.bias", &array![[0.5, 0.25]]).unwrap();
        assert_eq!(values(&mlp.parameter("layers.0.bias").unwrap()), [0.5, 0.25]);
        // Its neighbours stay.
        for name in ["layers.1.weight", "layers.1.bias"] {
            assert_eq!(mlp.parameter(name).unwrap(), before[name], "{name} on {device}");
        }
    }
}

/// Rules with 0 mean: their standard deviation for a layer of this many inputs and outputs, and
/// the bound of those that are uniform.
fn random_inits(n_in: f64, n_out: f64) -> Vec<(Init, f64, bool)> {
    let uniform = |init, bound: f64| (init, bound / 3f64.sqrt(), true);
    let normal = |init, deviation: f64| (init, deviation, false);
    vec![
        uniform(Init::Default, 1.0 / n_in.sqrt()),
        uniform(Init::GlorotUniform, (6.0 / (n_in + n_out)).sqrt()),
        uniform(Init::HeUniform, (6.0 / n_in).sqrt()),
        uniform(Init::Uniform(0.3), f64::from(0.3f32)),
        normal(Init::GlorotNormal, (2.0 / (n_in + n_out)).sqrt()),
        normal(Init::HeNormal, (2.0 / n_in).sqrt()),
        normal(Init::Normal(0.01), 0.01),
    ]
}

/// With n values, mean and deviation are held to five times their own standard errors.
fn check_distribution(what: &str, values: &[f32], deviation: f64, uniform: bool) {
    let n = values.len() as f64;
    let scaled: Vec<f64> = values.iter().map(|&x| f64::from(x) / deviation).collect();
    let moment = |k| scaled.iter().map(|x| x.powi(k)).sum::<f64>() / n;
    let kurtosis = if uniform { 1.8 } else { 3.0 };
    let near = |name: &str, got: f64, want: f64, error: f64| {
        assert!((got - want).abs() < 5.0 * error, "{what}, {name}: got {got}, want {want}");
    };
    near("mean", moment(1), 0.0, (1.0 / n).sqrt());
    near("variance", moment(2), 1.0, ((kurtosis - 1.0) / n).sqrt());
    near("skewness", moment(3), 0.0, (15.0 / n).sqrt());
    near("kurtosis", moment(4), kurtosis, (96.0 / n).sqrt());
    if uniform {
        let largest = scaled.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        let bound = 3f64.sqrt();
        assert!(largest <= bound * (1.0 + 1e-6) && largest > 0.99 * bound, "{what}: {largest}");
    }
}

#[test]
fn initial_values_follow_their_formulas() {
    // Wider than deep, so that a formula with n_in and n_out exchanged is found out.
    for (init, deviation, uniform) in random_inits(200.0, 500.0) {
        let mlp = cpu(Mlp::builder(200).output(500).weight_init(init.clone()).seed(3));
        let weight = values(&mlp.parameter("layers.0.weight").unwrap());
        check_distribution(&format!("weight, {init:?}"), &weight, deviation, uniform);
    }
    // A bias is drawn by its layer's inputs and outputs too.
    for (init, deviation, uniform) in random_inits(2.0, 20_000.0) {
        let mlp = cpu(Mlp::builder(2).output(20_000).bias_init(init.clone()));
        let bias = values(&mlp.parameter("layers.0.bias").unwrap());
        check_distribution(&format!("bias, {init:?}"), &bias, deviation, uniform);
    }
    let explicit: Array2<f32> = array![[1.0, -2.0, 3.0], [4.0, 5.0, 6.0]];
    let builder = Mlp::builder(2).output(3).weight_init(Init::Array(explicit.clone()));
    let mlp = cpu(builder.bias_init(Init::Constant(0.5)));
    assert_eq!(mlp.parameter("layers.0.weight").unwrap(), explicit.into_dyn());
    assert_eq!(values(&mlp.parameter("layers.0.bias").unwrap()), [0.5; 3]);
}

#[test]
fn each_seed_and_each_parameter_has_numbers_of_its_own() {
    let net = |seed, widths: &[usize]| {
        let builder = Mlp::builder(4).seed(seed);
        let hidden = |b: MlpBuilder, &width: &usize| b.hidden(width, Activation::Relu);
        cpu(widths.iter().fold(builder, hidden)).parameters().unwrap()
    };
    let first = net(1, &[4, 4]);
    assert_eq!(first, net(1, &[4, 4]));
    assert_ne!(first["layers.0.weight"], net(2, &[4, 4])["layers.0.weight"]);
    assert_ne!(first["layers.0.weight"], first["layers.1.weight"]);
    assert_ne!(first["layers.0.bias"], first["layers.1.bias"]);
    // More layers behind it leave a parameter as it is.
    assert_eq!(first["layers.1.weight"], net(1, &[4, 4, 9])["layers.1.weight"]);
}

#[test]
fn parameters_begin_at_whole_cache_lines() {
    let builder = Mlp::builder(5).hidden(7, Activation::Tanh).hidden(16, Activation::Tanh);
    let mlp = cpu(builder.layer(Dense::new(3, Activation::Identity).bias(false)));
    let network = mlp.network();
    let mut end = 0;
    for parameter in network.parameters() {
        assert_eq!(parameter.offset % 16, 0, "{}", parameter.name);
        assert!((end..end + 16).contains(&parameter.offset), "{}", parameter.name);
        assert_eq!(parameter.range().len(), parameter.shape.len());
        assert_eq!(parameter.is_bias(), parameter.name.ends_with("bias"));
        end = parameter.range().end;
    }
    assert_eq!(network.parameter_words(), end.next_multiple_of(16));
    assert_eq!(network.parameter_count(), 35 + 7 + 112 + 16 + 48);
}

fn step(mlp: &Mlp, features: Source) -> Step {
    let optimizer = Some(Adam::default().into());
    let targets = Source { cols: 1, parts: vec![100] };
    let network = mlp.network().clone();
    Step {
        order: Some(100),
        slots: 10,
        ..Step::new(network, Loss::CrossEntropy, optimizer, 10, [features, targets])
    }
}

#[test]
fn a_lowered_step_lists_its_instructions() {
    let mlp = cpu(Mlp::builder(4).hidden(8, Activation::Relu).output(3));
    let whole = step(&mlp, Source { cols: 4, parts: vec![100] }).lower().unwrap();
    let listing = whole.to_string();
    let ops: Vec<&str> = (listing.lines().filter(|line| !line.starts_with("buffer ")))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let forward = ["dense", "dense", "loss", "record"];
    let backward = ["gradient", "backward", "gradient", "update"];
    assert_eq!(ops, [forward, backward].concat());
    for line in [
        "buffer features.0: 400 words",
        "buffer order: 100 words",
        "dense input=features.0[0..](100, 4) order=order[0..](100, 1) \
         weight=parameters[0..](4, 8) bias=parameters[32..](1, 8) output=output.0[0..](10, 8)",
        "backward delta=delta.1[0..](10, 3) weight=parameters[48..](8, 3) \
         cached=output.0[0..](10, 8) output=delta.0[0..](10, 8)",
    ] {
        assert!(listing.lines().any(|there| there == line), "no line `{line}` in\n{listing}");
    }
    let parts = step(&mlp, Source { cols: 4, parts: vec![40, 40, 20] }).lower().unwrap();
    let gathers = parts.to_string().lines().filter(|line| line.starts_with("gather")).count();
    assert_eq!(gathers, 3);
    assert!(parts.to_string().contains("dense input=input[0..](10, 4)"));
}

#[test]
fn the_short_batch_runs_over_the_whole_ones_buffers() {
    let mlp = cpu(Mlp::builder(4).hidden(8, Activation::Relu).output(3));
    for features in [vec![100], vec![60, 40]] {
        let whole = step(&mlp, Source { cols: 4, parts: features.clone() });
        let short = Step { batch: 3, ..whole.clone() };
        let (whole, short) = (whole.lower().unwrap(), short.lower().unwrap());
        assert_eq!(whole.buffers.len(), short.buffers.len());
        for (whole, short) in whole.buffers.iter().zip(&short.buffers) {
            assert_eq!(whole.name, short.name);
            assert!(short.words <= whole.words, "{}", whole.name);
        }
        whole.check().unwrap();
        short.check().unwrap();
    }
}

#[test]
fn a_step_keeps_no_state_that_its_optimizer_lacks() {
    let mlp = cpu(Mlp::builder(4).output(3));
    let buffers = |optimizer| {
        let step = Step { optimizer, ..step(&mlp, Source { cols: 4, parts: vec![100] }) };
        let program = step.lower().unwrap();
        ["gradients", "first_moment", "second_moment"].map(|name| program.buffer(name).is_some())
    };
    assert_eq!(buffers(Some(Adam::default().into())), [true; 3]);
    assert_eq!(buffers(Some(Sgd::new(0.1).momentum(0.9).into())), [true, true, false]);
    assert_eq!(buffers(Some(Sgd::new(0.1).into())), [true, false, false]);
    assert_eq!(buffers(None), [true, false, false]);
}

#[test]
fn a_prediction_is_forward_and_scatter() {
    let mlp = cpu(Mlp::builder(4).hidden(8, Activation::Relu).output(3));
    let features = Source { cols: 4, parts: vec![100] };
    let predict = Predict { network: mlp.network().clone(), batch: 10, features };
    let program = predict.lower().unwrap();
    let names: Vec<&str> = program.ops.iter().map(wgrad::op::Op::name).collect();
    assert_eq!(names, ["dense", "dense", "scatter"]);
}

/// A layer with explicit parameters, and its output for rows `x`.
fn layer(
    device: &Device,
    (w, b, phi): (Array2<f32>, Array1<f32>, Activation),
    x: &Array2<f32>,
) -> Vec<f32> {
    let bias = b.insert_axis(ndarray::Axis(0));
    let layer = Dense::new(w.ncols(), phi).bias_init(Init::Array(bias));
    let builder = Mlp::builder(w.nrows()).layer(layer.weight_init(Init::Array(w)));
    builder.build(device).unwrap().predict(x).unwrap().iter().copied().collect()
}

/// What the course prints, to f32's accuracy.
fn printed(values: &[f64]) -> Vec<Expected> {
    values.iter().map(|&value| Expected { value, within: 1e-6 }).collect()
}

#[test]
fn single_units_and_layers_compute_what_the_course_prints() {
    for device in devices() {
        let unit = (array![[1.0], [2.0], [3.0]], array![-1.0], Activation::Tanh);
        let got = layer(device, unit, &array![[0.0, 1.0, -1.0]]);
        assert_eq!(
            deviation(&got, &printed(&[-0.964_027_580_075_816_9])),
            None,
            "unit on {device}"
        );

        let w = array![[1.0, -1.0, 1.0], [2.0, 0.0, 1.0]];
        let sigmoid = (w, array![-1.0, 1.0, 0.0], Activation::Sigmoid);
        let got = layer(device, sigmoid, &array![[1.0, 0.5], [-1.0, 1.0]]);
        let want = [0.731_058_58, 0.5, 0.817_574_48, 0.5, 0.880_797_08, 0.5];
        assert_eq!(deviation(&got, &printed(&want)), None, "layer on {device}");
    }
}

/// The names of a step's instructions, and the words of its updates.
fn lowered(groups: Groups, optimizer: Optimizer) -> (Vec<&'static str>, Vec<usize>) {
    let builder = Mlp::builder(4).hidden(8, Activation::Relu).hidden(5, Activation::Tanh);
    let mlp = cpu(builder.output(3));
    let optimizer = Some(optimizer);
    let step = step(&mlp, Source { cols: 4, parts: vec![100] });
    let program = Step { groups, optimizer, ..step }.lower().unwrap();
    let words = program.ops.iter().filter_map(|op| match op {
        wgrad::op::Op::Update { parameters, .. } => Some(parameters.shape.len()),
        _ => None,
    });
    let backward = program.ops.iter().map(wgrad::op::Op::name).skip(5);
    (backward.collect(), words.collect())
}

#[test]
fn parameters_that_are_treated_alike_have_one_update() {
    let adam = Optimizer::from(Adam::default());
    // 32, 8, 40, 5, 15 and 3 numbers, each padded to whole cache lines: 144 together.
    let all = [32, 16, 48, 16, 16, 16];
    assert_eq!(lowered(Groups::default(), adam).1, [144]);
    let slow = Groups { learning_rate_factors: [(1, 0.1)].into(), ..Groups::default() };
    assert_eq!(lowered(slow, adam).1, [48, 64, 32]);
    let weights = Groups { decay_biases: false, ..Groups::default() };
    assert_eq!(lowered(weights.clone(), adam).1, [144], "there is no decay to differ in");
    assert_eq!(lowered(weights, AdamW::default().into()).1, all);
}

#[test]
fn what_only_a_frozen_layer_would_need_is_not_computed() {
    let adam = Optimizer::from(Adam::default());
    let frozen = |layers: &[usize]| {
        let groups = Groups { frozen: layers.iter().copied().collect(), ..Groups::default() };
        lowered(groups, adam)
    };
    let (ops, words) = frozen(&[]);
    let three = ["gradient", "backward", "gradient", "backward", "gradient", "update"];
    assert_eq!((ops, words), (three.to_vec(), vec![144]));
    let (ops, words) = frozen(&[0]);
    assert_eq!((ops, words), (vec!["gradient", "backward", "gradient", "update"], vec![96]));
    let (ops, words) = frozen(&[0, 1]);
    assert_eq!((ops, words), (vec!["gradient", "update"], vec![32]));
    let (ops, words) = frozen(&[1]);
    let around = ["gradient", "backward", "backward", "gradient", "update", "update"];
    assert_eq!((ops, words), (around.to_vec(), vec![48, 32]));
    let (ops, words) = frozen(&[2]);
    let below = ["backward", "gradient", "backward", "gradient", "update"];
    assert_eq!((ops, words), (below.to_vec(), vec![112]));
}

#[test]
fn lamb_takes_the_norms_of_what_it_trains() {
    let groups = Groups { frozen: [0].into(), ..Groups::default() };
    let (ops, _) = lowered(groups, Lamb::default().into());
    let count = |name| ops.iter().filter(|&&op| op == name).count();
    assert_eq!((count("direction"), count("reduce"), count("trust_step")), (1, 8, 4));
}
