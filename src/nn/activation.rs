//! Activation functions phi, elementwise between a layer's sum z and its output y = phi(z).
//!
//! A new one is a variant here, with its formulas, and its case in `shaders/activation.wgsl`; every
//! test finds it through [`Activation::ALL`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Real;

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// y = z; the default of an output layer.
    #[default]
    Identity,
    /// y = max(z, 0); y' = 1 for z > 0, else 0 (Nair and Hinton, 2010).
    Relu,
    /// y = tanh z; y' = 1 - y^2.
    Tanh,
    /// y = 1 / (1 + e^-z); y' = y (1 - y).
    Sigmoid,
}

/// What the derivative of an activation is computed from, and so what forward keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cache {
    /// phi' is constant.
    Nothing,
    /// phi' is a function of z.
    Input,
    /// phi' is a function of y = phi(z).
    Output,
}

impl Activation {
    /// Every activation, in the order of their codes in WGSL.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Relu, Self::Tanh, Self::Sigmoid];

    /// The name: `identity`, `relu`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
        }
    }

    /// The code in `shaders/activation.wgsl`.
    #[cfg(feature = "gpu")]
    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Identity => 0,
            Self::Relu => 1,
            Self::Tanh => 2,
            Self::Sigmoid => 3,
        }
    }

    /// What the derivative needs.
    #[must_use]
    pub const fn cache(self) -> Cache {
        match self {
            Self::Identity => Cache::Nothing,
            Self::Relu | Self::Tanh | Self::Sigmoid => Cache::Output,
        }
    }

    /// phi(z)
    #[inline(always)]
    pub fn value<T: Real>(self, z: T) -> T {
        let (zero, one) = (T::of(0.0), T::of(1.0));
        match self {
            Self::Identity => z,
            // Not max(): a NaN must pass through, so that divergence is seen.
            Self::Relu => {
                if z < zero {
                    zero
                } else {
                    z
                }
            }
            Self::Tanh => z.tanh(),
            Self::Sigmoid => {
                // exp of a negative argument only: no overflow at either end.
                let e = (-z.abs()).exp();
                let small = e / (one + e);
                if z < zero { small } else { one / (one + e) }
            }
        }
    }

    /// phi'(z), from what [`cache`](Self::cache) names: z itself, or y = phi(z).
    #[inline(always)]
    pub fn derivative<T: Real>(self, cached: T) -> T {
        let (zero, one) = (T::of(0.0), T::of(1.0));
        match self {
            Self::Identity => one,
            Self::Relu => {
                if cached > zero {
                    one
                } else {
                    zero
                }
            }
            Self::Tanh => one - cached * cached,
            Self::Sigmoid => cached * (one - cached),
        }
    }

    /// phi'(z) from z, whatever the cache.
    #[inline(always)]
    pub fn derivative_at<T: Real>(self, z: T) -> T {
        match self.cache() {
            Cache::Output => self.derivative(self.value(z)),
            Cache::Nothing | Cache::Input => self.derivative(z),
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Runs a loop body once for each activation, so that the choice is made outside of the loop.
macro_rules! for_each_activation {
    ($activation:expr, $phi:ident => $body:expr) => {
        match $activation {
            Activation::Identity => {
                let $phi = Activation::Identity;
                $body
            }
            Activation::Relu => {
                let $phi = Activation::Relu;
                $body
            }
            Activation::Tanh => {
                let $phi = Activation::Tanh;
                $body
            }
            Activation::Sigmoid => {
                let $phi = Activation::Sigmoid;
                $body
            }
        }
    };
}

impl Activation {
    /// xs = phi(xs)
    #[inline(always)]
    pub(crate) fn apply(self, xs: &mut [f32]) {
        for_each_activation!(self, phi => xs.iter_mut().for_each(|x| *x = phi.value(*x)));
    }

    /// out = phi(xs)
    #[inline(always)]
    pub(crate) fn apply_to(self, xs: &[f32], out: &mut [f32]) {
        for_each_activation!(self, phi => {
            out.iter_mut().zip(xs).for_each(|(y, &x)| *y = phi.value(x));
        });
    }

    /// out = phi'(xs)
    #[inline(always)]
    pub(crate) fn differentiate_to(self, xs: &[f32], out: &mut [f32]) {
        for_each_activation!(self, phi => {
            out.iter_mut().zip(xs).for_each(|(y, &x)| *y = phi.derivative_at(x));
        });
    }

    /// deltas *= phi', from what forward kept
    #[inline(always)]
    pub(crate) fn chain(self, cached: &[f32], deltas: &mut [f32]) {
        for_each_activation!(self, phi => {
            deltas.iter_mut().zip(cached).for_each(|(d, &c)| *d *= phi.derivative(c));
        });
    }
}
