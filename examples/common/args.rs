//! The arguments that every training example takes.

use std::path::PathBuf;

use wgrad::Device;

use super::output::Result;
use super::plot::{Folder, Format};

/// The epochs of a short run.
const SHORT_EPOCHS: usize = 2;

/// Where to train, from which seed, how long, and where the plots go.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The device: auto, cpu, gpu, gpu:N or a part of an adapter's name.
    #[arg(long, default_value = "auto")]
    device: String,

    /// The seed of everything random: split, initial weights and row orders.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// How often to go through the data [default: the example's own].
    #[arg(long)]
    epochs: Option<usize>,

    /// The folder for plots [default: out/<example>].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// The format of plots.
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    format: Format,

    /// Train for a moment only, as a check that everything works.
    #[arg(long)]
    pub short: bool,
}

impl Args {
    /// Opens the device and says which it is.
    pub fn device(&self) -> Result<Device> {
        let device: Device = self.device.parse()?;
        println!("device: {}", device.info());
        Ok(device)
    }

    /// The epochs asked for, or else those of a short run, or else `default`.
    pub fn epochs(&self, default: usize) -> usize {
        self.epochs.unwrap_or(if self.short { SHORT_EPOCHS } else { default })
    }

    /// The folder for plots.
    pub fn plots(&self) -> Folder {
        let default = || PathBuf::from("out").join(env!("CARGO_CRATE_NAME"));
        Folder::new(self.out.clone().unwrap_or_else(default), self.format)
    }
}
