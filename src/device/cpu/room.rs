//! Where the words of a buffer lie.
//!
//! Allocators begin all large pieces at one place of a page. An update walks along parameters and moments
//! side by side: of each it would load what ends in the same 12 bits as what it has just stored, which
//! processors take for one address until they know better. Adam took twice as long (Zen 4). So buffers
//! begin at cache lines, and large ones at different places of a page.

use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The words of a cache line, and of a page.
const LINE: usize = 16;
const PAGE: usize = 1024;

/// The fewest words of a large buffer: smaller ones begin at any cache line.
const LARGE: usize = 4 * PAGE;

/// The fewest words that are mapped: 1 MiB. The system has them back as soon as they are not used any more, where an
/// allocator keeps them for pieces that may not fit, or are filled with zeros.
const MAPPED: usize = 256 * PAGE;

/// Words at a place of their own in a page.
#[derive(Debug, Default)]
pub(crate) struct Room {
    memory: Memory,
    start: usize,
    len: usize,
}

/// Where the words are.
#[derive(Debug)]
enum Memory {
    Heap(Vec<f32>),
    Mapped(MmapMut),
}

impl Memory {
    fn zeros(len: usize) -> Self {
        let mapped = (len >= MAPPED).then(|| MmapMut::map_anon(len * size_of::<f32>()));
        // Where nothing can be mapped, as in a browser, there is the heap.
        mapped.and_then(Result::ok).map_or_else(|| Self::Heap(vec![0.0; len]), Self::Mapped)
    }

    fn words(&self) -> &[f32] {
        match self {
            Self::Heap(words) => words,
            Self::Mapped(bytes) => bytemuck::cast_slice(bytes),
        }
    }

    fn words_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Heap(words) => words,
            Self::Mapped(bytes) => bytemuck::cast_slice_mut(bytes),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::Heap(Vec::new())
    }
}

impl Room {
    /// So many zeros.
    pub(super) fn zeros(len: usize) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let (unit, place) = match len < LARGE {
            true => (LINE, 0),
            false => (PAGE, place(NUMBER.fetch_add(1, Ordering::Relaxed))),
        };
        let memory = Memory::zeros(len + unit);
        let from = memory.words().as_ptr().addr() / size_of::<f32>();
        Self { start: (place + unit - from % unit) % unit, memory, len }
    }
}

impl Room {
    /// So many zeros, all of which will be read and then written: the system finds memory for them now, in large
    /// pages where it has some.
    ///
    /// Else it would find each small page twice, one of zeros that all share to read, and one to write, for which
    /// every core has to forget the first: 5 to 10 microseconds for each page of moments, a third of a large
    /// network's first step.
    pub(super) fn settled(len: usize) -> Self {
        let mut room = Self::zeros(len);
        #[cfg(target_os = "linux")]
        if let Memory::Mapped(bytes) = &room.memory {
            // Where there are none, small ones do.
            let _ = bytes.advise(memmap2::Advice::HugePage);
        }
        room.iter_mut().step_by(PAGE).for_each(|word| *word = std::hint::black_box(0.0));
        room
    }

    /// Makes room for so many words: zeros, if there were fewer. Memory that is never written takes none.
    pub(super) fn grow(&mut self, len: usize) {
        if self.len < len {
            *self = Self::zeros(len);
        }
    }
}

/// The place in its page of large buffer `number`, in words.
fn place(number: usize) -> usize {
    /// Lines between a buffer and the next, without a divisor in common with the lines of a page that are used.
    const STEP: usize = 13;
    /// Lines that are left to pieces that come from elsewhere: they lie where the allocator puts them.
    const LEFT: usize = 2;
    let lines = PAGE / LINE - LEFT;
    LINE * (LEFT + number % lines * STEP % lines)
}

impl From<Vec<f32>> for Room {
    fn from(words: Vec<f32>) -> Self {
        Self { start: 0, len: words.len(), memory: Memory::Heap(words) }
    }
}

impl Deref for Room {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory.words()[self.start..self.start + self.len]
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory.words_mut()[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGE, LINE, MAPPED, PAGE, Room, place};

    #[test]
    fn buffers_made_one_after_the_other_begin_at_lines_that_are_apart() {
        for first in 0..PAGE {
            let lines = [0, 1, 2, 3].map(|next| place(first + next) / LINE);
            for (i, line) in lines.iter().enumerate() {
                assert!(*line > 1 && *line < PAGE / LINE);
                assert!(lines[..i].iter().all(|other| other.abs_diff(*line) > 1), "{lines:?}");
            }
        }
    }

    #[test]
    fn buffers_begin_at_lines_and_are_zeros() {
        for len in [0, 1, LARGE - 1, LARGE, LARGE + 3, 5 * LARGE, MAPPED, MAPPED + 5] {
            for room in [Room::zeros(len), Room::settled(len)] {
                assert!(room.len() == len && room.iter().all(|x| *x == 0.0));
                assert_eq!(room.as_ptr().addr() % (4 * LINE), 0);
            }
        }
    }
}
