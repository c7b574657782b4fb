//! The wake of a cylinder: a von Karman vortex street at four Reynolds numbers.
//!
//! Simulates the flow by the lattice Boltzmann method, and writes its velocity fields as `.npy`
//! files of shape (time, x, y, 2) that the example `reynolds` and NumPy read, 200 MB each. What is
//! there is not simulated again. Draws the last vorticity field of each, and the spectrum of the
//! velocity across the wake, whose peak is the Strouhal number, about 0.2 as in experiments.
//!
//!     cargo run --release --example vortex_street
//!     cargo run --release --example vortex_street -- --re 450 --re 1500 --format png
//!     cargo run --release --example vortex_street -- --turbulence 0.05
//!
//! In a steady inflow the wake repeats itself from period to period; in a turbulent one it does not.

mod common;

use std::path::PathBuf;

use clap::Parser;
use common::Failure;
use common::flow::{self, SPEED, Spectrum, Street};
use common::plot::{Chart, Column, Field, Folder, Format, Picture};
use ndarray::{Array2, ArrayView3, Axis, Slice, s};
use serde_json::json;

/// Simulates the wake of a cylinder.
#[derive(Parser)]
struct Arguments {
    /// A Reynolds number; may be given more than once.
    #[arg(long, value_name = "RE", default_values_t = flow::REYNOLDS)]
    re: Vec<u32>,

    /// How turbulent the inflow is: the root mean square of its gusts as a part of its velocity.
    #[arg(long, value_name = "PART", default_value_t = 0.0)]
    turbulence: f32,

    /// The folder for velocity fields [default: target/vortex_street].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// The folder for plots.
    #[arg(long, value_name = "DIR", default_value = "out/vortex_street")]
    out: PathBuf,

    /// The format of plots.
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    format: Format,

    /// Simulate a small lattice for a moment only, as a check that everything works.
    #[arg(long)]
    short: bool,
}

fn main() -> common::Result {
    let args = Arguments::parse();
    if !(0.0..0.5).contains(&args.turbulence) {
        return Err(Failure::new(format!("--turbulence is {}: 0 to 0.5", args.turbulence)));
    }
    let street = if args.short { Street::SHORT } else { Street::FULL };
    let street = Street { turbulence: args.turbulence, ..street };
    let folder = args.data.unwrap_or_else(|| flow::folder(&street));
    let seconds = flow::simulate_missing(&street, &folder, &args.re)?;

    let mut pictures: Vec<Box<dyn Picture>> = Vec::new();
    let mut spectra = Chart::new("Vortices are shed at one frequency")
        .axes("Strouhal number: frequency x diameter / speed", "power")
        .size(784, 340);
    let mut strouhal = Vec::new();
    for &re in &args.re {
        let fields = flow::load(&flow::file(&folder, re))?;
        let spectrum = Spectrum::of(&street, &fields)?;
        println!("Re {re}: Strouhal number {:.3}", spectrum.peak());
        strouhal.push(spectrum.peak());
        let last = fields.index_axis(Axis(0), fields.len_of(Axis(0)) - 1);
        pictures.push(Box::new(picture(&street, re, vorticity(last))));
        spectra = spectra.line(&format!("Re {re}"), spectrum.points);
    }
    let plots = Folder::new(args.out, args.format);
    plots.save("vorticity", &Column(pictures))?;
    plots.save("strouhal", &spectra)?;

    common::output::result(json!({
        "re": args.re,
        "strouhal": strouhal,
        "simulation_seconds": seconds,
        "data": folder,
    }))
}

/// The vorticity, d u_y / dx - d u_x / dy, of a velocity field (x, y, 2), by central differences.
fn vorticity(velocity: ArrayView3<'_, f32>) -> Array2<f32> {
    let inner = Slice::new(1, Some(-1), 1);
    let (along, across) = (velocity.index_axis(Axis(2), 1), velocity.index_axis(Axis(2), 0));
    let (along, across) = (along.slice_axis(Axis(1), inner), across.slice_axis(Axis(0), inner));
    let (right, left) = (along.slice(s![2.., ..]), along.slice(s![..-2, ..]));
    let (above, below) = (across.slice(s![.., 2..]), across.slice(s![.., ..-2]));
    (&right - &left - above + below) / 2.0
}

/// A vorticity field in units of speed and diameter, with the cylinder.
fn picture(street: &Street, re: u32, vorticity: Array2<f32>) -> Field {
    let diameter = street.diameter as f32;
    let (x, y) = street.centre();
    let (width, height) = vorticity.dim();
    let place = |cell: f32, centre: f32| f64::from((cell - centre) / diameter);
    // Cell 0 of the differences is cell 1 of the lattice, and reaches half a cell to each side.
    let edges = |cells: usize, centre| (place(0.5, centre), place(cells as f32 + 0.5, centre));
    let title = format!("Re = {re}: vorticity in units of speed / diameter");
    Field::new(title, vorticity * (diameter / SPEED))
        .axes("x / diameter", "y / diameter")
        .extent(edges(width, x), edges(height, y))
        .limits(-3.0, 3.0)
        .scale(320 * 2 / street.width as u32)
        .disc((0.0, 0.0), 0.5)
}
