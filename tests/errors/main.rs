//! Every error a user can meet says what was asked for, what was found, and what to do; nothing
//! panics. Each test holds a message to its essential parts.

#[path = "../common/mod.rs"]
mod common;

mod buffers;
mod data;
mod devices;
mod networks;
mod training;

use ndarray::Array2;
use wgrad::data::Dataset;
use wgrad::nn::Activation;
use wgrad::{Device, Error, Mlp, Result};

/// The error of a refused call, after checking that its message holds each of the parts.
#[track_caller]
fn refused<T>(result: Result<T>, parts: &[&str]) -> Error {
    let Err(error) = result else { panic!("accepted; the message should have had {parts:?}") };
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{message}` lacks `{part}`");
    }
    error
}

fn zeros(rows: usize, cols: usize) -> Array2<f32> {
    Array2::zeros((rows, cols))
}

fn regression(rows: usize, inputs: usize, outputs: usize) -> Dataset {
    Dataset::regression(&zeros(rows, inputs), &zeros(rows, outputs)).unwrap()
}

fn net(inputs: usize, outputs: usize, device: &Device) -> Mlp {
    let builder = Mlp::builder(inputs).hidden(3, Activation::Tanh);
    builder.output(outputs).build(device).unwrap()
}
