//! Buffers on the host, and how instructions borrow them.
//!
//! While a program runs, its buffers are in a [`Bank`] and locked for everyone else. An instruction
//! takes its outputs out of the bank (a move of a slice, which costs nothing) and reads its inputs
//! from it, so that no aliasing is possible and no `unsafe` needed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::room::Room;
use crate::op::{Access, Operand, View};

/// What a buffer holds: memory of its own, or a data set that others hold too.
pub(crate) enum Words {
    /// So many zeros, as long as nobody asks for them.
    Zeros(usize),
    Own(Room),
    Shared(Arc<Vec<f32>>),
}

impl Words {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Zeros(len) => *len,
            Self::Own(words) => words.len(),
            Self::Shared(words) => words.len(),
        }
    }

    /// Makes zeros that nobody has asked for, all of which will be read and written.
    fn settle(&mut self) {
        if let Self::Zeros(len) = *self {
            *self = Self::Own(Room::settled(len));
        }
    }

    /// The words, for reading.
    pub(super) fn look(&mut self) -> &[f32] {
        match self {
            Self::Shared(words) => words,
            Self::Zeros(_) | Self::Own(_) => self.own(),
        }
    }

    /// The words, for writing: shared ones are copied first.
    pub(super) fn own(&mut self) -> &mut [f32] {
        let made = match self {
            Self::Own(_) => None,
            Self::Zeros(len) => Some(Room::zeros(*len)),
            Self::Shared(words) => {
                // Not copied where nobody else holds them any more.
                let words = Arc::try_unwrap(std::mem::take(words));
                Some(words.unwrap_or_else(|shared| shared.to_vec()).into())
            }
        };
        if let Some(room) = made {
            *self = Self::Own(room);
        }
        match self {
            Self::Own(words) => words,
            Self::Zeros(_) | Self::Shared(_) => unreachable!("they are its own now"),
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

/// The memories that a program's buffers are, by their numbers in its views.
pub(super) struct Memories {
    list: Vec<Memory>,
    /// For each number the first one that names the same memory.
    same: Vec<usize>,
    /// The distinct memories that instructions use, by address: locked in this order, two runs cannot wait
    /// in a circle. Memory that no instruction uses is never made.
    order: Vec<usize>,
    /// Those that instructions write.
    written: Vec<bool>,
}

impl Memories {
    /// These memories, of which several may be one and the same; nobody uses them yet.
    pub(super) fn new(list: Vec<Memory>) -> Self {
        let first = |memory: &Memory| list.iter().position(|other| other.is(memory)).unwrap_or(0);
        let same = list.iter().map(first).collect();
        Self { list, same, order: Vec::new(), written: Vec::new() }
    }

    /// The same for instructions with these operands.
    pub(super) fn used_by(self, operands: impl IntoIterator<Item = Operand>) -> Self {
        let Self { list, same, .. } = self;
        let [mut used, mut written] = [(); 2].map(|()| vec![false; list.len()]);
        for operand in operands {
            let memory = same[operand.view.buffer];
            used[memory] = true;
            written[memory] |= operand.access == Access::Write;
        }
        let mut order: Vec<usize> = (0..list.len()).filter(|&i| used[i]).collect();
        order.sort_by_key(|&i| list[i].address());
        Self { list, same, order, written }
    }

    /// Makes the zeros that instructions read and write, all of them in each step: those of written buffers that
    /// keep their words between steps, as moments do.
    pub(super) fn settle(&self, keeps: impl Fn(usize) -> bool) {
        let settled = self.order.iter().filter(|&&i| self.written[i] && keeps(i));
        settled.for_each(|&i| self.list[i].lock().settle());
    }

    /// The first buffer that is the same memory as this one.
    pub(super) fn first(&self, buffer: usize) -> usize {
        self.same[buffer]
    }

    /// The words of a buffer's memory.
    pub(super) fn words(&self, buffer: usize) -> usize {
        self.list[buffer].lock().len()
    }

    /// The same with buffers in the memories of others: for each buffer the one in whose it lies.
    pub(super) fn placed(self, places: Vec<usize>) -> Self {
        Self { same: places, ..self }
    }

    /// Locks the memories and runs `work` with them.
    pub(super) fn check_out<R>(&self, work: impl FnOnce(&mut Bank) -> R) -> R {
        let mut guards: Vec<MutexGuard<'_, Words>> =
            self.order.iter().map(|&i| self.list[i].lock()).collect();
        let mut slots: Vec<Slot<'_>> = self.list.iter().map(|_| Slot::default()).collect();
        for (guard, &i) in guards.iter_mut().zip(&self.order) {
            slots[i] = match self.written[i] {
                true => Slot::Own(guard.own()),
                false => Slot::Read(guard.look()),
            };
        }
        work(&mut Bank { slots, same: &self.same })
    }
}

/// Where a buffer is while a program runs.
enum Slot<'a> {
    /// To write and to read.
    Own(&'a mut [f32]),
    /// To read only: a data set may be shared.
    Read(&'a [f32]),
}

impl Default for Slot<'_> {
    fn default() -> Self {
        Self::Read(&[])
    }
}

/// The buffers of a program while it runs, by their numbers in its views.
pub(super) struct Bank<'a> {
    slots: Vec<Slot<'a>>,
    same: &'a [usize],
}

impl Bank<'_> {
    /// The elements of a view, row-major.
    #[inline]
    pub(super) fn read(&self, view: View) -> &[f32] {
        match &self.slots[self.same[view.buffer]] {
            Slot::Own(words) => &words[view.range()],
            Slot::Read(words) => &words[view.range()],
        }
    }

    /// The elements of a view that holds row numbers or labels.
    #[inline]
    pub(super) fn read_u32(&self, view: View) -> &[u32] {
        bytemuck::must_cast_slice(self.read(view))
    }

    /// Takes an output's buffer out of the bank while `work` writes the view and reads others.
    #[inline]
    pub(super) fn write<R>(&mut self, view: View, work: impl FnOnce(&Self, &mut [f32]) -> R) -> R {
        let place = self.same[view.buffer];
        let mut slot = std::mem::take(&mut self.slots[place]);
        let result = work(self, slot.range(view));
        self.slots[place] = slot;
        result
    }

    /// The same for several outputs in buffers of their own; an output that is not there is empty.
    #[inline]
    pub(super) fn write_all<const N: usize, R>(
        &mut self,
        views: [Option<View>; N],
        work: impl FnOnce(&Self, [&mut [f32]; N]) -> R,
    ) -> R {
        let mut taken = [(); N].map(|()| Slot::default());
        for (slot, view) in taken.iter_mut().zip(&views) {
            if let Some(view) = view {
                *slot = std::mem::take(&mut self.slots[self.same[view.buffer]]);
            }
        }
        let mut outputs = [(); N].map(|()| <&mut [f32]>::default());
        for ((output, slot), view) in outputs.iter_mut().zip(&mut taken).zip(&views) {
            if let Some(view) = view {
                *output = slot.range(*view);
            }
        }
        let result = work(self, outputs);
        for (view, slot) in views.iter().zip(taken) {
            if let Some(view) = view {
                self.slots[self.same[view.buffer]] = slot;
            }
        }
        result
    }
}

impl Slot<'_> {
    /// The elements of a view, to write.
    #[inline]
    fn range(&mut self, view: View) -> &mut [f32] {
        match self {
            Self::Own(words) => &mut words[view.range()],
            Self::Read(_) => unreachable!("an instruction writes what its operands do not name"),
        }
    }
}
