//! The gradients that a device computes, held to central differences in f64 on the host.

mod report;

pub use report::{GradientReport, ParameterCheck};

use self::report::Entry;
use super::objective::{Objective, Weights};
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::mlp::Mlp;
use crate::nn::{Network, Parameter, Target, forward};

/// How gradients are checked.
///
/// For each entry the loss is computed twice in f64, which takes a forward pass over all rows each:
/// a few hundred rows are plenty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientCheck {
    /// The most entries of each parameter that are checked, spread over it; default 64.
    pub entries: usize,
    /// The step h of the differences (L(p + h) - L(p - h)) / (2 h); default 1e-6, where they err by
    /// about 1e-10 of the loss. A kink of relu, say, that lies within a step of a row's
    /// pre-activation makes a difference wrong and not the gradient.
    pub step: f64,
}

impl Default for GradientCheck {
    fn default() -> Self {
        Self { entries: 64, step: 1e-6 }
    }
}

impl Trainer {
    /// Compares the gradients that the network's device computes, for all rows of `data` as one
    /// batch, with central differences of the loss in f64, with [`GradientCheck`]'s defaults.
    ///
    /// For any network, loss, reduction and weights. No parameter moves.
    ///
    /// ```
    /// use ndarray::array;
    /// use wgrad::{Activation, Adam, Dataset, Device, Loss, Mlp, Trainer};
    ///
    /// let x = array![[0.0f32, 0.3], [0.1, 1.0], [1.0, -0.2]];
    /// let data = Dataset::classification(&x, [0, 1, 2])?;
    /// let mlp = Mlp::builder(2).hidden(5, Activation::Tanh).output(3).build(&Device::cpu())?;
    ///
    /// let report = Trainer::new(Loss::CrossEntropy, Adam::default()).check_gradients(&mlp, &data)?;
    /// assert!(report.passes(1e-4), "{report}");
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`gradients`](Self::gradients).
    pub fn check_gradients(&self, mlp: &Mlp, data: &Dataset) -> Result<GradientReport> {
        self.check_gradients_with(mlp, data, GradientCheck::default())
    }

    /// [`check_gradients`](Self::check_gradients) with settings.
    ///
    /// # Errors
    /// Those of [`gradients`](Self::gradients), and [`Error::Argument`] for no entries or a step
    /// that is not finite and above 0.
    pub fn check_gradients_with(
        &self,
        mlp: &Mlp,
        data: &Dataset,
        check: GradientCheck,
    ) -> Result<GradientReport> {
        let GradientCheck { entries, step } = check;
        if entries == 0 {
            let expected = "at least one entry of each parameter has to be checked";
            return Err(Error::argument("the entries of a gradient check", entries, expected));
        }
        if !(step.is_finite() && step > 0.0) {
            let expected = "it has to be finite and above 0";
            return Err(Error::argument("the step of a gradient check", step, expected));
        }
        let gradients = self.gradients(mlp, data)?;
        let mut host = Host::new(Objective::of(&self.settings), mlp, data)?;
        let loss = host.loss();
        let mut parameters = Vec::new();
        for parameter in mlp.network().parameters() {
            let device = gradients.by_name.get(&parameter.name).into_iter().flatten();
            let device: Vec<f64> = device.map(|&gradient| f64::from(gradient)).collect();
            let places = spread(parameter.shape.len(), entries).into_iter();
            let entries = places.map(|place| Entry {
                place,
                device: device[place],
                expected: host.difference(&parameter, place, step),
            });
            let entries = entries.collect();
            parameters.push((parameter, entries));
        }
        Ok(GradientReport::new(&parameters, [gradients.loss, loss]))
    }
}

/// At most `most` of the places 0 to `len` - 1, in order.
///
/// Multiples of the golden ratio, modulo 1, fall into step with no row length.
fn spread(len: usize, most: usize) -> Vec<usize> {
    if len <= most {
        return (0..len).collect();
    }
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let place = |k: usize| ((k as f64 * ratio).fract() * len as f64) as usize;
    let mut places: Vec<usize> = (0..most).map(|k| place(k).min(len - 1)).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The objective in f64, as a function of the parameters.
struct Host<'a> {
    objective: Objective<'a>,
    network: &'a Network,
    data: &'a Dataset,
    weights: Option<Weights>,
    positive: Option<Vec<f64>>,
    parameters: Vec<f64>,
}

impl<'a> Host<'a> {
    fn new(objective: Objective<'a>, mlp: &'a Mlp, data: &'a Dataset) -> Result<Self> {
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect();
        Ok(Self {
            objective,
            network: mlp.network(),
            data,
            weights: objective.weights(data, mlp.network().outputs())?,
            positive: objective.positive_weights.map(wide),
            parameters: wide(&mlp.buffer().read::<f32>()?),
        })
    }

    /// The loss of all rows.
    fn loss(&self) -> f64 {
        let Objective { loss, reduction, .. } = self.objective;
        let (mut gradient, outputs) = (vec![0.0; self.network.outputs()], self.network.outputs());
        let (mut sum, mut shares) = (0.0, 0.0);
        for (row, x) in self.data.features().rows().into_iter().enumerate() {
            let [factor, share] = self.weights.as_ref().map_or([1.0; 2], |all| all.of(row));
            shares += share;
            if factor == 0.0 {
                continue;
            }
            let x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
            let y = forward(self.network, &self.parameters, &x);
            let values: Vec<f64>;
            let target = match (self.data.labels(), self.data.values()) {
                (Some(labels), _) => Target::Label(labels[row] as usize),
                (_, found) => {
                    values =
                        found.iter().flat_map(|all| all.row(row).to_vec()).map(f64::from).collect();
                    Target::Values(&values)
                }
            };
            sum += factor * loss.row(&y, target, self.positive.as_deref(), &mut gradient);
        }
        let rows = self.data.len();
        let mean = if reduction.is_mean() { rows as f64 / shares } else { 1.0 };
        sum * mean * reduction.scale(loss, rows, outputs)
    }

    /// The central difference with respect to one entry of a parameter.
    fn difference(&mut self, parameter: &Parameter, entry: usize, step: f64) -> f64 {
        let at = parameter.offset + entry;
        let value = self.parameters[at];
        let (above, below) = (value + step, value - step);
        self.parameters[at] = above;
        let up = self.loss();
        self.parameters[at] = below;
        let down = self.loss();
        self.parameters[at] = value;
        (up - down) / (above - below)
    }
}
