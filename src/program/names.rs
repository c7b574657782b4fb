//! The names of the buffers that a step works on.
//!
//! The parts of the data are `features.N`, `targets.N` and `weights.N`. Each layer has an `output.N`
//! and a `delta.N`, dL/dz; if its derivative or its map needs it a `pre.N`, z; with dropout a
//! `dropped.N`; and if it is not an elementwise function of z, dL/dy as `output_delta.N` and numbers
//! on the way as `map.N.NAME`. What steps keep is `kept.NAME`. Programs that trace have buffers of
//! their own for all of this but parameters, data and row order.

/// The network's parameters, flat.
pub const PARAMETERS: &str = "parameters";
/// The gradients of the last step, laid out as the parameters.
pub const GRADIENTS: &str = "gradients";
/// The optimizer's first moment, laid out as the parameters.
pub const FIRST_MOMENT: &str = "first_moment";
/// The optimizer's second moment, laid out as the parameters.
pub const SECOND_MOMENT: &str = "second_moment";
/// The optimizer's third moment, laid out as the parameters.
pub const THIRD_MOMENT: &str = "third_moment";
/// The moments, in order.
pub const MOMENTS: [&str; 3] = [FIRST_MOMENT, SECOND_MOMENT, THIRD_MOMENT];
/// What steps keep of a parameter or a gradient, one row a step: this and its name.
pub const KEPT: &str = "kept.";
/// What the name of a parameter's gradient ends with: PyTorch's `.grad`.
pub const GRADIENT: &str = ".grad";
/// The moving average of the parameters, laid out as they are.
pub const AVERAGE: &str = "average";
/// Norms on their way to where they limit something.
pub const LIMITED_NORMS: &str = "limited_norms";
/// The norms that an optimizer scales its steps by: of each weight and bias, and of its
/// direction.
pub const NORMS: &str = "norms";
/// The row order of one or more epochs, u32.
pub const ORDER: &str = "order";
/// The loss of every step, by slot.
pub const LOSSES: &str = "losses";
/// The loss of every row of the last minibatch.
pub const ROW_LOSSES: &str = "row_losses";
/// What the rows of the data count, in parts, where not each counts once.
pub const WEIGHTS: &str = "weights";
/// The features, in parts.
pub const FEATURES: &str = "features";
/// The targets, in parts.
pub const TARGETS: &str = "targets";
/// What the minibatch's rows count, brought to a mean of 1.
pub const ROW_WEIGHTS: &str = "row_weights";
/// What positive targets count against negative ones, by output.
pub const POSITIVE_WEIGHTS: &str = "positive_weights";
/// The minibatch's weights, where the data's are in parts.
pub const WEIGHT: &str = "weight";
/// The minibatch, where it has to be gathered first: the features are in parts, or change.
pub const INPUT: &str = "input";
/// What comes to the network's outputs, for gradients with respect to its inputs.
pub const UPSTREAM: &str = "upstream";
/// The gradient with respect to the network's inputs.
pub const INPUT_GRADIENT: &str = "input_gradient";
/// The minibatch's targets, likewise.
pub const TARGET: &str = "target";
/// What a prediction leaves: one row for each row of the features.
pub const PREDICTIONS: &str = "predictions";
/// The statistics of a traced minibatch; see [`Statistic`](super::Statistic).
pub const STATISTICS: &str = "statistics";
/// The histograms of a traced minibatch, u32.
pub const COUNTS: &str = "counts";

/// Whether a buffer holds what one layer hands on to another, which is nobody else's: an activation or a
/// delta.
#[must_use]
pub fn is_passed_on(name: &str) -> bool {
    name.split_once('.').is_some_and(|(prefix, _)| ["output", "delta"].contains(&prefix))
}

/// Whether a buffer holds what layers hand on to each other, or what one keeps for its own backward pass.
#[must_use]
pub(crate) fn is_between_layers(name: &str) -> bool {
    is_passed_on(name) || name.starts_with("pre.")
}

/// Whether a buffer holds a part of the data: features, targets or weights of rows.
pub(crate) fn is_data(name: &str) -> bool {
    let prefixes = [FEATURES, TARGETS, WEIGHTS];
    name.split_once('.').is_some_and(|(prefix, _)| prefixes.contains(&prefix))
}
