//! What a step demands by each strategy, counted from its sizes.

use super::super::fused::plan::Plan;
use super::super::kernels::{self, Halves, Target};
use super::rule::{Demand, Pass, Way};
use crate::device::Strategy;
use crate::error::Result;
use crate::program::Program;

/// The sizes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Sizes {
    /// The rows of a minibatch.
    pub(in super::super) rows: usize,
    /// The inputs and outputs of each layer.
    pub(in super::super) layers: Vec<[usize; 2]>,
    /// The moments of each parameter.
    pub(in super::super) moments: usize,
}

/// What an activation and its derivative take, in multiplications.
const ACTIVATION: usize = 24;

/// What the update of a parameter takes, and each step of its sum over the lanes of a subgroup.
const UPDATE: usize = 8;
const SHUFFLE: usize = 2;

/// What a barrier takes, in iterations of all threads of the workgroup.
const BARRIER: usize = 4;

/// The widest layer for which two passes are chosen: the tiles of the program are wider than theirs.
const MOST_UNITS: usize = 512;

/// The seconds that compiling takes, as docs/gpu.md measures: in registers a weight and each of its moments,
/// in loops over layers a layer, written out for lanes a layer and each line of a first layer in slices.
const SECONDS_PER_WEIGHT: f64 = 0.01;
const SECONDS_PER_LAYER: f64 = 0.1;
const SECONDS_PER_WRITTEN_LAYER: f64 = 0.2;
const SECONDS_PER_LINE: f64 = 0.02;

impl Sizes {
    /// Those of a plan, for minibatches of so many rows.
    pub(in super::super) fn of(plan: &Plan, rows: usize) -> Self {
        let layers = plan.layers.iter().map(|layer| [layer.inputs, layer.outputs]).collect();
        Self { rows, layers, moments: plan.moments.len() }
    }

    fn weights(&self) -> usize {
        self.layers.iter().map(|[inputs, outputs]| inputs * outputs).sum()
    }

    fn units(&self) -> usize {
        self.layers.iter().map(|[_, outputs]| outputs).sum()
    }

    /// The multiplications of a step: forward, gradients, and deltas but for the inputs'.
    fn products(&self) -> usize {
        let [inputs, outputs] = self.layers[0];
        self.rows * (3 * self.weights() - inputs * outputs)
    }

    /// The registers of a subgroup of so many lanes, each with a row at a time.
    pub(in super::super) fn registers(&self, lanes: usize) -> Demand {
        let turns = self.rows.div_ceil(lanes);
        let parameters = self.weights() + self.units();
        let rows = turns * (3 * self.weights() + ACTIVATION * self.units());
        let products = rows + parameters * (UPDATE + SHUFFLE * lanes.ilog2() as usize);
        Demand {
            strategy: Strategy::Registers,
            way: Way::Subgroup,
            dispatches: 0,
            passes: vec![Pass { products, iterations: 0 }],
            compilation: SECONDS_PER_WEIGHT * (self.weights() * (1 + self.moments)) as f64,
        }
    }

    /// The memory of a workgroup of so many threads, whose loops have so many iterations in a step.
    pub(in super::super) fn persistent(&self, threads: usize, iterations: usize) -> Demand {
        // After each layer forward, back and in the update, and after gathering and the losses.
        let barriers = 2 + 3 * self.layers.len();
        let products = self.products() + BARRIER * threads * barriers;
        Demand {
            strategy: Strategy::Persistent,
            way: Way::Workgroup,
            dispatches: 0,
            passes: vec![Pass { products, iterations }],
            compilation: SECONDS_PER_LAYER * self.layers.len() as f64,
        }
    }

    /// Two passes in loops, or three where the inputs are cut into slices; none where a layer is too wide.
    pub(in super::super) fn two_pass(&self, slices: usize) -> Option<Demand> {
        let compilation = SECONDS_PER_LAYER * self.layers.len() as f64;
        self.in_passes(slices, Way::Device, compilation)
    }

    /// The same written out for the lanes of a processor, with so many lines for a first layer in slices.
    pub(in super::super) fn two_pass_lanes(&self, slices: usize, lines: usize) -> Option<Demand> {
        let lines = if slices == 0 { 0 } else { lines };
        let layers = SECONDS_PER_WRITTEN_LAYER * self.layers.len() as f64;
        self.in_passes(slices, Way::Lanes, layers + SECONDS_PER_LINE * lines as f64)
    }

    fn in_passes(&self, slices: usize, way: Way, compilation: f64) -> Option<Demand> {
        if self.layers.iter().any(|[_, outputs]| *outputs > MOST_UNITS) {
            return None;
        }
        let [inputs, outputs] = self.layers[0];
        let (first, all) = (self.rows * inputs * outputs, self.rows * self.weights());
        let loops: usize = self.layers.iter().map(|[inputs, outputs]| inputs + outputs).sum();
        let gradients = Pass { products: all, iterations: self.rows };
        let passes = match inputs.checked_div(slices) {
            None => vec![Pass { products: 2 * all - first, iterations: loops }, gradients],
            Some(slice) => {
                let sliced = Pass { products: first, iterations: slice };
                let rows =
                    Pass { products: 2 * (all - first), iterations: loops - inputs + slices };
                vec![sliced, rows, gradients]
            }
        };
        let dispatches = passes.len();
        Some(Demand { strategy: Strategy::TwoPass, way, dispatches, passes, compilation })
    }
}

/// The program, instruction by instruction: of the longest of the minibatches.
///
/// # Errors
/// `Program` where an instruction cannot be lowered.
pub(in super::super) fn program(programs: &[Program], target: Target) -> Result<Demand> {
    let mut demand = Demand {
        strategy: Strategy::Program,
        way: if target.software { Way::Lanes } else { Way::Tiles },
        dispatches: 0,
        passes: Vec::new(),
        compilation: 0.0,
    };
    for op in programs.first().iter().flat_map(|program| &program.ops) {
        demand.dispatches += kernels::lower(op, target, &Halves::default())?.len();
        let pass = |(products, iterations)| Pass { products, iterations };
        demand.passes.extend(kernels::tiles(op, target).map(pass));
    }
    Ok(demand)
}

#[cfg(test)]
mod tests {
    use super::super::rule::choose;
    use super::*;
    use crate::device::Calibration;
    use crate::device::DeviceKind;

    fn sizes(rows: usize, widths: &[usize], moments: usize) -> Sizes {
        Sizes { rows, layers: widths.windows(2).map(|w| [w[0], w[1]]).collect(), moments }
    }

    #[test]
    fn a_step_is_counted() {
        let sizes = sizes(8, &[4096, 10, 1], 2);
        assert_eq!(sizes.products(), 8 * (2 * 40_960 + 3 * 10));
        let demand = sizes.two_pass_lanes(8, 56).unwrap();
        assert_eq!(demand.dispatches, 3);
        assert_eq!(demand.passes.iter().map(|pass| pass.products).sum::<usize>(), sizes.products());
        assert_eq!(demand.passes[0], Pass { products: 8 * 40_960, iterations: 512 });
        assert!((demand.compilation - (0.4 + 0.02 * 56.0)).abs() < 1e-9);
        let written = sizes.two_pass_lanes(0, 56).unwrap().compilation;
        assert!((written - 0.4).abs() < 1e-9);
        let demand = sizes.two_pass(0).unwrap();
        assert_eq!(demand.dispatches, 2);
        assert_eq!(demand.passes.iter().map(|pass| pass.products).sum::<usize>(), sizes.products());
    }

    #[test]
    fn wide_layers_are_left_to_the_program() {
        assert!(sizes(8, &[10, 512, 1], 0).two_pass(0).is_some());
        assert_eq!(sizes(8, &[10, 513, 1], 0).two_pass(0), None);
        assert_eq!(sizes(8, &[10, 513, 1], 0).two_pass_lanes(0, 56), None);
    }

    /// The workloads of docs/gpu.md on software, by what is measured there.
    #[test]
    fn workloads_get_the_strategies_that_were_measured_the_fastest() {
        let costs = Calibration::typical(DeviceKind::Software);
        let program = |dispatches, products| Demand {
            strategy: Strategy::Program,
            way: Way::Lanes,
            dispatches,
            passes: vec![Pass { products, iterations: 0 }],
            compilation: 0.0,
        };
        let chosen = |program: &Demand, others: &[Demand], steps| {
            choose(program, others, &costs, (1, steps)).strategy()
        };
        let tiny = sizes(100, &[2, 4, 1], 0);
        let others =
            [tiny.registers(8), tiny.persistent(64, 508), tiny.two_pass_lanes(0, 56).unwrap()];
        let small = program(8, 30_000);
        assert_eq!(chosen(&small, &others, 100_000), Strategy::Registers);
        assert_eq!(chosen(&small, &others[1..], 100_000), Strategy::Persistent);
        assert_eq!(chosen(&small, &others, 100), Strategy::Program);

        let reynolds_10 = sizes(32, &[4096, 10, 10, 1], 2);
        let others = [reynolds_10.two_pass_lanes(8, 74).unwrap()];
        assert_eq!(chosen(&program(13, 8_400_000), &others, 30_000), Strategy::TwoPass);
        assert_eq!(chosen(&program(13, 8_400_000), &others, 300), Strategy::Program);
    }
}
