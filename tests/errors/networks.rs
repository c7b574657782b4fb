//! Networks and parameters that cannot be.

use ndarray::{Array2, array};
use wgrad::nn::{Activation, Init};
use wgrad::{Dense, Device, Error, Mlp};

use crate::common::devices;

use super::{net, refused, zeros};

#[test]
fn networks_that_cannot_be() {
    let cpu = Device::cpu();
    let refused = |builder: wgrad::MlpBuilder, parts: &[&str]| refused(builder.build(&cpu), parts);
    refused(Mlp::builder(0).output(1), &["number of inputs is 0", "at least one unit"]);
    refused(Mlp::builder(2).output(0), &["layer's width is 0", "at least one unit"]);
    refused(Mlp::builder(2).hidden(0, Activation::Relu).output(1), &["layer's width is 0"]);
    refused(Mlp::builder(2), &["number of layers is 0", ".output(width)"]);

    let weights = Init::Array(zeros(3, 2));
    let explicit = Dense::new(3, Activation::Relu).weight_init(weights);
    let error = refused(Mlp::builder(2).layer(explicit), &["Mlp::builder", "(3, 2)", "(2, 3)"]);
    assert!(matches!(error, Error::Shape { .. }));
    let bias = Mlp::builder(2).output(3).bias_init(Init::Array(zeros(3, 1)));
    refused(bias, &["(3, 1)", "(1, 3)"]);
    for init in [
        Init::Normal(f32::NAN),
        Init::Uniform(f32::INFINITY),
        Init::Constant(f32::NEG_INFINITY),
        Init::Array(array![[1.0, f32::NAN]]),
    ] {
        let parts = ["an initial value is", "layers.0.weight", "finite"];
        refused(Mlp::builder(1).output(2).weight_init(init), &parts);
    }
}

#[test]
fn networks_larger_than_memory() {
    for width in [1 << 31, usize::MAX / 2, usize::MAX] {
        let builder = Mlp::builder(1 << 31).hidden(width, Activation::Relu).output(1);
        let error = refused(
            builder.build(&Device::cpu()),
            &["parameter buffer", "bytes", "cpu", "narrower"],
        );
        assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    }
}

#[test]
fn parameters_by_wrong_names_and_shapes() {
    for device in devices() {
        let mut mlp = net(2, 1, device);
        let known = ["`layers.2.weight`", "layers.0.weight, layers.0.bias, layers.1.weight"];
        refused(mlp.parameter("layers.2.weight"), &known);
        refused(mlp.set_parameter("layers.2.weight", &zeros(3, 1)), &known);
        let mut set = |name, values: Array2<f32>, parts: &[&str]| {
            refused(mlp.set_parameter(name, &values), parts);
        };
        set("layers.0.weight", zeros(3, 2), &["set_parameter", "(3, 2)", "(2, 3)"]);
        set("layers.0.bias", zeros(3, 1), &["set_parameter", "(3, 1)", "(1, 3)"]);
        set("layers.1.weight", array![[0.0], [0.0], [f32::NAN]], &["NaN", "row 2, column 0"]);
        let cube = ndarray::Array3::<f32>::zeros((1, 2, 3));
        refused(mlp.set_parameter("layers.0.weight", &cube), &["set_parameter", "(2, 3)"]);
    }
}

#[test]
fn dropout_and_noise_outside_their_domains() {
    let cpu = Device::cpu();
    let new = || Mlp::builder(2).hidden(3, Activation::Relu);
    refused(new().output(1).dropout(1.0).build(&cpu), &["dropout rate is 1", "below 1"]);
    refused(new().output(1).dropout(f32::NAN).build(&cpu), &["dropout rate is NaN"]);
    refused(new().output(1).input_dropout(-0.5).build(&cpu), &["dropout rate is -0.5"]);
    refused(new().output(1).input_noise(f32::INFINITY).build(&cpu), &["noise", "inf"]);
    let last = Dense::new(1, Activation::Identity).dropout(0.5);
    refused(new().layer(last).build(&cpu), &["last layer's dropout rate is 0.5"]);
}
