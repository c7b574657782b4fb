//! Where the values of a layer are.

use super::plan::PlanLayer;
use super::wgsl::number;

/// The places of a layer's values, in the units of the memory that they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Places {
    /// None where the features are read where they are.
    pub(in super::super) input: Option<usize>,
    pub(in super::super) pre: Option<usize>,
    pub(in super::super) output: usize,
    pub(in super::super) delta: usize,
}

impl Places {
    /// The places of a layer whose input has its place already: `take` has room for a value of each of
    /// so many units.
    pub(in super::super) fn of(
        layer: &PlanLayer,
        input: Option<usize>,
        mut take: impl FnMut(usize) -> usize,
    ) -> Self {
        Self {
            input,
            pre: layer.keeps_pre().then(|| take(layer.outputs)),
            output: take(layer.outputs),
            delta: take(layer.outputs),
        }
    }

    /// The fields of a layer's constant in WGSL: the places, that of what its derivative is computed
    /// from, and its activation.
    pub(in super::super) fn fields(self, layer: &PlanLayer) -> String {
        let Self { input, pre, output, delta } = self;
        let fields = [
            place(input),
            place(pre),
            place(Some(output)),
            place(Some(delta)),
            place(Some(pre.unwrap_or(output))),
            format!("{}u", layer.activation.code()),
            number(layer.activation.parameter().unwrap_or(0.0)),
        ];
        fields.join(", ")
    }
}

/// A place in WGSL.
pub(in super::super) fn place(at: Option<usize>) -> String {
    at.map_or("WITHOUT".to_owned(), |at| format!("{at}u"))
}
