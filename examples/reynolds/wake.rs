//! From velocity fields to the rows that a network learns from.

use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2, Array3, Array4, ArrayView4, Axis, concatenate, s};
use wgrad::data::{self, Dataset};

use crate::common::flow::{self, Street};
use crate::common::{Failure, Result};
use crate::studies::targets;

/// Which fields to take, and what of them.
#[derive(Debug, clap::Args)]
pub struct Wake {
    /// A folder with velocity fields of your own, .npy or .npz of shape (time, x, y, 2), whose
    /// names end with the Reynolds number [default: simulated, in target/vortex_street].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Take every N-th frame.
    #[arg(long, value_name = "N", default_value_t = 1)]
    every: usize,

    /// Take every N-th cell in x and in y.
    #[arg(long, value_name = "N", default_value_t = 1)]
    stride: usize,
}

impl Wake {
    /// The vorticity windows, (time, x, y), of every Reynolds number, the lowest first.
    pub fn windows(&self, short: bool) -> Result<Vec<(u32, Array3<f32>)>> {
        if self.every == 0 || self.stride == 0 {
            return Err(Failure::new("--every and --stride are at least 1"));
        }
        let files = match &self.data {
            Some(folder) => flow::find(folder)?,
            None => {
                let street = if short { Street::SHORT } else { Street::FULL };
                let folder = flow::folder(&street);
                flow::simulate_missing(&street, &folder, &flow::REYNOLDS)?;
                flow::REYNOLDS.map(|re| (re, flow::file(&folder, re))).to_vec()
            }
        };
        let windows = files.into_iter().map(|(re, file)| {
            println!("reading {}", file.display());
            Ok((re, self.window(&flow::load(&file)?)?))
        });
        windows.collect()
    }

    /// The vorticity in a square behind the body: of the last columns, as many as a column is
    /// high, the middle half in x and in y. For 128 cells it is that of the last 127 differences the
    /// ones from 32 to 96.
    fn window(&self, velocity: &Array4<f32>) -> Result<Array3<f32>> {
        let (_, width, height, _) = velocity.dim();
        if width < height || height < 4 {
            return Err(Failure::new(format!(
                "a field of {width} x {height} cells: it has to be at least as long as it is high"
            )));
        }
        let first = width - height + height / 4;
        let (x, y) = (first..first + height / 2 + 1, height / 4..height / 4 * 3 + 1);
        let square = velocity.slice(s![..;self.every, x, y, ..]);
        Ok(vorticity(square).slice_move(s![.., ..;self.stride, ..;self.stride]))
    }
}

/// The forward difference of u_y along x plus that of u_x along y, one cell less each way. The sign
/// of the second is the notebook's; in the curl it is a minus.
fn vorticity(velocity: ArrayView4<'_, f32>) -> Array3<f32> {
    let along_x = &velocity.slice(s![.., 1.., ..-1, 1]) - &velocity.slice(s![.., ..-1, ..-1, 1]);
    let along_y = &velocity.slice(s![.., ..-1, 1.., 0]) - &velocity.slice(s![.., ..-1, ..-1, 0]);
    along_x + along_y
}

/// One row a frame, and the Reynolds number as what there is to learn.
pub fn dataset(windows: &[(u32, Array3<f32>)]) -> Result<Dataset> {
    let rows = windows.iter().map(|(_, frames)| {
        let (time, x, y) = frames.dim();
        Ok(frames.as_standard_layout().into_owned().into_shape_with_order((time, x * y))?)
    });
    let rows = rows.collect::<Result<Vec<Array2<f32>>>>()?;
    let views: Vec<_> = rows.iter().map(|rows| rows.view()).collect();
    let targets = windows.iter().flat_map(|(re, frames)| vec![*re as f32; frames.len_of(Axis(0))]);
    let targets: Array1<f32> = targets.collect();
    Ok(Dataset::regression(&concatenate(Axis(0), &views)?, &targets)?)
}

/// Writes features and Reynolds numbers of each part.
pub fn export(folder: &Path, parts: [(&str, &Dataset); 2]) -> Result {
    std::fs::create_dir_all(folder)?;
    for (name, part) in parts {
        data::write_npy(folder.join(format!("{name}_x.npy")), &part.features())?;
        data::write_npy(folder.join(format!("{name}_y.npy")), &targets(part)?)?;
    }
    println!("saved the training and the test part in {}", folder.display());
    Ok(())
}
