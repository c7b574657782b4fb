//! How many steps one dispatch takes: as many as fit the time that a display, or a watchdog, grants.

use crate::stopwatch::Stopwatch;

/// How long a dispatch may take, in seconds.
const BUDGET: f64 = 0.02;

/// The steps of the first dispatches.
const FIRST: usize = 64;

/// By how much the number of steps may grow from one run to the next.
const GROWTH: usize = 4;

/// The steps of a dispatch. Their number follows from how long runs took so far, and changes nothing
/// in their results.
pub(super) struct Pace {
    steps: usize,
    most: usize,
    /// When the run before was queued, and its steps.
    before: Option<(Stopwatch, usize)>,
}

impl Pace {
    /// At most `most` steps a dispatch.
    pub(super) fn new(most: usize) -> Self {
        Self { steps: FIRST.min(most), most, before: None }
    }

    /// The steps of each dispatch of a run of `count` steps that is about to be queued.
    ///
    /// Who trains reads back what a run leaves before queueing the next. So the time between the two
    /// is no less than the run took, and little more.
    pub(super) fn begin(&mut self, count: usize) -> usize {
        if let Some((watch, steps)) = self.before.replace((Stopwatch::start(), count)) {
            let fit = BUDGET * steps as f64 / watch.seconds();
            // As a conversion it saturates, where there is no clock too.
            self.steps = (fit as usize).clamp(1, self.most.min(GROWTH * self.steps));
        }
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dispatches_grow_slowly_and_end_at_their_limit() {
        let mut pace = Pace::new(1_000);
        let counts: Vec<usize> = (0..5).map(|_| pace.begin(1 << 20)).collect();
        assert_eq!(counts, [64, 256, 1_000, 1_000, 1_000]);
        assert_eq!(Pace::new(10).begin(1 << 20), 10);
    }

    #[test]
    fn slow_steps_come_one_by_one() {
        let mut pace = Pace::new(1_000);
        pace.begin(1);
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert_eq!(pace.begin(1), 1);
    }
}
