//! What keeps parameters finite while a training step runs.
//!
//! A training that leaves the numbers of f32 ends with an error, and its network with the parameters that it
//! last had when they were finite. A copy of them takes as much memory again. Where they are many, a step whose
//! loss is not finite moves no parameter instead, and where an update would leave f32 its piece of the parameters
//! stays as it was; either is the last step. That takes up to a tenth of a step of few rows.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether updates may move parameters, and what was in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Guard {
    mode: Mode,
    /// The first parameter, by its place in their buffer, that would not be finite.
    pub(super) parameter: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    /// Updates do what they say, whatever comes of it.
    #[default]
    Open,
    /// They move what stays finite.
    Watching,
    /// They move nothing any more.
    Closed,
}

impl Guard {
    /// Watches the updates of a step.
    pub(super) fn watching() -> Self {
        Self { mode: Mode::Watching, parameter: None }
    }

    /// Whether nothing is kept.
    pub(super) fn is_open(&self) -> bool {
        self.mode == Mode::Open
    }

    /// Whether something was not finite.
    pub(super) fn is_closed(&self) -> bool {
        self.mode == Mode::Closed
    }

    /// Looks at the loss of the step.
    pub(super) fn see_loss(&mut self, loss: f32) {
        if self.mode == Mode::Watching && !loss.is_finite() {
            self.mode = Mode::Closed;
        }
    }

    /// Takes over what the parts of an update have seen.
    pub(super) fn see(&mut self, seen: Seen) {
        let parameter = seen.0.into_inner();
        if parameter != usize::MAX {
            self.mode = Mode::Closed;
            self.parameter = Some(self.parameter.map_or(parameter, |other| other.min(parameter)));
        }
    }

    /// Keeps a piece of parameters before it is changed, if that matters.
    // No closure that changes them: it would not be compiled for wide vectors.
    #[inline(always)]
    pub(super) fn keep<'a>(self, piece: &[f32], room: &'a mut [f32]) -> &'a [f32] {
        if self.is_open() {
            return &[];
        }
        let before = &mut room[..piece.len()];
        before.copy_from_slice(piece);
        before
    }

    /// Looks at a piece after it was changed, of which the first is parameter number `first`. It is again as it was
    /// `before` if it may not be changed or would not be finite.
    #[inline(always)]
    pub(super) fn settle(self, piece: &mut [f32], before: &[f32], first: usize, seen: &Seen) {
        if self.is_open() {
            return;
        }
        let finite = all_finite(piece);
        if !finite {
            let place = piece.iter().position(|x| !x.is_finite()).unwrap_or_default();
            seen.0.fetch_min(first + place, Ordering::Relaxed);
        }
        if !finite || self.is_closed() {
            piece.copy_from_slice(before);
        }
    }
}

/// The longest piece: it stays in the L1 cache.
pub(super) const PIECE: usize = 1024;

/// What parts of an update, on any thread, have seen: the first parameter that would not be finite.
#[derive(Debug)]
pub(super) struct Seen(AtomicUsize);

impl Default for Seen {
    fn default() -> Self {
        Self(AtomicUsize::new(usize::MAX))
    }
}

/// Without a branch for each, so that it becomes vector code.
#[inline(always)]
fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = f32::INFINITY.to_bits();
    let mut largest = 0;
    for value in values {
        largest = largest.max(value.to_bits() & EXPONENT);
    }
    largest < EXPONENT
}

#[cfg(test)]
mod tests {
    use super::{Guard, PIECE, Seen};

    const BAD: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

    /// What a guard leaves of ones that become twos but for one, and what it has seen.
    fn change(mut guard: Guard, bad: Option<(usize, f32)>) -> (Vec<f32>, Guard) {
        let (mut piece, seen, mut room) = (vec![1.0; PIECE - 1], Seen::default(), [0.0; PIECE]);
        let before = guard.keep(&piece, &mut room);
        piece.fill(2.0);
        bad.into_iter().for_each(|(place, value)| piece[place] = value);
        guard.settle(&mut piece, before, 100, &seen);
        guard.see(seen);
        (piece, guard)
    }

    #[test]
    fn an_open_guard_lets_everything_through() {
        for value in BAD {
            let (piece, guard) = change(Guard::default(), Some((3, value)));
            assert!(!piece[3].is_finite() && piece[4] == 2.0);
            assert_eq!(guard, Guard::default());
        }
    }

    #[test]
    fn a_watching_guard_keeps_what_would_not_be_finite() {
        let (piece, guard) = change(Guard::watching(), None);
        assert!(piece.iter().all(|x| *x == 2.0) && guard == Guard::watching());
        for (place, value) in [0, 17, PIECE - 2].into_iter().zip(BAD) {
            let (piece, guard) = change(Guard::watching(), Some((place, value)));
            assert!(piece.iter().all(|x| *x == 1.0), "{value}");
            assert!(guard.is_closed());
            assert_eq!(guard.parameter, Some(100 + place));
        }
    }

    #[test]
    fn a_closed_guard_keeps_everything_and_still_looks() {
        for value in BAD {
            let mut guard = Guard::watching();
            guard.see_loss(value);
            let (piece, seen) = change(guard, None);
            assert!(piece.iter().all(|x| *x == 1.0) && seen == guard);
            let (piece, seen) = change(guard, Some((5, value)));
            assert!(piece.iter().all(|x| *x == 1.0));
            assert_eq!(seen.parameter, Some(105));
        }
    }

    #[test]
    fn losses_close_only_what_watches() {
        let mut open = Guard::default();
        open.see_loss(f32::NAN);
        assert_eq!(open, Guard::default());
        let mut watching = Guard::watching();
        watching.see_loss(1e38);
        assert!(!watching.is_closed());
    }
}
