//! Reading and setting parameters by name.

use std::collections::BTreeMap;

use ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};

use super::Mlp;
use crate::error::{Error, Result};
use crate::nn::{Network, Parameter};
use crate::op::Shape;

/// Arrays by parameter name: (inputs, outputs) for a weight, (outputs) for a bias.
pub type Named = BTreeMap<String, ArrayD<f32>>;

impl Mlp {
    /// The names of the parameters, in order: `layers.0.weight`, `layers.0.bias`, ...
    #[must_use]
    pub fn parameter_names(&self) -> Vec<String> {
        self.network.parameters().into_iter().map(|parameter| parameter.name).collect()
    }

    /// A parameter: a weight of shape (inputs, outputs), a bias of shape (outputs).
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] with the names there are, and the device's.
    pub fn parameter(&self, name: &str) -> Result<ArrayD<f32>> {
        let parameter = self.find(name)?;
        let values = self.parameters.read_range(parameter.range())?;
        Ok(array(&parameter, values))
    }

    /// Every parameter, read in one go.
    ///
    /// # Errors
    /// The device's.
    pub fn parameters(&self) -> Result<Named> {
        Ok(named(&self.network, &self.parameters.read()?))
    }

    /// Replaces a parameter.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::Shape`] if `values` has another shape,
    /// [`Error::NonFinite`], and the device's.
    pub fn set_parameter<S: Data<Elem = f32>, D: Dimension>(
        &mut self,
        name: &str,
        values: &ArrayBase<S, D>,
    ) -> Result<()> {
        let parameter = self.find(name)?;
        let got = match values.shape() {
            [cols] => Shape::new(1, *cols),
            [rows, cols] => Shape::new(*rows, *cols),
            _ => Shape::new(0, 0),
        };
        if got != parameter.shape {
            let hint = "a parameter keeps its shape, the second";
            return Err(Error::Shape {
                op: "set_parameter",
                left: got,
                right: parameter.shape,
                hint,
            });
        }
        let values: Vec<f32> = values.iter().copied().collect();
        if let Some(at) = values.iter().position(|x| !x.is_finite()) {
            let (row, column) = (at / got.cols, at % got.cols);
            return Err(Error::NonFinite { what: "parameters", row, column, value: values[at] });
        }
        self.parameters.write(parameter.offset, &values)
    }

    fn find(&self, name: &str) -> Result<Parameter> {
        let list = self.network.parameters();
        let known = || list.iter().map(|parameter| parameter.name.clone()).collect();
        (list.iter().find(|parameter| parameter.name == name).cloned())
            .ok_or_else(|| Error::UnknownParameter { name: name.to_owned(), known: known() })
    }
}

/// The arrays of a flat buffer laid out as the network's parameters.
pub(crate) fn named(network: &Network, words: &[f32]) -> Named {
    let pair = |parameter: Parameter| {
        let values = words[parameter.range()].to_vec();
        let array = array(&parameter, values);
        (parameter.name, array)
    };
    network.parameters().into_iter().map(pair).collect()
}

fn array(parameter: &Parameter, values: Vec<f32>) -> ArrayD<f32> {
    let mut values = values.into_iter();
    ArrayD::from_shape_simple_fn(IxDyn(&parameter.array_shape()), || {
        values.next().unwrap_or_default()
    })
}
