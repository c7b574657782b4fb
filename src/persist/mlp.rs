//! A network as a safetensors file, or as the bytes of one.

use std::path::Path;

use super::archive::{self, Archive, Description, Read};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::mlp::Mlp;

impl Mlp {
    /// Writes the network to a safetensors file: every parameter under its name, as f32, and the
    /// layers as JSON in the metadata. A file that is there is replaced whole or not at all.
    ///
    /// ```
    /// use wgrad::{Activation, Device, Mlp};
    ///
    /// let path = std::env::temp_dir().join("wgrad-doc-save.safetensors");
    /// let mlp = Mlp::builder(2).hidden(8, Activation::Tanh).output(1).build(&Device::cpu())?;
    /// mlp.save(&path)?;
    /// assert_eq!(Mlp::load(&path, &Device::cpu())?.parameters()?, mlp.parameters()?);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be written; [`Error::Argument`] if a parameter is not
    /// finite, as no file with one could be read; and the device's.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        archive::replace(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads a network from a file that [`save`](Self::save) wrote, or from a checkpoint, and puts
    /// it on a device. Tensors that are no parameter of it are left alone.
    ///
    /// # Errors
    /// [`Error::File`] if the file is missing, truncated, no safetensors file or not of this
    /// crate's format, or if a parameter is missing, has another shape or type, or is not finite;
    /// and the device's.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let bytes = archive::read(path)?;
        let archive = Archive::new(&bytes).and_then(read);
        let (description, words) = archive.map_err(|reason| Error::file(path, reason))?;
        Self::new(device, description.network, words)
    }

    /// What [`save`](Self::save) writes, for a place that is no file.
    ///
    /// # Errors
    /// [`Error::Argument`] if a parameter is not finite, and the device's.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        pollster::block_on(self.to_bytes_async())
    }

    /// [`to_bytes`](Self::to_bytes), without blocking.
    ///
    /// # Errors
    /// Those of [`to_bytes`](Self::to_bytes).
    pub async fn to_bytes_async(&self) -> Result<Vec<u8>> {
        let words: Vec<f32> = self.buffer().read_async().await?;
        for parameter in self.network().parameters() {
            let mut values = words[parameter.range()].iter();
            if let Some(value) = values.find(|value| !value.is_finite()) {
                let expected = format!("`{}` must be finite to be saved", parameter.name);
                return Err(Error::argument("a parameter", value, expected));
            }
        }
        let description = Description::new(self.network(), None);
        archive::to_bytes(&description, &[("", &words)])
            .map_err(|reason| Error::argument("the network", format!("{self:?}"), reason))
    }

    /// Reads a network from bytes that [`to_bytes`](Self::to_bytes) made.
    ///
    /// # Errors
    /// [`Error::Argument`] where [`load`](Self::load) has [`Error::File`], and the device's.
    pub fn from_bytes(bytes: &[u8], device: &Device) -> Result<Self> {
        let archive = Archive::new(bytes).and_then(read);
        let (description, words) = archive.map_err(|reason| {
            Error::argument("a saved network", format!("{} bytes", bytes.len()), reason)
        })?;
        Self::new(device, description.network, words)
    }
}

/// The network that an archive describes, and its parameters.
fn read(archive: Archive<'_>) -> Read<(Description, Vec<f32>)> {
    let words = archive.flat("", f32::is_finite)?;
    Ok((archive.description, words))
}
