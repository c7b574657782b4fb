//! Describing a network layer by layer.

use super::Mlp;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::nn::{Activation, Init, InputNoise, Layer, Network, Parameter, ParameterKind};
use crate::op::Shape;

/// A dense layer to be added to a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    width: usize,
    activation: Activation,
    bias: Option<bool>,
    weight_init: Option<Init>,
    bias_init: Option<Init>,
    dropout: Option<f32>,
    slope: f32,
}

/// The slope of prelu below 0 before training: PyTorch's.
const SLOPE: f32 = 0.25;

impl Dense {
    /// A layer of `width` outputs with the activation phi; the rest as the network has it.
    #[must_use]
    pub fn new(width: usize, activation: Activation) -> Self {
        Self {
            width,
            activation,
            bias: None,
            weight_init: None,
            bias_init: None,
            dropout: None,
            slope: SLOPE,
        }
    }

    /// Whether this layer has a bias.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        Self { bias: Some(bias), ..self }
    }

    /// The initial weights of this layer.
    #[must_use]
    pub fn weight_init(self, init: Init) -> Self {
        Self { weight_init: Some(init), ..self }
    }

    /// The initial bias of this layer.
    #[must_use]
    pub fn bias_init(self, init: Init) -> Self {
        Self { bias_init: Some(init), ..self }
    }

    /// The initial slope of [`Activation::Prelu`] below 0; default 0.25.
    #[must_use]
    pub fn slope(self, slope: f32) -> Self {
        Self { slope, ..self }
    }

    /// The probability with which each output of this layer is dropped in training; see
    /// [`Layer::dropout`].
    #[must_use]
    pub fn dropout(self, rate: f32) -> Self {
        Self { dropout: Some(rate), ..self }
    }
}

/// A network that is being described.
#[derive(Debug, Clone)]
pub struct MlpBuilder {
    inputs: usize,
    layers: Vec<Dense>,
    bias: bool,
    weight_init: Init,
    bias_init: Init,
    seed: u64,
    dropout: f32,
    input: InputNoise,
}

impl MlpBuilder {
    pub(super) fn new(inputs: usize) -> Self {
        Self {
            inputs,
            layers: Vec::new(),
            bias: true,
            weight_init: Init::Default,
            bias_init: Init::Default,
            seed: 0,
            dropout: 0.0,
            input: InputNoise::default(),
        }
    }

    /// Adds a layer of `width` units with an activation.
    #[must_use]
    pub fn hidden(self, width: usize, activation: Activation) -> Self {
        self.layer(Dense::new(width, activation))
    }

    /// Adds a layer of `width` units without an activation: the usual last one.
    #[must_use]
    pub fn output(self, width: usize) -> Self {
        self.layer(Dense::new(width, Activation::Identity))
    }

    /// Adds a layer that may have a bias or initial values unlike the others.
    #[must_use]
    pub fn layer(mut self, layer: Dense) -> Self {
        self.layers.push(layer);
        self
    }

    /// Whether layers have biases; default true.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        Self { bias, ..self }
    }

    /// The initial weights; default [`Init::Default`].
    #[must_use]
    pub fn weight_init(self, init: Init) -> Self {
        Self { weight_init: init, ..self }
    }

    /// The initial biases; default [`Init::Default`].
    #[must_use]
    pub fn bias_init(self, init: Init) -> Self {
        Self { bias_init: init, ..self }
    }

    /// The seed of the initial parameters; default 0. The same on every device.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The probability with which each output of a hidden layer is dropped in training; default 0.
    /// The last layer drops nothing.
    ///
    /// The masks depend on the trainer's seed, the layer and the step alone: they are equal on
    /// every device.
    #[must_use]
    pub fn dropout(self, rate: f32) -> Self {
        Self { dropout: rate, ..self }
    }

    /// The probability with which each input is dropped in training; default 0.
    #[must_use]
    pub fn input_dropout(self, rate: f32) -> Self {
        Self { input: InputNoise { dropout: rate, ..self.input }, ..self }
    }

    /// The standard deviation of the normal noise that is added to each input in training; default
    /// 0. Drawn anew in every step.
    #[must_use]
    pub fn input_noise(self, deviation: f32) -> Self {
        Self { input: InputNoise { deviation, ..self.input }, ..self }
    }

    /// Draws the initial parameters and puts the network on a device.
    ///
    /// # Errors
    /// [`Error::Argument`] for a width of 0, no layer, an activation's parameter out of range, an
    /// initial value that is not finite, or dropout or noise outside its domain or after the last
    /// layer;
    /// [`Error::Shape`] for an explicit array that does not fit its parameter, [`Error::TooLarge`]
    /// for more parameters than a buffer holds, and the device's.
    pub fn build(self, device: &Device) -> Result<Mlp> {
        let network = self.network()?;
        let mut words = zeros(&network, device)?;
        for (index, parameter) in network.parameters().iter().enumerate() {
            let init = self.init_of(parameter);
            check_init(&init, parameter)?;
            let layer = network.layers()[parameter.layer];
            let layer = Shape::new(layer.inputs, layer.outputs);
            let values = &mut words[parameter.range()];
            init.draw(self.seed, index as u64, parameter.shape, layer, values);
        }
        Mlp::new(device, network, words)
    }

    fn network(&self) -> Result<Network> {
        let wide = |what, width: usize| match width {
            0 => Err(Error::argument(what, 0, "a layer needs at least one unit")),
            _ => Ok(width),
        };
        let mut inputs = wide("the network's number of inputs", self.inputs)?;
        let mut layers = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            let outputs = wide("a layer's width", layer.width)?;
            layer.activation.check()?;
            let bias = layer.bias.unwrap_or(self.bias);
            let last = i + 1 == self.layers.len();
            let dropout = layer.dropout.unwrap_or(if last { 0.0 } else { self.dropout });
            check_dropout(dropout, last)?;
            layers.push(Layer { inputs, outputs, bias, activation: layer.activation, dropout });
            inputs = outputs;
        }
        if layers.is_empty() {
            let expected = "add at least an output layer with `.output(width)`";
            return Err(Error::argument("the number of layers", 0, expected));
        }
        check_dropout(self.input.dropout, false)?;
        let deviation = self.input.deviation;
        if !(deviation.is_finite() && deviation >= 0.0) {
            let expected = "a standard deviation is finite and at least 0";
            return Err(Error::argument("the noise on the inputs", deviation, expected));
        }
        Ok(Network::new(layers, self.input))
    }

    fn init_of(&self, parameter: &Parameter) -> Init {
        let layer = &self.layers[parameter.layer];
        let of_layer = match parameter.kind {
            ParameterKind::Weight => layer.weight_init.as_ref().unwrap_or(&self.weight_init),
            ParameterKind::Bias => layer.bias_init.as_ref().unwrap_or(&self.bias_init),
            ParameterKind::Slope => return Init::Constant(layer.slope),
        };
        of_layer.clone()
    }
}

fn check_dropout(rate: f32, last: bool) -> Result<()> {
    if !(0.0..1.0).contains(&rate) {
        let expected = "a probability of dropping is at least 0 and below 1";
        return Err(Error::argument("a dropout rate", rate, expected));
    }
    if last && rate > 0.0 {
        let expected = "the last layer's output is the network's, so nothing of it can be dropped";
        return Err(Error::argument("the last layer's dropout rate", rate, expected));
    }
    Ok(())
}

/// Zeros for every parameter, if there can be as many.
fn zeros(network: &Network, device: &Device) -> Result<Vec<f32>> {
    // In u128: a product of two widths can leave usize.
    let weights = |layer: &Layer| layer.inputs as u128 * layer.outputs as u128;
    let count = network.layers().iter().map(weights).fold(0, u128::saturating_add);
    if count > device.max_words() as u128 {
        return Err(Error::TooLarge {
            what: "the parameter buffer".into(),
            bytes: u64::try_from(count.saturating_mul(4)).unwrap_or(u64::MAX),
            limit: device.info().limits.max_binding_bytes,
            device: device.to_string(),
            hint: "use narrower layers",
        });
    }
    let (mut zeros, count) = (Vec::new(), network.parameter_words());
    zeros.try_reserve_exact(count).map_err(|reason| Error::Device {
        operation: "Mlp::builder",
        device: device.to_string(),
        reason: format!("{count} parameters: {reason}"),
    })?;
    zeros.resize(count, 0.0);
    Ok(zeros)
}

fn check_init(init: &Init, parameter: &Parameter) -> Result<()> {
    if let Init::Array(values) = init {
        let got = Shape::new(values.nrows(), values.ncols());
        if got != parameter.shape {
            let (left, right) = (got, parameter.shape);
            let hint = "initial values need the parameter's shape, the second";
            return Err(Error::Shape { op: "Mlp::builder", left, right, hint });
        }
    }
    match init.fault() {
        None => Ok(()),
        Some((value, expected)) => {
            let expected = format!("`{}`: {expected}", parameter.name);
            Err(Error::argument("an initial value", value, expected))
        }
    }
}
