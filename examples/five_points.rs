//! Backpropagation by the book: five points that no line separates.
//!
//! Glorot-uniform weights, zero biases, tanh in hidden layers, the sigmoid at the end, mean squared
//! error, 2,500 steps of full-batch descent with a rate of 0.25. Draws the loss, and the network
//! over the plane before and after; `--study` overlays depths, widths, initial weights and rates.
//!
//!     cargo run --release --example five_points
//!     cargo run --release --example five_points -- --study rate

mod common;

use clap::{Parser, ValueEnum};
use common::plot::{Chart, Column, Field, Picture, Row};
use ndarray::{Array2, array};
use serde_json::json;
use wgrad::data::Dataset;
use wgrad::nn::{Activation, Init, Loss};
use wgrad::optim::Sgd;
use wgrad::train::History;
use wgrad::{Device, Mlp, Trainer};

const EPOCHS: usize = 2500;
const RATE: f64 = 0.25;
/// The plane is drawn from -SIDE to SIDE, in GRID x GRID cells.
const SIDE: f64 = 2.0;
const GRID: usize = 50;

/// Separates five points in the plane.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: common::Args,

    /// What to vary, and to overlay the losses of.
    #[arg(long, value_enum)]
    study: Option<Study>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Study {
    Depth,
    Width,
    Init,
    Rate,
}

/// A network and its training.
#[derive(Clone)]
struct Setting {
    name: String,
    hidden: Vec<usize>,
    init: Init,
    rate: f64,
}

fn main() -> common::Result {
    let Arguments { common: args, study } = Arguments::parse();
    let device = args.device()?;
    let plots = args.plots();
    let x = array![[-1.0f32, -1.0], [1.0, 1.0], [0.0, 0.0], [-1.0, 1.0], [1.0, -1.0]];
    let t = array![0.0f32, 0.0, 0.0, 1.0, 1.0];
    let data = Dataset::regression(&x, &t)?;
    let epochs = args.epochs(EPOCHS);

    let base = Setting {
        name: "2-8-8-1".into(),
        hidden: vec![8, 8],
        init: Init::GlorotUniform,
        rate: RATE,
    };
    let mut mlp = base.network(args.seed, &device)?;
    let before = plane(&mlp)?;
    let history = base.train(&mut mlp, &data, epochs)?;
    let after = plane(&mlp)?;
    let right = mlp.predict(&x)?.iter().zip(&t).filter(|(y, t)| (**y > 0.5) == (**t > 0.5)).count();
    println!("{right} of 5 points are right, loss {:.5}", history.final_loss());

    let field = |title: &str, values: Array2<f32>| {
        let side = (-SIDE, SIDE);
        let field =
            Field::new(title, values).axes("x", "y").extent(side, side).limits(0.0, 1.0).scale(6);
        x.rows().into_iter().zip(&t).fold(field, |field, (point, &t)| {
            field.point((f64::from(point[0]), f64::from(point[1])), t > 0.5)
        })
    };
    let loss = Chart::new("Mean squared error").axes("epoch", "error").log_y().size(890, 340);
    let planes: [Box<dyn Picture>; 2] = [
        Box::new(field("The network's output at first", before)),
        Box::new(field(&format!("After {epochs} epochs"), after)),
    ];
    let curve = loss.clone().epochs("2-8-8-1", &history.train_losses());
    plots.save("five_points", &Column(vec![Box::new(Row(planes.into())), Box::new(curve)]))?;

    if let Some(study) = study {
        let mut chart = loss;
        for setting in study.settings(&base) {
            let mut mlp = setting.network(args.seed, &device)?;
            let history = setting.train(&mut mlp, &data, epochs)?;
            println!("{:>16}: loss {:.5}", setting.name, history.final_loss());
            chart = chart.epochs(&setting.name, &history.train_losses());
        }
        plots.save("five_points_study", &chart)?;
    }
    common::output::result(json!({ "right": right, "loss": history.final_loss() }))
}

/// The network's output over the plane, (x, y).
fn plane(mlp: &Mlp) -> common::Result<Array2<f32>> {
    let at = |i: usize| (SIDE * (2.0 * (i as f64 + 0.5) / GRID as f64 - 1.0)) as f32;
    let point = |(i, axis): (usize, usize)| at(if axis == 0 { i / GRID } else { i % GRID });
    let outputs = mlp.predict(&Array2::from_shape_fn((GRID * GRID, 2), point))?;
    Ok(outputs.into_shape_with_order((GRID, GRID))?)
}

impl Setting {
    fn network(&self, seed: u64, device: &Device) -> wgrad::Result<Mlp> {
        let builder = Mlp::builder(2).weight_init(self.init.clone()).bias_init(Init::Constant(0.0));
        let hidden = self.hidden.iter();
        let builder = hidden.fold(builder, |b, &width| b.hidden(width, Activation::Tanh));
        builder.hidden(1, Activation::Sigmoid).seed(seed).build(device)
    }

    fn train(&self, mlp: &mut Mlp, data: &Dataset, epochs: usize) -> wgrad::Result<History> {
        Trainer::new(Loss::Mse, Sgd::new(self.rate)).epochs(epochs).fit(mlp, data)
    }
}

impl Study {
    fn settings(self, base: &Setting) -> Vec<Setting> {
        let vary = |name: String, change: &dyn Fn(&mut Setting)| {
            let mut setting = Setting { name, ..base.clone() };
            change(&mut setting);
            setting
        };
        match self {
            Self::Depth => (1..=4)
                .map(|depth| vary(format!("depth {depth}"), &|s| s.hidden = vec![8; depth]))
                .collect(),
            Self::Width => [2, 4, 8, 32]
                .map(|width| vary(format!("width {width}"), &|s| s.hidden = vec![width; 2]))
                .into(),
            Self::Rate => [0.01, 0.1, 0.25, 1.0]
                .map(|rate| vary(format!("rate {rate}"), &|s| s.rate = rate))
                .into(),
            Self::Init => [
                ("Glorot uniform", Init::GlorotUniform),
                ("He normal", Init::HeNormal),
                ("normal 1", Init::Normal(1.0)),
                ("normal 0.01", Init::Normal(0.01)),
            ]
            .map(|(name, init)| vary(name.into(), &|s| s.init = init.clone()))
            .into(),
        }
    }
}
