//! The pictures of the data, and of what was learnt.

use ndarray::{Array3, Axis};

use crate::common::plot::{BarChart, Chart, ColourMap, ImageGrid};
use crate::linear::Components;

/// The windows shown of each Reynolds number.
const SAMPLES: usize = 5;

/// Some vorticity windows of each Reynolds number, a row of pictures each.
pub fn samples(windows: &[(u32, Array3<f32>)]) -> ImageGrid {
    let mut grid = ImageGrid::new("What the network sees", SAMPLES, ColourMap::Diverging)
        .subtitle("Vorticity in the wake by forward differences, per step; every picture is one row of data")
        .edge(132)
        .scale_bar();
    for (re, frames) in windows {
        let time = frames.len_of(Axis(0));
        for sample in 0..SAMPLES {
            let frame = sample * time / SAMPLES;
            // Pictures are (row, column) from the top: y downwards, x to the right.
            let mut image = frames.index_axis(Axis(0), frame).reversed_axes().to_owned();
            image.invert_axis(Axis(0));
            grid = grid.tile(image, format!("Re {re}, #{frame}"));
        }
    }
    grid
}

/// How many rows each Reynolds number has to train on and to test with.
pub fn balance(reynolds: &[u32], train: &[f32], test: &[f32]) -> BarChart {
    let count = |rows: &[f32]| -> Vec<f64> {
        let of = |re: &u32| rows.iter().filter(|&&row| row == *re as f32).count() as f64;
        reynolds.iter().map(of).collect()
    };
    let names = reynolds.iter().map(u32::to_string);
    BarChart::new("Fields of each Reynolds number", names)
        .axes("Reynolds number", "fields")
        .bars("to train on", &count(train))
        .bars("to test with", &count(test))
}

/// Rows in the plane of the first two principal components.
pub fn components(reynolds: &[u32], train: &[f32], components: &Components) -> Chart {
    let axis =
        |name: &str, share: f64| format!("{name} component ({:.0} % of variance)", 100.0 * share);
    let mut chart = Chart::new("Fields by their principal components")
        .axes(axis("first", components.shares.0), axis("second", components.shares.1))
        .size(640, 520);
    for re in reynolds {
        let rows = train.iter().zip(&components.scores).filter(|(row, _)| **row == *re as f32);
        chart = chart.points(&format!("Re {re}"), rows.map(|(_, scores)| *scores));
    }
    chart
}

/// What a network says of test fields, against the truth.
pub fn predictions(title: String, truth: &[f32], predicted: &[f32]) -> Chart {
    let ends = [truth.iter(), predicted.iter()].into_iter().flatten().map(|&x| f64::from(x));
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    // The truth takes few values: the points of one would hide each other.
    let aside = |i: usize| (i * 37 % 101) as f64 / 101.0 - 0.5;
    let width = 0.03 * (high - low);
    let points = truth.iter().zip(predicted).enumerate();
    let points = points.map(|(i, (t, p))| (f64::from(*t) + width * aside(i), f64::from(*p)));
    Chart::new(title)
        .axes("true Reynolds number (points of one are spread)", "predicted Reynolds number")
        .line("perfect", [(low, low), (high, high)])
        .points("test fields", points)
        .size(520, 500)
}
