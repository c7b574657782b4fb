//! Which device is meant by a name.

use std::fmt;
use std::str::FromStr;

use super::Device;
use crate::error::{Error, Result};

/// The environment variable that says what `auto` means, if it is set.
pub const DEVICE_VARIABLE: &str = "WGRAD_DEVICE";

/// A device asked for by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceRequest {
    /// What [`DEVICE_VARIABLE`] names; without it a discrete GPU, else an integrated one, else the
    /// CPU. A software adapter is used only when asked for as `gpu`.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The best GPU, or the one of this number in [`Device::list`].
    Gpu(Option<usize>),
    /// The first adapter whose name contains this text, in any case.
    Named(String),
}

impl FromStr for DeviceRequest {
    type Err = Error;

    /// # Errors
    /// [`Error::Argument`] for an empty name or a number that is none, as in `gpu:x`.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "" => Err(Error::argument("the device's name", "empty", EXPECTED)),
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(None)),
            lower => match lower.strip_prefix("gpu:").map(str::parse) {
                Some(Ok(index)) => Ok(Self::Gpu(Some(index))),
                Some(Err(_)) => Err(Error::argument("the device", text, EXPECTED)),
                None => Ok(Self::Named(text.to_owned())),
            },
        }
    }
}

const EXPECTED: &str = "use `auto`, `cpu`, `gpu`, `gpu:N` or a part of an adapter's name";

impl fmt::Display for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(index)) => write!(f, "gpu:{index}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// Opens the device that is asked for.
pub(super) async fn open(request: &DeviceRequest) -> Result<Device> {
    match request {
        DeviceRequest::Cpu => Ok(Device::cpu()),
        DeviceRequest::Auto => match variable()? {
            Some(request) => Box::pin(open(&request)).await,
            None => Ok(hardware().await.unwrap_or_else(Device::cpu)),
        },
        #[cfg(feature = "gpu")]
        DeviceRequest::Gpu(_) | DeviceRequest::Named(_) => {
            Ok(Device { backend: super::gpu::open(request).await? })
        }
        #[cfg(not(feature = "gpu"))]
        DeviceRequest::Gpu(_) => Err(Error::NoAdapter {
            reason: "this program was built without the feature `gpu` of wgrad".into(),
        }),
        #[cfg(not(feature = "gpu"))]
        DeviceRequest::Named(name) => {
            Err(Error::UnknownDevice { name: name.clone(), available: vec!["cpu".into()] })
        }
    }
}

/// What the environment says of `auto`; `auto` itself says nothing.
fn variable() -> Result<Option<DeviceRequest>> {
    let Ok(text) = std::env::var(DEVICE_VARIABLE) else { return Ok(None) };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let request: DeviceRequest = text.parse()?;
    Ok((request != DeviceRequest::Auto).then_some(request))
}

/// A GPU in hardware, if there is one that works.
async fn hardware() -> Option<Device> {
    #[cfg(feature = "gpu")]
    if let Some(backend) = super::gpu::open_hardware().await {
        return Some(Device { backend });
    }
    None
}
