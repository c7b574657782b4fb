//! A training run at the end of an epoch: network, settings, parameters, the optimizer's state.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::archive::{self, Archive, Description, Read};
use super::settings::RunSettings;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::{Loss, Network};
use crate::optim::Optimizer;
use crate::optim::schedule::Watched;

/// What a checkpoint's description has beside the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Training {
    settings: RunSettings,
    epoch: usize,
    step: u64,
    #[serde(default)]
    watched: Watched,
}

/// A training run at the end of an epoch, in memory.
///
/// [`Trainer::checkpoint`](crate::Trainer::checkpoint) writes checkpoints to a file as it trains,
/// [`Trainer::on_checkpoint`](crate::Trainer::on_checkpoint) hands them over;
/// [`Trainer::resume`](crate::Trainer::resume) goes on from one.
///
/// ```
/// # use ndarray::array;
/// # use wgrad::{Activation, Adam, Dataset, Device, Loss, Mlp, Trainer, persist::Checkpoint};
/// # let x = array![[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// # let data = Dataset::regression(&x, &array![0.0f32, 1.0, 1.0, 0.0])?;
/// let path = std::env::temp_dir().join("wgrad-doc-checkpoint.safetensors");
/// let new = || Mlp::builder(2).hidden(8, Activation::Tanh).output(1).build(&Device::cpu());
/// let trainer = || Trainer::new(Loss::Mse, Adam::new(0.05)).batch_size(2);
///
/// trainer().epochs(20).checkpoint(&path, 10).fit(&mut new()?, &data)?;
/// assert_eq!(Checkpoint::load(&path)?.epoch(), 20);
/// let mut resumed = new()?;
/// trainer().epochs(50).resume(&path)?.fit(&mut resumed, &data)?;
///
/// let mut whole = new()?;
/// trainer().epochs(50).fit(&mut whole, &data)?;
/// assert_eq!(resumed.parameters()?, whole.parameters()?);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub(crate) network: Network,
    pub(crate) settings: RunSettings,
    pub(crate) epoch: usize,
    pub(crate) step: u64,
    /// What the schedule remembers of the losses.
    pub(crate) watched: Watched,
    /// Those of the model that would be the result: the average where there is one.
    pub(crate) parameters: Vec<f32>,
    /// The buffers of [`RunSettings::state`], laid out as the parameters.
    pub(crate) state: Vec<Vec<f32>>,
}

impl Checkpoint {
    /// The layers of the network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The number of epochs done.
    #[must_use]
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// The number of steps done.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The loss that is trained on.
    #[must_use]
    pub fn loss(&self) -> Loss {
        self.settings.loss
    }

    /// The optimizer with its constants.
    #[must_use]
    pub fn optimizer(&self) -> Optimizer {
        self.settings.optimizer
    }

    /// The network on a device, with the parameters it has at this point.
    ///
    /// # Errors
    /// The device's.
    pub fn mlp(&self, device: &Device) -> Result<Mlp> {
        Mlp::new(device, self.network.clone(), self.parameters.clone())
    }

    /// Writes the checkpoint to a safetensors file, which is replaced whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        archive::replace(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`Error::File`] if the file is missing, truncated, not a checkpoint or of another format, or
    /// if a tensor is missing, has another shape or type, or holds what training cannot leave.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let bytes = archive::read(path.as_ref())?;
        Self::read(&bytes).map_err(|reason| Error::file(path.as_ref(), reason))
    }

    /// What [`save`](Self::save) writes, for a place that is no file.
    ///
    /// # Errors
    /// [`Error::Argument`] if the description is too long for the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let (settings, epoch, step) = (self.settings.clone(), self.epoch, self.step);
        let (names, watched) = (settings.state(), self.watched);
        let training = Training { settings, epoch, step, watched };
        let description = Description::new(&self.network, Some(training));
        let prefixes: Vec<String> = names.into_iter().map(|name| format!("{name}.")).collect();
        let state = prefixes.iter().map(String::as_str).zip(self.state.iter().map(Vec::as_slice));
        let buffers: Vec<_> = [("", &self.parameters[..])].into_iter().chain(state).collect();
        archive::to_bytes(&description, &buffers)
            .map_err(|reason| Error::argument("a checkpoint's epoch", epoch, reason))
    }

    /// Reads a checkpoint from bytes that [`to_bytes`](Self::to_bytes) made.
    ///
    /// # Errors
    /// [`Error::Argument`] where [`load`](Self::load) has [`Error::File`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes).map_err(|reason| {
            Error::argument("a saved checkpoint", format!("{} bytes", bytes.len()), reason)
        })
    }

    fn read(bytes: &[u8]) -> Read<Self> {
        let archive = Archive::new(bytes)?;
        let none = "this is a network without a training run: it can be loaded, but not resumed";
        let Training { settings, epoch, step, watched } =
            archive.description.training.clone().ok_or(none)?;
        if steps(&settings, epoch) != Some(step) {
            let RunSettings { rows, batch_size, .. } = settings;
            return Err(format!(
                "step {step} cannot be the end of epoch {epoch} with batches of {batch_size} of \
                 {rows} rows"
            ));
        }
        let parameters = archive.flat("", f32::is_finite)?;
        // A mean of squares may have left f32's range where the parameters have not.
        let buffer = |name: &str| archive.flat(&format!("{name}."), |x| !x.is_nan());
        let state = settings.state().into_iter().map(buffer).collect::<Read<_>>()?;
        let network = archive.description.network;
        Ok(Self { network, settings, epoch, step, watched, parameters, state })
    }

    /// Checks that a run of `network` with `settings` is the run of this checkpoint.
    ///
    /// # Errors
    /// [`Error::Argument`] with the name of the first setting that differs, and both values.
    pub(crate) fn check(&self, network: &Network, settings: &RunSettings) -> Result<()> {
        let kind = |optimizer: Optimizer| json!({ "optimizer": optimizer.name() });
        let pairs = [
            ("network", json!(network), json!(self.network)),
            // Before the constants: those of two kinds cannot be compared.
            ("", kind(settings.optimizer), kind(self.settings.optimizer)),
            ("", json!(settings), json!(self.settings)),
        ];
        let first = pairs.iter().find_map(|(name, here, there)| difference(name, here, there));
        let Some((name, here, there)) = first else { return Ok(()) };
        let value = format!("`{name}`, {here} here");
        let expected = format!("the checkpoint to be resumed has {there}");
        Err(Error::argument("a setting that differs", value, expected))
    }
}

/// The steps of the first epochs, if there can be such.
fn steps(settings: &RunSettings, epochs: usize) -> Option<u64> {
    let batch = settings.batch_size.min(settings.rows);
    let an_epoch = if batch == 0 { None } else { Some(settings.rows.div_ceil(batch) as u64) };
    an_epoch?.checked_mul(epochs as u64)
}

/// The first place in which two JSON values differ, and what stands there in each.
fn difference(name: &str, a: &Value, b: &Value) -> Option<(String, String, String)> {
    let join = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    let inside = |key: &str, a: Option<&Value>, b: Option<&Value>| {
        difference(&join(key), a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null))
    };
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.keys().chain(b.keys()).find_map(|key| inside(key, a.get(key), b.get(key)))
        }
        (Value::Array(a), Value::Array(b)) => {
            (0..a.len().max(b.len())).find_map(|i| inside(&i.to_string(), a.get(i), b.get(i)))
        }
        _ if a == b => None,
        _ => {
            let show = |value: &Value| match value {
                Value::Null => "none".to_owned(),
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            Some((name.to_owned(), show(a), show(b)))
        }
    }
}
