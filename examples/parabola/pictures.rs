//! Charts of a descent, and the descent as an animated picture.

use ndarray::Array1;
use wgrad::Mlp;
use wgrad::train::History;

use crate::common;
use crate::common::plot::{Chart, Column, Folder, Picture, Row};
use crate::descent::{Points, go_back};

/// Seconds that a frame of the animation is seen.
const FRAME: f64 = 0.12;
/// The size of each of its four charts.
const SIZE: (u32, u32) = (420, 320);

/// The error of every step.
pub fn errors() -> Chart {
    Chart::new("Error, the mean of (a − b)² / 2").axes("step", "error").log_y()
}

/// The norm of the first layer's gradient at every step.
pub fn norms() -> Chart {
    Chart::new("Norm of the first layer's gradient").axes("step", "norm").log_y()
}

pub fn losses(history: &History) -> Vec<f64> {
    history.step_losses.iter().map(|&loss| f64::from(loss)).collect()
}

pub fn gradient_norms(history: &History) -> Vec<f64> {
    history.recording.by_name["layers.0.weight.grad"].norms()
}

/// The weights of the second layer over the steps.
pub fn weights(history: &History) -> Chart {
    let chart = Chart::new("Weights of the second layer, batch descent").axes("step", "weight");
    let lines = weight_lines(history).into_iter().enumerate();
    lines.fold(chart, |chart, (i, values)| chart.line(&format!("w{i}"), thinned(&values)))
}

/// The first weights of the second layer, each over the steps.
fn weight_lines(history: &History) -> Vec<Vec<f64>> {
    let series = &history.recording.by_name["layers.1.weight"];
    let count = series.get(0).map_or(0, |record| record.len()).min(8);
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
    (0..count).map(|i| wide(series.element(i))).collect()
}

/// Saves the descent as an animated picture: fit, error, gradient and weights, in steps that grow
/// from frame to frame as a descent slows down.
pub fn animate(
    plots: &Folder,
    frames: usize,
    mlp: &mut Mlp,
    history: &History,
    points: &Points,
) -> common::Result {
    let last = history.step_losses.len() - 1;
    let (losses, norms_of) = (losses(history), gradient_norms(history));
    let weights_of = weight_lines(history);
    let mut pictures = Vec::new();
    for frame in 0..frames {
        let share = (frame + 1) as f64 / frames as f64;
        let step = (((last + 1) as f64).powf(share).round() as usize - 1).min(last);
        go_back(mlp, history, step)?;
        let highest = points.y.iter().copied().fold(0.0, f64::max);
        let learned = points.learned(mlp)?.mapv(|y| y.clamp(-0.1 * highest, 1.1 * highest));
        let fit = Chart::new(format!("Batch descent before step {}", step + 1)).axes("x", "y");
        let fit = fit.points("data", pairs(&points.x, &points.y));
        let fit = fit.line("network", pairs(&points.x, &learned));
        let marked = |chart: Chart, values: &[f64]| {
            let now = [((step + 1) as f64, values[step])];
            chart.log_x().line("", curve(values)).points("", now)
        };
        let error = marked(errors(), &losses);
        let norm = marked(norms(), &norms_of);
        let weight = Chart::new("Weights of the second layer").axes("step", "weight").log_x();
        let weight = weights_of.iter().fold(weight, |chart, values| chart.line("", curve(values)));
        let now = weights_of.iter().map(|values| ((step + 1) as f64, values[step]));
        let charts = [[fit, error], [norm, weight.points("", now)]];
        let row = |charts: [Chart; 2]| -> Box<dyn Picture> {
            let sized = |chart: Chart| -> Box<dyn Picture> { Box::new(chart.size(SIZE.0, SIZE.1)) };
            Box::new(Row(charts.map(sized).into()))
        };
        pictures.push(Column(charts.map(row).into()));
    }
    plots.animate("descent", FRAME, &pictures)
}

/// About as many points of a long curve at each order of magnitude of the step.
fn curve(values: &[f64]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (i, &value) in values.iter().enumerate() {
        let step = (i + 1) as f64;
        if points.last().is_none_or(|&(last, _)| step >= 1.02 * last) {
            points.push((step, value));
        }
    }
    points
}

/// At most about five hundred points of a long curve, each the mean of as many steps.
pub fn thinned(values: &[f64]) -> Vec<(f64, f64)> {
    let count = values.len().div_ceil(500).max(1);
    let point = |(i, chunk): (usize, &[f64])| {
        let middle = (i * count) as f64 + 0.5 * (chunk.len() + 1) as f64;
        (middle, chunk.iter().sum::<f64>() / chunk.len() as f64)
    };
    values.chunks(count).enumerate().map(point).collect()
}

pub fn pairs(x: &Array1<f64>, y: &Array1<f64>) -> Vec<(f64, f64)> {
    x.iter().copied().zip(y.iter().copied()).collect()
}
