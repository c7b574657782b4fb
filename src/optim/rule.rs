//! What every update rule answers.

use crate::error::{Error, Result};

/// What is known of a step on the host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    /// The step, counted from 1.
    pub(crate) step: u64,
    /// The learning rate of the step.
    pub(crate) rate: f64,
    /// The momentum (or beta1) of the step: the rule's own, or a schedule's.
    pub(crate) momentum: f64,
    /// The product of [`Rule::shrinkage`] of this and all steps before.
    pub(crate) product: f64,
}

impl At {
    /// 1 - decay^t, the part of a running mean that is known by now.
    pub(crate) fn correction(&self, decay: f64) -> f64 {
        1.0 - decay.powf(self.step as f64)
    }

    /// 1 / sqrt(1 - decay^t), what the root of a running mean of squares is multiplied with.
    pub(crate) fn root_correction(&self, decay: f64) -> f64 {
        1.0 / self.correction(decay).sqrt()
    }
}

/// An update rule.
pub(crate) trait Rule {
    /// The learning rate before any schedule.
    fn learning_rate(&self) -> f64;

    /// The momentum, or what takes its place (beta1), before any schedule; 0 where there is none.
    fn momentum(&self) -> f64 {
        0.0
    }

    /// The factor of a running product that the rule needs; see [`At::product`].
    fn shrinkage(&self, _step: u64, _momentum: f64) -> f64 {
        1.0
    }

    /// How many numbers of state there are for each parameter, 0 to 3.
    fn moments(&self) -> usize;

    /// Which of two forms the rule has, where the number of moments does not say.
    fn variant(&self) -> u32 {
        0
    }

    /// What changes from step to step. The first two numbers are proportional to the learning rate,
    /// the others do not depend on it.
    fn coefficients(&self, at: &At) -> [f64; 8];

    /// What never changes: the weight decay and up to two more.
    fn constants(&self) -> [f64; 3];

    /// Moves the parameters; see `Optimizer::update`.
    fn update(
        &self,
        coefficients: &[f32; 8],
        parameters: &mut [f32],
        gradients: &[f32],
        moments: [&mut [f32]; 3],
    );

    /// The same rule without weight decay.
    fn without_weight_decay(&self) -> Self;

    /// The domains of its settings.
    fn domains(&self) -> Vec<Domain>;
}

/// Moves the running means of gradients, m, and of their squares, v, by the shares of a gradient.
#[inline(always)]
pub(super) fn move_means(m: &mut f32, v: &mut f32, g: f32, [share, square_share]: [f32; 2]) {
    *m += share * (g - *m);
    *v += square_share * (g * g - *v);
}

/// A setting and what it has to be.
pub(crate) struct Domain {
    what: &'static str,
    value: f64,
    fits: bool,
    expected: &'static str,
}

impl Domain {
    /// A finite number, at least 0.
    pub(crate) fn not_negative(what: &'static str, value: f64) -> Self {
        let fits = value.is_finite() && value >= 0.0;
        Self { what, value, fits, expected: "a finite number, at least 0" }
    }

    /// A number from 0 to 1.
    pub(crate) fn share(what: &'static str, value: f64) -> Self {
        let fits = (0.0..=1.0).contains(&value);
        Self { what, value, fits, expected: "a number from 0 to 1" }
    }

    /// A number from 0 to less than 1, so that a running mean moves.
    pub(crate) fn decay(what: &'static str, value: f64) -> Self {
        let fits = (0.0..1.0).contains(&value);
        Self { what, value, fits, expected: "a number from 0 to less than 1" }
    }

    /// A positive number in f32: where a gradient is 0, a quotient with 0 would be no number.
    pub(crate) fn epsilon(value: f64) -> Self {
        let fits = value.is_finite() && value as f32 >= f32::MIN_POSITIVE;
        Self { what: "epsilon", value, fits, expected: "a finite number, at least 1.2e-38" }
    }

    /// The settings that Adam and its kin share.
    pub(crate) fn adam([beta1, beta2]: [f64; 2], epsilon: f64, weight_decay: f64) -> Vec<Self> {
        vec![
            Self::decay("beta1", beta1),
            Self::decay("beta2", beta2),
            Self::epsilon(epsilon),
            Self::not_negative("weight decay", weight_decay),
        ]
    }

    /// Whether something holds that the others do not say.
    pub(crate) fn that(fits: bool, what: &'static str, value: f64, expected: &'static str) -> Self {
        Self { what, value, fits, expected }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.fits { Ok(()) } else { Err(Error::argument(self.what, self.value, self.expected)) }
    }
}

/// `new` and a method for each setting that is a number.
macro_rules! settings {
    ($rule:ident { $($field:ident),* $(,)? }) => {
        impl $rule {
            /// The defaults with this learning rate.
            #[must_use]
            pub fn new(learning_rate: f64) -> Self {
                Self { learning_rate, ..Self::default() }
            }

            $(
                #[doc = concat!("The same with this `", stringify!($field), "`.")]
                #[must_use]
                pub fn $field(self, $field: f64) -> Self {
                    Self { $field, ..self }
                }
            )*
        }
    };
}
