//! Velocity fields in files, simulated where they are missing.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use ndarray::Array4;
use wgrad::data;

use super::Street;
use crate::common::{Failure, Result};

/// The folder of simulations unless another is given; those that differ have their own.
pub fn folder(street: &Street) -> PathBuf {
    let mut folder = Path::new("target").join("vortex_street");
    if street.width != Street::FULL.width {
        folder.push("short");
    }
    if street.turbulence > 0.0 {
        folder.push(format!("turbulence_{}", street.turbulence));
    }
    folder
}

/// The file of a Reynolds number in a folder.
pub fn file(folder: &Path, reynolds: u32) -> PathBuf {
    folder.join(format!("velocity_re{reynolds}.npy"))
}

/// Simulates what is not in the folder yet, one Reynolds number a core at a time.
///
/// A core has a simulation to itself because its 40,960 cells then stay in that core's cache, and
/// no core waits for another. Gives the seconds it took.
pub fn simulate_missing(street: &Street, folder: &Path, reynolds: &[u32]) -> Result<f64> {
    let start = Instant::now();
    let missing = |re: &u32| !file(folder, *re).exists();
    let missing: Vec<u32> = reynolds.iter().copied().filter(missing).collect();
    if missing.is_empty() {
        println!("velocity fields: those in {}", folder.display());
        return Ok(0.0);
    }
    println!("simulating Re {missing:?} into {}", folder.display());
    std::fs::create_dir_all(folder)?;
    let bar = ProgressBar::new((missing.len() * street.steps()) as u64).with_style(
        ProgressStyle::with_template("{bar:32.cyan/dim} {percent} % of {len} steps, {eta} left")?
            .progress_chars("━━─"),
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (workers, queue) = (cores.min(missing.len()), Mutex::new(missing.into_iter()));
    let next = || queue.lock().ok()?.next();
    let work = || {
        while let Some(reynolds) = next() {
            let fields = street.simulate(reynolds, |steps| bar.inc(steps));
            save(street, &file(folder, reynolds), fields)?;
        }
        Ok::<(), String>(())
    };
    let done = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let join = |thread: ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err("a simulation panicked".to_owned()))
        };
        threads.into_iter().try_for_each(join)
    });
    bar.finish_and_clear();
    done.map(|()| start.elapsed().as_secs_f64()).map_err(Failure::new)
}

/// Writes the fields of a simulation.
fn save(street: &Street, file: &Path, fields: Vec<f32>) -> std::result::Result<(), String> {
    if fields.iter().any(|velocity| !velocity.is_finite()) {
        return Err(format!(
            "the flow for {} became unstable: the lattice is too coarse for this Reynolds number",
            file.display()
        ));
    }
    let shape = (street.frames, street.width, street.height, 2);
    let fields = Array4::from_shape_vec(shape, fields).map_err(|error| error.to_string())?;
    data::write_npy(file, &fields).map_err(|error| error.to_string())
}

/// The velocity fields in a folder and their Reynolds numbers, the lowest first: every `.npy` and
/// `.npz` file, whose Reynolds number is the last number in its name.
pub fn find(folder: &Path) -> Result<Vec<(u32, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_array = path.extension().is_some_and(|kind| kind == "npy" || kind == "npz");
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut numbers = stem.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
        if let (true, Some(reynolds)) = (is_array, numbers.next_back()) {
            found.push((reynolds, path));
        }
    }
    found.sort();
    match found.len() {
        0 | 1 => Err(Failure::new(format!(
            "{} has {} file(s) such as velocity_re300.npy: at least two Reynolds numbers are needed",
            folder.display(),
            found.len()
        ))),
        _ => Ok(found),
    }
}

/// Reads velocity fields, (time, x, y, 2). Of an `.npz` file the first array of that shape counts.
pub fn load(file: &Path) -> Result<Array4<f32>> {
    let arrays = match file.extension().is_some_and(|kind| kind == "npz") {
        true => data::read_npz(file)?.into_values().collect(),
        false => vec![data::read_npy(file)?],
    };
    let shapes: Vec<_> = arrays.iter().map(|array| array.shape().to_owned()).collect();
    let mut fields = arrays.into_iter().filter_map(|array| match *array.shape() {
        [time, x, y, 2] => Some(((time, x, y, 2), array)),
        _ => None,
    });
    match fields.next() {
        Some((shape, array)) => Ok(Array4::from_shape_vec(shape, array.into_f32())?),
        None => Err(Failure::new(format!(
            "{}: velocity fields are of shape (time, x, y, 2), found {shapes:?}",
            file.display()
        ))),
    }
}
