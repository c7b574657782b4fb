//! Networks and training runs as safetensors files.
//!
//! - [`Mlp::save`](crate::Mlp::save) and [`Mlp::load`](crate::Mlp::load): a network with its
//!   parameters, under their names, as f32; a weight is (inputs, outputs), a bias (outputs).
//! - [`Checkpoint`]: a run at the end of an epoch, to be resumed:
//!   [`Trainer::checkpoint`](crate::Trainer::checkpoint) takes them,
//!   [`Trainer::resume`](crate::Trainer::resume) goes on. It is a network's file too.
//!
//! What the tensors mean stands as JSON in the file's metadata, under the key `wgrad`, and begins
//! with the number of its format. A reader checks everything against the network that the file
//! describes and never panics; it allocates no more than a small multiple of the file's size. Files
//! are replaced whole or not at all. Where there are no files, as in a browser, there are the same
//! bytes in memory: `to_bytes` and `from_bytes`.

mod archive;
mod checkpoint;
mod mlp;
mod settings;

pub use checkpoint::Checkpoint;
pub(crate) use settings::RunSettings;
