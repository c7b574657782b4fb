//! How many threads share a program's steps: as many as make them shortest.
//!
//! A further thread is worth less than it costs where caches are not shared, where another process
//! has the core, or where there is too little for it to do, and a machine moves between these within
//! minutes. Nothing that is known when a program is compiled tells, so it is measured: now and then
//! a few steps are made by another number of threads, and who was quicker goes on. Bits do not
//! depend on it.

use std::collections::HashMap;
use std::sync::Mutex;

use super::pool::lock;
use crate::op::Cost;

/// The steps before the first trial.
pub(super) const FIRST: usize = 32;
/// The steps that are compared: the median of so many before a trial, and in it after one that has
/// what the other threads had in their caches brought over.
const COMPARED: usize = 5;
/// A trial is over when its steps take longer by this factor, and by so many seconds more: that long they may wait for
/// a worker that has to be woken and for what the other threads had in their caches.
const HOPELESS: f64 = 1.25;
const WAKING: f64 = 4e-3;
/// The number changes if steps become shorter by this factor.
const BETTER: f64 = 0.97;
/// Steps for each that a trial has cost, and for each that it had, before the next one.
const FOR_LOST: f64 = 64.0;
const FOR_TRIED: usize = 16;
/// Each trial that has changed nothing doubles the wait for the next one, up to so many seconds; once for long steps.
const LONGEST: f64 = 1.0;
/// Steps that a program makes before a trial when it begins anew: its memory is in no cache.
const COLD: usize = 2 * COMPARED;
/// The wait is not doubled any more when steps take longer than at the last trial by this factor.
const SLOWER: f64 = 1.2;

/// The numbers of threads that are tried, from all of `threads` down to one.
pub(super) fn teams(threads: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(threads.max(1)), |&team| (team > 1).then(|| team.div_ceil(2)))
}

/// The smallest of these teams that has a thread of this number.
pub(super) fn team_with(thread: usize, threads: usize) -> usize {
    teams(threads).take_while(|&team| team > thread).last().unwrap_or(threads)
}

/// Tells how many threads are to make the next step, from the time that each has taken.
#[derive(Debug, Clone)]
pub(super) struct Tuner {
    teams: Vec<usize>,
    /// Which of them makes steps outside of trials, and its last steps in seconds.
    chosen: usize,
    recent: Times,
    trial: Option<Trial>,
    /// Whether the next trial is of fewer threads.
    is_downward: bool,
    /// The steps until the next trial: if they take longer than the `usual` seconds at the last one, and if they do not.
    wait: [usize; 2],
    usual: f64,
    /// The trials since the last change.
    trials: i32,
}

/// Steps that another team makes.
#[derive(Debug, Clone)]
struct Trial {
    team: usize,
    times: Times,
    steps: usize,
    seconds: f64,
}

/// The last times of some, in turn.
#[derive(Debug, Clone, Default)]
struct Times {
    seconds: [f64; COMPARED],
    count: usize,
}

impl Times {
    fn push(&mut self, seconds: f64) {
        self.seconds[self.count % COMPARED] = seconds;
        self.count += 1;
    }

    const fn is_full(&self) -> bool {
        self.count >= COMPARED
    }

    fn median(&self) -> f64 {
        let mut sorted = self.seconds;
        sorted.sort_by(f64::total_cmp);
        sorted[COMPARED / 2]
    }
}

impl Tuner {
    /// Begins with all threads.
    pub(super) fn new(threads: usize) -> Self {
        Self {
            teams: teams(threads).collect(),
            chosen: 0,
            recent: Times::default(),
            trial: None,
            is_downward: true,
            wait: [FIRST; 2],
            usual: f64::INFINITY,
            trials: 0,
        }
    }

    /// Goes on where a training of the same costs left off.
    fn again(&self) -> Self {
        let wait = self.wait.map(|steps| steps.max(COLD));
        Self { recent: Times::default(), trial: None, wait, ..self.clone() }
    }

    /// One of a program of which nothing is shared.
    fn fix(&mut self) {
        self.teams.truncate(1);
        (self.chosen, self.trial) = (0, None);
    }

    /// Whether there is a choice, so that steps have to be timed.
    pub(super) const fn has_choice(&self) -> bool {
        self.teams.len() > 1
    }

    /// How many threads make the next step.
    pub(super) fn threads(&self) -> usize {
        self.teams[self.trial.as_ref().map_or(self.chosen, |trial| trial.team)]
    }

    /// Sees how long a step took that so many threads made, and whether anything in it can be shared.
    pub(super) fn see(&mut self, seconds: f64, is_shared: bool) {
        if !is_shared || !self.has_choice() {
            return self.fix();
        }
        let Some(trial) = &mut self.trial else {
            self.recent.push(seconds);
            self.wait = self.wait.map(|steps| steps.saturating_sub(1));
            let is_slower = self.wait[0] == 0 && self.recent.median() > SLOWER * self.usual;
            if (is_slower || self.wait[1] == 0) && self.recent.is_full() {
                self.try_another();
            }
            return;
        };
        trial.see(seconds);
        let usual = self.recent.median();
        let is_hopeless = trial.seconds > HOPELESS * usual * trial.steps as f64 + WAKING;
        if is_hopeless || trial.times.is_full() {
            let is_better = !is_hopeless && trial.times.median() < BETTER * usual;
            self.decide(is_better, usual);
        }
    }

    fn try_another(&mut self) {
        let last = self.teams.len() - 1;
        self.is_downward = (self.is_downward && self.chosen < last) || self.chosen == 0;
        let team = if self.is_downward { self.chosen + 1 } else { self.chosen - 1 };
        self.trial = Some(Trial { team, times: Times::default(), steps: 0, seconds: 0.0 });
    }

    /// Ends a trial beside steps of `usual` seconds.
    fn decide(&mut self, is_better: bool, usual: f64) {
        let Some(trial) = self.trial.take() else { return };
        if is_better {
            (self.chosen, self.usual) = (trial.team, trial.times.median());
            (self.recent, self.trials) = (trial.times, 0);
            self.wait = [FIRST; 2];
            return;
        }
        // The first step after it is as slow as the trial's first one was.
        let lost = (trial.seconds / usual - trial.steps as f64).max(0.0);
        let least = (FOR_LOST * lost) as usize + FOR_TRIED * trial.steps;
        let longest = (LONGEST / usual) as usize;
        let doubled = (least as f64 * 2f64.powi(self.trials)) as usize;
        self.wait = [least, doubled.min(longest.max(2 * least))];
        (self.usual, self.recent) = (usual, Times::default());
        self.trials += 1;
        self.is_downward = !self.is_downward;
    }
}

impl Trial {
    fn see(&mut self, seconds: f64) {
        if self.steps > 0 {
            self.times.push(seconds);
        }
        self.steps += 1;
        self.seconds += seconds;
    }
}

/// What was found for programs that ran before, by what a step of them costs: a scan trains the same network
/// many times.
#[derive(Debug)]
pub(super) struct Tuners(Mutex<HashMap<Cost, Tuner>>);

impl Default for Tuners {
    fn default() -> Self {
        Self(Mutex::new(HashMap::with_capacity(Self::MOST)))
    }
}

impl Tuners {
    /// The most programs that are remembered: there is room for them from the beginning.
    const MOST: usize = 64;

    /// Where the last program of this cost left off.
    pub(super) fn of(&self, cost: Cost, threads: usize) -> Tuner {
        let tuners = lock(&self.0);
        tuners.get(&cost).map_or_else(|| Tuner::new(threads), Tuner::again)
    }

    /// Remembers it, if there was anything to find.
    pub(super) fn keep(&self, cost: Cost, tuner: &Tuner) {
        if !tuner.has_choice() {
            return;
        }
        let mut tuners = lock(&self.0);
        if tuners.len() >= Self::MOST {
            tuners.clear();
        }
        tuners.insert(cost, tuner.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::{COLD, FIRST, Tuner, Tuners, team_with, teams};
    use crate::op::Cost;

    /// A machine on which `seconds(threads, step)` says how long a step takes; after a change of threads one takes
    /// up to a millisecond more, or twice as long. Gives the time of all steps, and the threads of each.
    fn run(
        tuner: &mut Tuner,
        steps: usize,
        seconds: impl Fn(usize, usize) -> f64,
    ) -> (f64, Vec<usize>) {
        let (mut total, mut made) = (0.0, vec![tuner.threads()]);
        for step in 0..steps {
            let threads = tuner.threads();
            let time = seconds(threads, step);
            let moved = if made.last() == Some(&threads) { 0.0 } else { time.min(1e-3) };
            let time = time + moved;
            tuner.see(time, true);
            total += time;
            made.push(threads);
        }
        made.remove(0);
        (total, made)
    }

    /// A factor of at most five per cent either way.
    fn noise(step: usize) -> f64 {
        0.95 + 0.1 * ((step * 7919 % 101) as f64 / 100.0)
    }

    #[test]
    fn teams_are_halves_and_each_thread_is_in_the_smallest_that_has_it() {
        assert_eq!(teams(0).collect::<Vec<_>>(), [1]);
        assert_eq!(teams(2).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(teams(6).collect::<Vec<_>>(), [6, 3, 2, 1]);
        assert_eq!([0, 1, 2, 3, 5].map(|thread| team_with(thread, 6)), [1, 2, 3, 6, 6]);
    }

    #[test]
    fn a_second_thread_that_helps_is_kept_at_little_cost() {
        for gain in [1.05, 1.5, 2.0] {
            let step = |threads, step| noise(step) * 1e-3 / if threads == 2 { gain } else { 1.0 };
            let (total, _) = run(&mut Tuner::new(2), 2_000, step);
            let least: f64 = (0..2_000).map(|at| step(2, at)).sum();
            assert!(total < 1.02 * least, "{gain}: {total} of {least}");
        }
    }

    #[test]
    fn trials_of_long_steps_are_short_and_rare() {
        let step = |threads, _| if threads == 2 { 1.0 } else { 1.9 };
        let (total, made) = run(&mut Tuner::new(2), 1_000, step);
        assert!(total < 1.01 * 1_000.0, "{total}");
        let of_first = made[..2 * FIRST].iter().filter(|&&threads| threads == 1).count();
        assert_eq!(of_first, 1);
    }

    #[test]
    fn a_second_thread_that_hinders_is_left_out() {
        for gain in [0.5, 0.8, 0.95] {
            let step = |threads, step| noise(step) * 1e-3 / if threads == 2 { gain } else { 1.0 };
            let (total, made) = run(&mut Tuner::new(2), 2_000, step);
            let alone = made.iter().position(|&threads| threads == 1);
            assert_eq!(alone, Some(FIRST), "{gain}");
            // What the first steps lost, and later trials.
            let least: f64 = (0..2_000).map(|at| step(1, at)).sum();
            assert!(total < 1.04 * least, "{gain}: {total} of {least}");
        }
    }

    #[test]
    fn a_machine_that_changes_is_noticed() {
        // Caches that are shared in the first three seconds, and from the sixth second on.
        let step = |threads, step: usize| match (threads, step / 3_000) {
            (1, _) => 1e-3,
            (_, 1) => 1.5e-3,
            _ => 0.6e-3,
        };
        let (_, made) = run(&mut Tuner::new(2), 12_000, step);
        let by_two = |steps: &[usize]| steps.iter().filter(|&&threads| threads == 2).count();
        // Steps that take longer are noticed at once, that the other number would be faster within a second.
        assert!(by_two(&made[..3_000]) > 2_950);
        assert!(by_two(&made[3_000..6_000]) < 100);
        assert!(by_two(&made[7_000..]) > 4_950);
    }

    #[test]
    fn a_hiccup_does_not_decide() {
        // Every fiftieth step is interrupted for as long as ten of them.
        let step = |threads, step: usize| {
            let interrupted = if step % 50 == 33 { 10.0 } else { 0.0 };
            1e-3 * (interrupted + if threads == 2 { 0.7 } else { 1.0 })
        };
        let (_, made) = run(&mut Tuner::new(2), 5_000, step);
        assert!(made.iter().filter(|&&threads| threads == 2).count() > 4_800);
    }

    #[test]
    fn a_worker_that_wakes_late_does_not_decide() {
        let mut tuner = Tuner::new(2);
        run(&mut tuner, 3 * FIRST, |threads, _| 2e-4 * threads as f64);
        assert_eq!(tuner.threads(), 1);
        // Two threads are faster now, but for their first two steps.
        let mut by_two = 0;
        for _ in 0..10_000 {
            by_two += usize::from(tuner.threads() == 2);
            let seconds = match (tuner.threads(), by_two) {
                (1, _) => 2e-4,
                (_, 1 | 2) => 1.3e-3,
                _ => 1.2e-4,
            };
            tuner.see(seconds, true);
            if by_two == 6 {
                return assert_eq!(tuner.threads(), 2);
            }
        }
        panic!("two threads were never tried");
    }

    #[test]
    fn of_many_threads_so_many_work_as_are_fastest() {
        let mut tuner = Tuner::new(16);
        // Down from all of them and up again, with turns on the way.
        for best in [16, 4, 8, 1, 4, 2, 16] {
            let distance = |threads: usize| (threads as f64 / best as f64).log2().abs();
            let step = |threads, step| noise(step) * 1e-3 * (1.0 + 0.4 * distance(threads));
            let (_, made) = run(&mut tuner, 6_000, step);
            let settled = &made[4_000..];
            let fastest = settled.iter().filter(|&&threads| threads == best).count();
            assert!(fastest > settled.len() * 9 / 10, "{best}: {fastest} of {}", settled.len());
        }
    }

    #[test]
    fn steps_without_shared_work_and_clocks_that_stand_still_change_nothing() {
        let mut alone = Tuner::new(1);
        assert!(!alone.has_choice());
        run(&mut alone, 2 * FIRST, |_, _| 1.0);
        let mut small = Tuner::new(4);
        small.see(1.0, false);
        assert!(!small.has_choice() && small.threads() == 4);
        let (_, made) = run(&mut Tuner::new(2), 1_000, |_, _| 0.0);
        assert!(made.iter().filter(|&&threads| threads == 2).count() > 800);
    }

    #[test]
    fn what_was_found_is_remembered() {
        let (tuners, cost) = (Tuners::default(), Cost { flop: 7, bytes: 8 });
        let mut tuner = tuners.of(cost, 2);
        run(&mut tuner, 100, |threads, _| threads as f64);
        tuners.keep(cost, &tuner);
        assert_eq!((tuners.of(cost, 2).threads(), tuners.of(Cost::default(), 2).threads()), (1, 2));
        // Another program of this cost may have work to share.
        let other = Cost::default();
        let mut small = tuners.of(other, 2);
        small.see(1.0, false);
        tuners.keep(other, &small);
        assert!(tuners.of(other, 2).has_choice());
    }

    #[test]
    fn the_first_steps_of_another_training_are_not_judged() {
        let (tuners, cost) = (Tuners::default(), Cost::default());
        let mut tuner = tuners.of(cost, 2);
        let settled = |threads, _| 1.0 / threads as f64;
        // In the middle of a trial, and where slower steps would begin one.
        for steps in [FIRST + 1, 8 * FIRST] {
            run(&mut tuner, steps, settled);
            tuners.keep(cost, &tuner);
            tuner = tuners.of(cost, 2);
            let (_, made) = run(&mut tuner, COLD, |_, _| 10.0);
            assert!(made.iter().all(|&threads| threads == 2), "after {steps} steps: {made:?}");
        }
    }
}
