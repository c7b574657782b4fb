//! Activations as text: `relu`, `leaky_relu(0.2)`.

use std::fmt;
use std::str::FromStr;

use super::Activation;
use crate::error::{Error, Result};

impl Activation {
    /// The name, without the parameter: `identity`, `relu`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::LeakyRelu(_) => "leaky_relu",
            Self::Relu6 => "relu6",
            Self::Elu(_) => "elu",
            Self::Selu => "selu",
            Self::Celu(_) => "celu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::Silu => "silu",
            Self::Mish => "mish",
            Self::Softplus(_) => "softplus",
            Self::Softsign => "softsign",
            Self::LogSigmoid => "log_sigmoid",
            Self::HardSigmoid => "hard_sigmoid",
            Self::HardSwish => "hard_swish",
            Self::HardTanh => "hard_tanh",
            Self::Sine(_) => "sine",
            Self::Gaussian => "gaussian",
            Self::Exponential => "exponential",
            Self::Prelu => "prelu",
            Self::Softmax => "softmax",
            Self::LogSoftmax => "log_softmax",
        }
    }
}

/// The name, and in parentheses the parameter if there is one.
impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.parameter().map_or(Ok(()), |parameter| write!(f, "({parameter})"))
    }
}

/// ```
/// use wgrad::Activation;
///
/// assert_eq!("gelu".parse(), Ok(Activation::Gelu));
/// assert_eq!("leaky_relu".parse(), Ok(Activation::LeakyRelu(0.01)));
/// assert_eq!("leaky_relu(0.2)".parse(), Ok(Activation::LeakyRelu(0.2)));
/// assert!("swash".parse::<Activation>().is_err());
/// ```
impl FromStr for Activation {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) writes; without a number the default is taken.
    ///
    /// # Errors
    /// [`Error::Argument`] with the names there are, or what the number has to be.
    fn from_str(text: &str) -> Result<Self> {
        let unknown = || {
            let all = Self::ALL.iter().chain(&Self::MAPS);
            let names: Vec<_> = all.map(|activation| activation.name()).collect();
            let names = names.join(", ");
            Error::argument("an activation", format!("`{text}`"), format!("there are {names}"))
        };
        let (name, number) = match text.split_once('(') {
            None => (text, None),
            Some((name, rest)) => (name, Some(rest.strip_suffix(')').ok_or_else(unknown)?)),
        };
        let named = |activation: &&Self| activation.name() == name.trim();
        let activation = *Self::ALL.iter().chain(&Self::MAPS).find(named).ok_or_else(unknown)?;
        let Some(number) = number else { return Ok(activation) };
        let parameter = number.trim().parse().ok().filter(|_| activation.parameter().is_some());
        let parameter = parameter.ok_or_else(|| {
            let expected = match activation.parameter() {
                Some(_) => format!("`{name}` takes a number in parentheses"),
                None => format!("`{name}` has no parameter"),
            };
            Error::argument("an activation", format!("`{text}`"), expected)
        })?;
        let activation = activation.with_parameter(parameter);
        activation.check()?;
        Ok(activation)
    }
}
