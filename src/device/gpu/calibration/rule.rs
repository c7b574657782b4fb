//! The rule: what a step takes by each strategy, from what it demands and what the device costs.
//!
//! Everything that the choice depends on is here: the same demands, calibration and number of steps give
//! the same choice. docs/gpu.md has the measurements behind the constants.

use std::fmt;

use crate::device::calibration::Seconds;
use crate::device::{Calibration, Strategy};

/// A strategy that is compiled for the network has to promise this part of the program's time, or less.
const PROMISE: f64 = 0.9;

/// How much longer tiles of a product take than the multiplications in registers: loads, sums that go to
/// memory, short sides. On hardware an estimate; on software 4 to 14 were measured for small products, and
/// less than 2 for large ones.
const TILE_LOSS: f64 = 3.0;
const LANE_LOSS: f64 = 5.0;

/// How a strategy multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Way {
    /// One subgroup, in registers; its multiplications are those of all lanes at once.
    Subgroup,
    /// One workgroup, out of its memory.
    Workgroup,
    /// The whole device, out of the memory of workgroups.
    Device,
    /// The whole device, in tiles in registers.
    Tiles,
    /// The same in the lanes of a processor.
    Lanes,
}

/// A part of a step that has to end before the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in super::super) struct Pass {
    pub(in super::super) products: usize,
    /// Those of one thread's loops, one after the other.
    pub(in super::super) iterations: usize,
}

/// What a step by a strategy demands.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Demand {
    pub(in super::super) strategy: Strategy,
    pub(in super::super) way: Way,
    /// The dispatches of a step, or none where a dispatch takes many steps.
    pub(in super::super) dispatches: usize,
    pub(in super::super) passes: Vec<Pass>,
    /// About how long compiling for the network takes, in seconds. It is counted, not measured: drivers
    /// keep what they have compiled, so that a measurement would tell of their files.
    pub(in super::super) compilation: f64,
}

impl Demand {
    /// The seconds of a step of so many networks.
    fn step(&self, costs: &Calibration, members: usize) -> f64 {
        let product = match self.way {
            Way::Subgroup => costs.subgroup_registers,
            Way::Workgroup => costs.workgroup_memory,
            Way::Device => costs.device_memory,
            Way::Tiles => TILE_LOSS * costs.device_registers,
            Way::Lanes => LANE_LOSS * costs.device_registers,
        };
        let pass = |pass: &Pass| {
            let all = product * pass.products as f64;
            all.max(costs.subgroup_memory * pass.iterations as f64)
        };
        let step =
            costs.dispatch * self.dispatches as f64 + self.passes.iter().map(pass).sum::<f64>();
        let members = members as f64;
        match self.way {
            // Networks have a workgroup each, and the device has places for several.
            Way::Subgroup | Way::Workgroup => {
                let places = (costs.workgroup_memory / costs.device_memory).max(1.0);
                step * (members / places).max(1.0)
            }
            Way::Device | Way::Tiles | Way::Lanes => step * members,
        }
    }
}

/// What a strategy is expected to take.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Estimate {
    strategy: Strategy,
    step: f64,
    compilation: f64,
    /// The seconds of all steps.
    total: f64,
}

/// The strategy with the shortest time, and what the others were expected to take.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Choice {
    estimates: Vec<Estimate>,
}

/// Chooses for so many steps of so many networks among the program and what else can run them.
pub(in super::super) fn choose(
    program: &Demand,
    others: &[Demand],
    costs: &Calibration,
    (members, steps): (usize, usize),
) -> Choice {
    let estimate = |demand: &Demand| {
        let step = demand.step(costs, members);
        let total = demand.compilation + steps as f64 * step;
        let Demand { strategy, compilation, .. } = *demand;
        Estimate { strategy, step, compilation, total }
    };
    let program = estimate(program);
    let mut estimates: Vec<Estimate> = others.iter().map(estimate).collect();
    estimates.sort_by(|a, b| a.total.total_cmp(&b.total));
    let shorter = estimates.partition_point(|other| other.total <= PROMISE * program.total);
    estimates.insert(shorter, program);
    Choice { estimates }
}

impl Choice {
    /// The strategy that is chosen.
    pub(in super::super) fn strategy(&self) -> Strategy {
        self.estimates[0].strategy
    }
}

/// On one line, beginning with the strategy that is chosen, which has its name elsewhere.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, estimate) in self.estimates.iter().enumerate() {
            let Estimate { strategy, step, compilation, .. } = *estimate;
            match i {
                0 => write!(f, "about {} a step", Seconds(step))?,
                _ => write!(f, "; {strategy} {}", Seconds(step))?,
            }
            if compilation > 0.0 {
                let what = if i == 0 { " of compiling" } else { "" };
                write!(f, " after {}{what}", Seconds(compilation))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceKind;

    fn demand(strategy: Strategy, way: Way, dispatches: usize, products: usize) -> Demand {
        let passes = vec![Pass { products, iterations: 0 }];
        let compilation = if strategy == Strategy::Program { 0.0 } else { 0.2 };
        Demand { strategy, way, dispatches, passes, compilation }
    }

    /// The choice for a network whose step has so many products.
    fn chosen(costs: &Calibration, products: usize, steps: usize) -> Strategy {
        let program = demand(Strategy::Program, Way::Tiles, 9, 2 * products);
        let others = [
            demand(Strategy::Registers, Way::Subgroup, 0, products / 4),
            demand(Strategy::Persistent, Way::Workgroup, 0, products),
            demand(Strategy::TwoPass, Way::Tiles, 2, products),
        ];
        choose(&program, &others, costs, (1, steps)).strategy()
    }

    #[test]
    fn the_size_of_a_step_decides() {
        let software = Calibration::typical(DeviceKind::Software);
        assert_eq!(chosen(&software, 3_000, 100_000), Strategy::Registers);
        assert_eq!(chosen(&software, 4_000_000, 100_000), Strategy::TwoPass);
        // As large tiles do it without what else a strategy has to do.
        let program = demand(Strategy::Program, Way::Tiles, 9, 1 << 30);
        let other = demand(Strategy::TwoPass, Way::Tiles, 2, 1 << 30);
        let choice = choose(&program, &[other], &software, (1, 100_000));
        assert_eq!(choice.strategy(), Strategy::Program);
        // Where a workgroup's memory is as fast as registers.
        let costs = Calibration { workgroup_memory: 1e-10, ..software };
        assert_eq!(chosen(&costs, 100_000, 100_000), Strategy::Persistent);
    }

    #[test]
    fn compiling_has_to_pay() {
        let costs = Calibration::typical(DeviceKind::Software);
        assert_eq!(chosen(&costs, 3_000, 500), Strategy::Program);
        assert_eq!(chosen(&costs, 3_000, 5_000), Strategy::Registers);
    }

    #[test]
    fn what_a_device_costs_decides() {
        let slow = Calibration { dispatch: 1e-4, ..Calibration::typical(DeviceKind::Software) };
        let quick = Calibration { dispatch: 1e-7, ..slow };
        assert_eq!(chosen(&slow, 40_000, 20_000), Strategy::Registers);
        assert_eq!(chosen(&quick, 40_000, 20_000), Strategy::Program);
    }

    #[test]
    fn a_step_takes_no_less_than_its_longest_loop() {
        let costs = Calibration::typical(DeviceKind::Discrete);
        let mut short = demand(Strategy::TwoPass, Way::Device, 2, 1_000);
        let before = short.step(&costs, 1);
        short.passes[0].iterations = 1_000;
        let expected = 2.0 * costs.dispatch + 1_000.0 * costs.subgroup_memory;
        assert!((short.step(&costs, 1) - expected).abs() < 1e-12);
        assert!(short.step(&costs, 1) > before);
    }

    #[test]
    fn networks_share_the_places_of_a_device() {
        let costs = Calibration::typical(DeviceKind::Software);
        let each = demand(Strategy::Persistent, Way::Workgroup, 0, 1_000);
        // Two workgroups at a time.
        assert!((each.step(&costs, 2) - each.step(&costs, 1)).abs() < 1e-12);
        assert!((each.step(&costs, 64) / each.step(&costs, 1) - 32.0).abs() < 1e-6);
    }

    #[test]
    fn a_choice_says_what_was_expected() {
        let costs = Calibration::typical(DeviceKind::Software);
        let program = demand(Strategy::Program, Way::Tiles, 9, 3_000);
        let other = demand(Strategy::Persistent, Way::Workgroup, 0, 3_000);
        let text = choose(&program, &[other], &costs, (1, 100_000)).to_string();
        let expected = "about 33 us a step after 200 ms of compiling; program 225 us";
        assert_eq!(text, expected);
    }
}
