//! Buffers on the host, and how instructions borrow them.
//!
//! While a program runs, its buffers are moved into a [`Bank`] and locked for everyone else. An
//! instruction then takes its outputs out of the bank (a move of a vector, which costs nothing) and
//! reads its inputs from it, so that no aliasing is possible and no `unsafe` needed.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::op::View;

/// What a buffer holds: memory of its own, or a data set that others hold too.
pub(crate) enum Words {
    Own(Vec<f32>),
    Shared(Arc<Vec<f32>>),
}

impl Words {
    /// The words, for writing: shared ones are copied first.
    pub(super) fn own(&mut self) -> &mut Vec<f32> {
        if let Self::Shared(words) = self {
            *self = Self::Own(words.to_vec());
        }
        match self {
            Self::Own(words) => words,
            Self::Shared(_) => unreachable!("shared words were copied above"),
        }
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Deref for Words {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Own(words) => words,
            Self::Shared(words) => words,
        }
    }
}

/// A handle of a buffer.
#[derive(Clone)]
pub(crate) struct Memory(Arc<Mutex<Words>>);

impl Memory {
    pub(super) fn new(words: Words) -> Self {
        Self(Arc::new(Mutex::new(words)))
    }

    /// The words. After a panic elsewhere they are still whole: only moves happen under the lock.
    pub(super) fn lock(&self) -> MutexGuard<'_, Words> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether both are handles of one memory.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn address(&self) -> *const Mutex<Words> {
        Arc::as_ptr(&self.0)
    }
}

/// The buffers of a program while it runs, by their numbers in its views.
pub(super) struct Bank {
    words: Vec<Words>,
    /// For each number the first one that names the same memory.
    same: Vec<usize>,
    /// The distinct memories by address: locked in this order, two runs cannot wait in a circle.
    order: Vec<usize>,
}

impl Bank {
    /// An empty bank for these memories, of which several may be one and the same.
    pub(super) fn new(memories: &[Memory]) -> Self {
        let first =
            |memory: &Memory| memories.iter().position(|other| other.is(memory)).unwrap_or(0);
        let same: Vec<usize> = memories.iter().map(first).collect();
        let mut order: Vec<usize> = (0..memories.len()).filter(|&i| same[i] == i).collect();
        order.sort_by_key(|&i| memories[i].address());
        Self { words: memories.iter().map(|_| Words::default()).collect(), same, order }
    }

    /// The first buffer that is the same memory as this one.
    pub(super) fn memory(&self, buffer: usize) -> usize {
        self.same[buffer]
    }

    /// Locks the memories, moves their words here, runs `work`, and moves them back.
    pub(super) fn check_out<R>(
        &mut self,
        memories: &[Memory],
        work: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let mut guards: Vec<MutexGuard<'_, Words>> =
            self.order.iter().map(|&i| memories[i].lock()).collect();
        for (guard, &i) in guards.iter_mut().zip(&self.order) {
            std::mem::swap(&mut self.words[i], guard);
        }
        let result = work(self);
        for (guard, &i) in guards.iter_mut().zip(&self.order) {
            std::mem::swap(&mut self.words[i], guard);
        }
        result
    }

    /// The elements of a view, row-major.
    #[inline]
    pub(super) fn read(&self, view: View) -> &[f32] {
        &self.words[self.same[view.buffer]][view.range()]
    }

    /// The elements of a view that holds row numbers or labels.
    #[inline]
    pub(super) fn read_u32(&self, view: View) -> &[u32] {
        bytemuck::must_cast_slice(self.read(view))
    }

    /// Takes an output's buffer out of the bank while `work` writes the view and reads others.
    #[inline]
    pub(super) fn write<R>(&mut self, view: View, work: impl FnOnce(&Self, &mut [f32]) -> R) -> R {
        self.write_all([Some(view)], |bank, [out]| work(bank, out))
    }

    /// The same for several outputs in buffers of their own; an output that is not there is empty.
    #[inline]
    pub(super) fn write_all<const N: usize, R>(
        &mut self,
        views: [Option<View>; N],
        work: impl FnOnce(&Self, [&mut [f32]; N]) -> R,
    ) -> R {
        let mut taken = views.map(|view| match view {
            Some(view) => std::mem::take(&mut self.words[self.same[view.buffer]]),
            None => Words::default(),
        });
        let mut ranges = views.iter().map(|view| view.map_or(0..0, |view| view.range()));
        let outputs = taken.each_mut().map(|words| {
            let range = ranges.next().unwrap_or(0..0);
            &mut words.own()[range]
        });
        let result = work(self, outputs);
        for (view, words) in views.iter().zip(taken) {
            if let Some(view) = view {
                self.words[self.same[view.buffer]] = words;
            }
        }
        result
    }
}
