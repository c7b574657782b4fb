//! Where the values of activations lie: what decides which losses may follow.

use super::Activation;

impl Activation {
    /// The least interval \[low, high\] that holds every value of the function; ends that only
    /// rounded numbers are known of are a little outside.
    #[must_use]
    pub fn range(self) -> [f64; 2] {
        const INFINITY: f64 = f64::INFINITY;
        match self {
            Self::Identity | Self::Prelu => [-INFINITY, INFINITY],
            Self::LeakyRelu(0.0) | Self::Relu | Self::Softplus(_) | Self::Exponential => {
                [0.0, INFINITY]
            }
            Self::LeakyRelu(_) => [-INFINITY, INFINITY],
            Self::Relu6 => [0.0, 6.0],
            Self::Elu(alpha) | Self::Celu(alpha) => [-f64::from(alpha), INFINITY],
            Self::Selu => [-1.758_100, INFINITY],
            Self::Gelu => [-0.169_972, INFINITY],
            Self::GeluTanh => [-0.170_041, INFINITY],
            Self::Silu => [-0.278_465, INFINITY],
            Self::Mish => [-0.308_844, INFINITY],
            Self::HardSwish => [-0.375, INFINITY],
            Self::LogSigmoid | Self::LogSoftmax => [-INFINITY, 0.0],
            Self::Tanh | Self::Softsign | Self::HardTanh | Self::Sine(_) => [-1.0, 1.0],
            Self::Sigmoid | Self::HardSigmoid | Self::Gaussian | Self::Softmax => [0.0, 1.0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Activation;

    #[test]
    fn ranges_hold_every_value_and_are_reached() {
        for activation in Activation::ALL {
            let [low, high] = activation.range();
            let values = (-4_000_000..=4_000_000).map(|i| activation.value(f64::from(i) * 1e-5));
            let (mut least, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
            for y in values {
                (least, largest) = (least.min(y), largest.max(y));
            }
            assert!(low <= least && largest <= high, "{activation}: {least} to {largest}");
            // An end that is not infinite is approached by z within 40.
            assert!(low.is_infinite() || least - low < 0.03, "{activation}: {least} for {low}");
            assert!(high.is_infinite() || high - largest < 0.03, "{activation}: {largest}");
        }
    }
}
