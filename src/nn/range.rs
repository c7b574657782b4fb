//! Where the values of activations lie: what decides which losses may follow.

use super::Activation;

impl Activation {
    /// The least interval \[low, high\] that holds every value of the function.
    #[must_use]
    pub const fn range(self) -> [f64; 2] {
        const INFINITY: f64 = f64::INFINITY;
        match self {
            Self::Identity => [-INFINITY, INFINITY],
            Self::Relu => [0.0, INFINITY],
            Self::Tanh => [-1.0, 1.0],
            Self::Sigmoid => [0.0, 1.0],
        }
    }
}
