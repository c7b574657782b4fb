//! The double well V(x) = x⁴ - 2x² and its slope, by tensors on a device; and f(x) = tanh(a·x) with
//! its gradient, by a network of one unit.
//!
//! Values and the analytic derivative V'(x) = 4x (x² - 1) are computed for many x at once, and the
//! derivative is compared with finite differences of the values. The gradient of f is what
//! backpropagation makes of it, against (1 - f²) a in f64.
//!
//!     cargo run --release --example double_well
//!     cargo run --release --example double_well -- --device gpu

mod common;

use clap::Parser;
use common::plot::Chart;
use ndarray::{Array1, Array2, array};
use serde_json::json;
use wgrad::nn::{Activation, Init};
use wgrad::{Dense, Device, Mlp, Tensor};

/// The drawn range is from -END to END.
const END: f32 = 1.7;
const POINTS: usize = 341;
/// The distance of the points of finite differences.
const H: f32 = 0.125;
/// A point, and the value and the slope there.
const KNOWN: [f64; 3] = [0.12132987, -0.029225168711847025, -0.4781751223381389];

/// Computes a double well and its derivative.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,
}

fn main() -> common::Result {
    let args = Arguments::parse().common;
    let device = args.device()?;

    let [at, value, slope] = KNOWN;
    let x = tensor(&device, &[at as f32])?;
    let (got_value, got_slope) = (well(&x)?.item()?, derivative(&x)?.item()?);
    println!("V({at}) = {got_value:.9}, in f64 {value:.9}");
    println!("V'({at}) = {got_slope:.9}, in f64 {slope:.9}");

    let last = (POINTS - 1) as f32;
    let xs: Vec<f32> = (0..POINTS).map(|i| END * (2.0 * i as f32 / last - 1.0)).collect();
    let x = tensor(&device, &xs)?;
    let (values, slopes) = (well(&x)?.to_vec()?, derivative(&x)?.to_vec()?);
    let differences = finite_differences(&x)?.to_vec()?;
    let off = slopes.iter().zip(&differences).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("finite differences are within {off:.1e} of the derivative");

    let over = |ys: &[f32]| -> Vec<(f64, f64)> {
        xs.iter().zip(ys).map(|(&x, &y)| (f64::from(x), f64::from(y))).collect()
    };
    let sparse = over(&differences).into_iter().step_by(10);
    let chart = Chart::new("The double well V(x) = x⁴ − 2x²")
        .axes("x", "V, V′")
        .size(802, 460)
        .line("V", over(&values))
        .line("V′", over(&slopes))
        .points("V′ by finite differences", sparse);
    args.plots().save("double_well", &chart)?;

    let (wave, gradient_error) = plane_wave(&device)?;
    println!("f(x) = tanh(a·x): its gradient is within {gradient_error:.1e} of (1 - f²) a");

    common::output::result(json!({
        "value": got_value,
        "value_error": (f64::from(got_value) - value).abs(),
        "slope": got_slope,
        "slope_error": (f64::from(got_slope) - slope).abs(),
        "finite_differences_error": off,
        "tanh_error": wave,
        "tanh_gradient_error": gradient_error,
    }))
}

fn tensor(device: &Device, xs: &[f32]) -> wgrad::Result<Tensor> {
    Tensor::from_slice(device, 1, xs.len(), xs)
}

/// x⁴ - 2x², for each x.
fn well(x: &Tensor) -> wgrad::Result<Tensor> {
    let square = x.mul(x)?;
    square.mul(&square.sub_scalar(2.0)?)
}

/// 4x (x² - 1), for each x.
fn derivative(x: &Tensor) -> wgrad::Result<Tensor> {
    x.mul_scalar(4.0)?.mul(&x.mul(x)?.sub_scalar(1.0)?)
}

/// The derivative by central differences of four values, which is exact for polynomials up to the
/// fourth degree: what remains is rounding.
fn finite_differences(x: &Tensor) -> wgrad::Result<Tensor> {
    let wide = well(&x.add_scalar(2.0 * H)?)?.sub(&well(&x.sub_scalar(2.0 * H)?)?)?;
    let narrow = well(&x.add_scalar(H)?)?.sub(&well(&x.sub_scalar(H)?)?)?;
    narrow.mul_scalar(8.0)?.sub(&wide)?.div_scalar(12.0 * H)
}

/// How far f(x) = tanh(a·x) and its gradient are from f64, at points along a line.
fn plane_wave(device: &Device) -> common::Result<(f64, f64)> {
    let a = array![0.5f32, -1.0, 0.25];
    let weight = Init::Array(a.clone().insert_axis(ndarray::Axis(1)));
    let unit = Dense::new(1, Activation::Tanh).bias(false).weight_init(weight);
    let f = Mlp::builder(a.len()).layer(unit).build(device)?;
    let x = Array2::from_shape_fn((POINTS, a.len()), |(i, j)| (i as f32 / 100.0 - END) * j as f32);
    let values = f.predict(&x)?;
    let gradients = f.input_gradients(&x, &Array2::ones((POINTS, 1)))?;
    let (mut value_error, mut gradient_error) = (0.0f64, 0.0f64);
    for (i, x) in x.rows().into_iter().enumerate() {
        let f = x.mapv(f64::from).dot(&a.mapv(f64::from)).tanh();
        value_error = value_error.max((f64::from(values[[i, 0]]) - f).abs());
        let want: Array1<f64> = a.mapv(|a| (1.0 - f * f) * f64::from(a));
        let off = gradients.row(i).mapv(f64::from) - want;
        gradient_error = off.iter().fold(gradient_error, |most, off| most.max(off.abs()));
    }
    Ok((value_error, gradient_error))
}
