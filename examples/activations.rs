//! Every activation function and its derivative, drawn from what a device computes.
//!
//! Each function is computed on the device in f32 and in f64 from the same formula, and the largest
//! difference over the drawn range is reported.
//!
//!     cargo run --release --example activations
//!     cargo run --release --example activations -- --device gpu --format png

mod common;

use clap::Parser;
use common::plot::{Panel, Panels};
use serde_json::json;
use wgrad::nn::Activation;
use wgrad::{Device, Tensor};

/// The drawn range is from -END to END.
const END: f64 = 4.0;
/// The points of a curve; a short run takes few.
const POINTS: usize = 801;
const SHORT_POINTS: usize = 81;

/// Draws every activation function and its derivative.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,
}

fn main() -> common::Result {
    let args = Arguments::parse().common;
    let device = args.device()?;
    let points = if args.short { SHORT_POINTS } else { POINTS };
    let step = 2.0 * END / (points - 1) as f64;
    let zs: Vec<f32> = (0..points).map(|i| (i as f64 * step - END) as f32).collect();

    let mut page = Panels::new("Activation functions and their derivatives", "y", "y′");
    let mut largest = (0.0f64, Activation::Identity);
    for activation in Activation::ALL.map(tuned) {
        let curves = Curves::compute(&device, activation, &zs)?;
        let difference = curves.difference(activation, &zs);
        println!("{:20} differs from f64 by {difference:.1e}", activation.to_string());
        if difference > largest.0 {
            largest = (difference, activation);
        }
        page = page.panel(curves.panel(activation, &zs));
    }
    args.plots().save("activations", &page)?;

    common::output::result(json!({
        "device": device.to_string(),
        "activations": Activation::ALL.len(),
        "max_difference": largest.0,
        "of": largest.1.to_string(),
    }))
}

/// A parameter that can be told by the eye from the function without it.
fn tuned(activation: Activation) -> Activation {
    match activation {
        Activation::LeakyRelu(_) => Activation::LeakyRelu(0.1),
        Activation::Celu(_) => Activation::Celu(2.0),
        Activation::Sine(_) => Activation::Sine(2.0),
        other => other,
    }
}

/// A function and its derivative at some points.
struct Curves {
    values: Vec<f32>,
    slopes: Vec<f32>,
}

impl Curves {
    fn compute(device: &Device, activation: Activation, zs: &[f32]) -> common::Result<Self> {
        let z = Tensor::from_slice(device, 1, zs.len(), zs)?;
        let values = z.activate(activation)?.to_vec()?;
        let slopes = z.activation_derivative(activation)?.to_vec()?;
        Ok(Self { values, slopes })
    }

    /// The largest difference from the formulas in f64, relative where they are above 1.
    fn difference(&self, activation: Activation, zs: &[f32]) -> f64 {
        let largest = |got: &[f32], formula: fn(Activation, f64) -> f64| {
            let off = |(&got, &z): (&f32, &f32)| {
                let truth = formula(activation, z.into());
                (f64::from(got) - truth).abs() / truth.abs().max(1.0)
            };
            got.iter().zip(zs).map(off).fold(0.0, f64::max)
        };
        let value = largest(&self.values, Activation::value);
        value.max(largest(&self.slopes, Activation::derivative_at))
    }

    fn panel(&self, activation: Activation, zs: &[f32]) -> Panel {
        let line = |ys: &[f32]| zs.iter().zip(ys).map(|(&z, &y)| (z.into(), y.into())).collect();
        Panel { title: activation.to_string(), lines: [line(&self.values), line(&self.slopes)] }
    }
}
