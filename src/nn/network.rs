//! A network as data: its layers, and where each parameter lies in the one flat buffer.

use serde::{Deserialize, Serialize};

use super::{Activation, Cache};
use crate::op::{Shape, View};

/// Parameters begin at multiples of this many words: a cache line, a vector register, and the
/// alignment of WGSL's vec4. The words between are zero and stay zero.
const PARAMETER_ALIGNMENT: usize = 16;

/// A dense layer: y = phi(x . W + b), with W of shape (inputs, outputs).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The width of x.
    pub inputs: usize,
    /// The width of y.
    pub outputs: usize,
    /// Whether there is a bias b.
    pub bias: bool,
    /// The function phi.
    pub activation: Activation,
    /// The probability with which each output is set to 0 in training, while the others are divided
    /// by 1 minus it (Srivastava et al., 2014); predictions drop nothing.
    #[serde(default)]
    pub dropout: f32,
}

impl Layer {
    /// Whether z is kept beside y: for the derivative, or for a map that is computed from it.
    pub(crate) fn keeps_pre(&self) -> bool {
        !self.activation.is_elementwise() || self.activation.cache() == Cache::Input
    }
}

/// What a parameter is in its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// W in x . W + b.
    Weight,
    /// b.
    Bias,
    /// The slope of [`Activation::Prelu`] below 0.
    Slope,
}

impl ParameterKind {
    /// What a parameter's name ends with.
    const fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Bias => "bias",
            Self::Slope => "slope",
        }
    }
}

/// A named range of the flat parameter buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `layers.0.weight`, `layers.0.bias`, ...
    pub name: String,
    /// What it is in its layer.
    pub kind: ParameterKind,
    /// (inputs, outputs) of a weight, (1, outputs) of a bias, (1, 1) of a slope.
    pub shape: Shape,
    /// The first word in the flat buffer.
    pub offset: usize,
    /// The layer it belongs to.
    pub layer: usize,
}

impl Parameter {
    /// Whether it is a bias and not a weight.
    #[must_use]
    pub fn is_bias(&self) -> bool {
        self.kind == ParameterKind::Bias
    }

    /// Whether it is a weight.
    #[must_use]
    pub fn is_weight(&self) -> bool {
        self.kind == ParameterKind::Weight
    }

    /// The words of the flat buffer that it takes.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.shape.len()
    }

    /// The shape of the array that it is for users: (inputs, outputs) of a weight, (outputs) of a
    /// bias, (1) of a slope.
    #[must_use]
    pub fn array_shape(&self) -> Vec<usize> {
        let Shape { rows, cols } = self.shape;
        if self.is_weight() { vec![rows, cols] } else { vec![cols] }
    }

    /// The parameter in the given buffer.
    #[must_use]
    pub fn view(&self, buffer: usize) -> View {
        View { buffer, offset: self.offset, shape: self.shape }
    }
}

/// Layers, each as wide as the next one's input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    layers: Vec<Layer>,
    #[serde(default)]
    input: InputNoise,
}

/// What is done to the network's inputs in training.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct InputNoise {
    /// The probability with which an input is set to 0.
    pub(crate) dropout: f32,
    /// The standard deviation of what is added to each input.
    pub(crate) deviation: f32,
}

impl Network {
    /// A network of the given layers; the builder has checked that they fit each other.
    pub(crate) fn new(layers: Vec<Layer>, input: InputNoise) -> Self {
        Self { layers, input }
    }

    /// The probability with which each input is set to 0 in training.
    #[must_use]
    pub fn input_dropout(&self) -> f32 {
        self.input.dropout
    }

    /// The standard deviation of the normal noise that is added to each input in training.
    #[must_use]
    pub fn input_noise(&self) -> f32 {
        self.input.deviation
    }

    /// The layers, first to last.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The width of the input.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// The width of the output.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Every parameter, in the order of the flat buffer: weight, bias, slope, layer by layer.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut offset = 0;
        let mut list = Vec::with_capacity(2 * self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let weight = Shape::new(layer.inputs, layer.outputs);
            let bias = layer.bias.then_some((ParameterKind::Bias, Shape::new(1, layer.outputs)));
            let slope = (layer.activation == Activation::Prelu)
                .then_some((ParameterKind::Slope, Shape::new(1, 1)));
            let first = [(ParameterKind::Weight, weight)];
            for (kind, shape) in first.into_iter().chain(bias).chain(slope) {
                list.push(Parameter {
                    name: format!("layers.{index}.{}", kind.name()),
                    kind,
                    shape,
                    offset,
                    layer: index,
                });
                offset += shape.len().next_multiple_of(PARAMETER_ALIGNMENT);
            }
        }
        list
    }

    /// The words of the flat parameter buffer, padding included.
    #[must_use]
    pub fn parameter_words(&self) -> usize {
        let padded = |parameter: &Parameter| {
            parameter.offset + parameter.shape.len().next_multiple_of(PARAMETER_ALIGNMENT)
        };
        self.parameters().last().map_or(0, padded)
    }

    /// The number of trained numbers.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|parameter| parameter.shape.len()).sum()
    }
}
