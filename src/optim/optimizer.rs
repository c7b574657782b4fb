//! The optimizers as one type.

use serde::{Deserialize, Serialize};

use super::pace::Pace;
use super::rule::{At, Domain, Rule};
use super::{Adadelta, Adagrad, Adam, AdamW, Adamax, Lamb, Lion, NAdam, RAdam, RmsProp, Sgd};
use crate::error::Result;

/// The enum of all rules, and what is asked of each; a code is that of `shaders/update_rules.wgsl`.
macro_rules! optimizers {
    ($($(#[$doc:meta])* $rule:ident $name:literal $code:literal;)*) => {
        /// An update rule with its settings.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Optimizer {
            $($(#[$doc])* #[serde(rename = $name)] $rule($rule),)*
        }

        $(impl From<$rule> for Optimizer {
            fn from(rule: $rule) -> Self {
                Self::$rule(rule)
            }
        })*

        impl Optimizer {
            /// Every optimizer with its defaults.
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$(Self::$rule($rule::default())),*]
            }

            /// The name: `sgd`, `adam`, ...
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$rule(_) => $name,)*
                }
            }

            /// The code in `shaders/update_rules.wgsl`.
            #[cfg(feature = "gpu")]
            pub(crate) const fn code(&self) -> u32 {
                match self {
                    $(Self::$rule(_) => $code,)*
                }
            }

            /// The learning rate before any schedule.
            #[must_use]
            pub fn learning_rate(&self) -> f64 {
                match self {
                    $(Self::$rule(rule) => rule.learning_rate(),)*
                }
            }

            /// The momentum, or what takes its place (beta1), before any schedule; 0 where there is
            /// none.
            #[must_use]
            pub fn momentum(&self) -> f64 {
                match self {
                    $(Self::$rule(rule) => rule.momentum(),)*
                }
            }

            /// How many numbers of state there are for each parameter, 0 to 3.
            #[must_use]
            pub fn moments(&self) -> usize {
                match self {
                    $(Self::$rule(rule) => rule.moments(),)*
                }
            }

            /// The same without weight decay.
            #[must_use]
            pub fn without_weight_decay(&self) -> Self {
                match self {
                    $(Self::$rule(rule) => Self::$rule(rule.without_weight_decay()),)*
                }
            }

            /// Which of two forms the rule has, where the number of moments does not say.
            pub(crate) fn variant(&self) -> u32 {
                match self {
                    $(Self::$rule(rule) => rule.variant(),)*
                }
            }

            /// The numbers that never change: weight decay and up to two more.
            pub(crate) fn constants(&self) -> [f32; 3] {
                match self {
                    $(Self::$rule(rule) => rule.constants(),)*
                }
                .map(|x| x as f32)
            }

            pub(super) fn shrinkage(&self, step: u64, momentum: f64) -> f64 {
                match self {
                    $(Self::$rule(rule) => rule.shrinkage(step, momentum),)*
                }
            }

            pub(super) fn coefficients_at(&self, at: &At) -> [f32; 8] {
                match self {
                    $(Self::$rule(rule) => rule.coefficients(at),)*
                }
                .map(|x| x as f32)
            }

            fn domains(&self) -> Vec<Domain> {
                match self {
                    $(Self::$rule(rule) => rule.domains(),)*
                }
            }

            /// Moves the parameters: the formula of the rule, element by element.
            ///
            /// All slices are equally long; a moment that the rule does not have is empty.
            #[inline(always)]
            pub(crate) fn update(
                &self,
                coefficients: &[f32; 8],
                parameters: &mut [f32],
                gradients: &[f32],
                moments: [&mut [f32]; 3],
            ) {
                match self {
                    $(Self::$rule(rule) => {
                        rule.update(coefficients, parameters, gradients, moments);
                    })*
                }
            }
        }
    };
}

optimizers! {
    /// Stochastic gradient descent.
    Sgd "sgd" 0;
    /// Adam.
    Adam "adam" 1;
    /// Adam with decoupled weight decay.
    AdamW "adamw" 2;
    /// Adam with Nesterov's momentum.
    NAdam "nadam" 3;
    /// Rectified Adam.
    RAdam "radam" 4;
    /// Adam with the infinity norm.
    Adamax "adamax" 5;
    /// RMSprop.
    RmsProp "rmsprop" 6;
    /// Adagrad.
    Adagrad "adagrad" 7;
    /// Adadelta.
    Adadelta "adadelta" 8;
    /// Lion.
    Lion "lion" 9;
    /// LAMB.
    Lamb "lamb" 10;
}

impl Optimizer {
    /// The numbers that change from step to step, as [`StepArgs`](crate::op::StepArgs) takes them;
    /// `step` counts from 1.
    ///
    /// The first two are proportional to the learning rate, the others do not depend on it. The
    /// momentum is the optimizer's own.
    #[must_use]
    pub fn coefficients(&self, step: u64, learning_rate: f64) -> [f32; 8] {
        Pace::after(step.saturating_sub(1), self, |_| None).next(self, learning_rate, None)
    }

    /// The coefficients for parameters whose learning rate is `factor` times the step's.
    pub(crate) fn scaled(coefficients: &[f32; 8], factor: f32) -> [f32; 8] {
        let mut scaled = *coefficients;
        scaled[0] *= factor;
        scaled[1] *= factor;
        scaled
    }

    /// Whether this rule differs from another at most in the coefficients of its steps.
    pub(crate) fn is_alike(&self, other: &Self) -> bool {
        let form = |rule: &Self| (rule.moments(), rule.variant(), rule.constants());
        std::mem::discriminant(self) == std::mem::discriminant(other) && form(self) == form(other)
    }

    /// Whether the rule needs the norm of each parameter, and so more instructions than one.
    #[must_use]
    pub const fn needs_norms(&self) -> bool {
        matches!(self, Self::Lamb(_))
    }

    /// Whether the coefficients depend on all steps before.
    pub(super) fn has_product(&self) -> bool {
        matches!(self, Self::NAdam(_))
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) with the first that is not in its domain.
    pub fn check(&self) -> Result<()> {
        Domain::not_negative("the learning rate", self.learning_rate()).check()?;
        self.domains().iter().try_for_each(Domain::check)
    }
}
