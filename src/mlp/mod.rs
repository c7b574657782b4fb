//! A multilayer perceptron on a device: its description, its parameters, its predictions.

mod builder;
mod input_gradients;
mod parameters;
mod predict;

use std::fmt;

pub use builder::{Dense, MlpBuilder};
pub use parameters::Named;
pub(crate) use parameters::named;
pub(crate) use predict::Predictor;

use crate::device::{Buffer, Device};
use crate::error::Result;
use crate::nn::{Layer, Network};

/// A multilayer perceptron whose parameters live on a device.
///
/// ```
/// use wgrad::{Device, Mlp, nn::Activation};
///
/// let mlp = Mlp::builder(2).hidden(3, Activation::Tanh).output(1).seed(0).build(&Device::cpu())?;
/// let y = mlp.predict(&ndarray::array![[0.5, -1.0]])?;
/// assert_eq!(y.dim(), (1, 1));
/// # Ok::<(), wgrad::Error>(())
/// ```
pub struct Mlp {
    device: Device,
    network: Network,
    parameters: Buffer,
}

impl Mlp {
    /// A network for rows of `inputs` features, to be described layer by layer.
    #[must_use]
    pub fn builder(inputs: usize) -> MlpBuilder {
        MlpBuilder::new(inputs)
    }

    pub(crate) fn new(device: &Device, network: Network, parameters: Vec<f32>) -> Result<Self> {
        let parameters = device.upload_shared(std::sync::Arc::new(parameters))?;
        Ok(Self { device: device.clone(), network, parameters })
    }

    /// The device that holds the parameters and computes.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The layers and the layout of the parameters.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The layers, first to last.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        self.network.layers()
    }

    /// The flat parameter buffer.
    pub(crate) fn buffer(&self) -> &Buffer {
        &self.parameters
    }

    /// A copy of the network on a device, this one or another.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device), [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        pollster::block_on(self.to_device_async(device))
    }

    /// [`to_device`](Self::to_device), without blocking.
    ///
    /// # Errors
    /// Those of [`to_device`](Self::to_device).
    pub async fn to_device_async(&self, device: &Device) -> Result<Self> {
        let words = self.parameters.read_async().await?;
        Self::new(device, self.network.clone(), words)
    }
}

impl fmt::Debug for Mlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mlp({}", self.network.inputs())?;
        for layer in self.layers() {
            write!(f, "-{}", layer.outputs)?;
        }
        write!(f, " on {})", self.device)
    }
}
