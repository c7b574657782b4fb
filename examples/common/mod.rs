//! What the examples share, so that each holds little but its subject: [`args`], [`output`] and
//! [`plot`] for every one, [`random`] for those that draw numbers, [`flow`] for the wake behind a
//! cylinder, [`workloads`] for those that measure time.

#![allow(dead_code, unused_imports, reason = "no example uses everything that is here")]

pub mod args;
pub mod flow;
pub mod output;
pub mod plot;
pub mod random;
pub mod workloads;

use std::path::{Path, PathBuf};

use wgrad::data::Dataset;

pub use args::Args;
pub use output::{Failure, Result};

/// The path of a file in `examples/data`, wherever the example is started.
pub fn data_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}

/// MNIST to train on and to test with: the whole of it from a folder, or the 10,000 digits of the
/// repository in two halves.
///
/// # Errors
/// Where the files are missing, as the 10,000 digits are in the published package.
pub fn mnist(folder: Option<&Path>) -> Result<(Dataset, Dataset)> {
    if let Some(folder) = folder {
        return Ok(Dataset::mnist_idx(folder)?);
    }
    let file = data_file("mnist_10k.npz");
    if !file.exists() {
        return Err(Failure::new(format!(
            "{} is missing: the published package leaves it out. Take it from wgrad's repository, \
             or give MNIST's own four files with `--data DIR`",
            file.display()
        )));
    }
    Ok(Dataset::from_npz(file)?.split_at(5000)?)
}
