//! What the examples share, so that each holds little but its subject: [`args`], [`output`] and
//! [`plot`] for every one, [`workloads`] for those that measure time, [`flow`] for the wake behind a
//! cylinder.

#![allow(dead_code, unused_imports, reason = "no example uses everything that is here")]

pub mod args;
pub mod flow;
pub mod output;
pub mod plot;
pub mod workloads;

pub use args::Args;
pub use output::{Failure, Result};

/// The path of a file in `examples/data`, wherever the example is started.
pub fn data_file(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}
