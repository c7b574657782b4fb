//! Buffers that are needed at different times, in one memory.
//!
//! Each layer of a program has buffers of its own for its activations and deltas. A delta can lie
//! where an activation was that nobody needs any more: of a deep network with layers of one width
//! half of these buffers are never written, and pages that nobody writes take no memory.

use std::cmp::Reverse;
use std::ops::Range;

use super::instruction::Instruction;
use crate::op::Access;
use crate::program::Program;

/// The least words of a buffer that is worth it: 16 KiB. Sharing cost steps of a microsecond or two
/// up to a fiftieth of their time.
const LEAST: usize = 4096;

/// For each buffer the one in whose memory it lies. `memory` tells what memory a buffer is as the
/// programs were given it, and `words` how large that is.
pub(super) fn share(
    programs: &[Program],
    lists: &[Vec<Instruction>],
    memory: impl Fn(usize) -> usize,
    words: impl Fn(usize) -> usize,
) -> Vec<usize> {
    let count = programs.first().map_or(0, |program| program.buffers.len());
    let mut places: Vec<usize> = (0..count).map(&memory).collect();
    let is_alone = |buffer| (0..count).all(|other| other == buffer || places[other] != buffer);
    let lives = |buffer| {
        let programs = programs.iter().zip(lists);
        let lives: Option<Vec<_>> =
            programs.map(|(program, list)| Life::of(program, list, buffer)).collect();
        // Memory that no program uses is left alone.
        lives.filter(|lives| lives.iter().any(|life| !life.0.is_empty()))
    };
    let mut buffers: Vec<(usize, Vec<Life>)> = (0..count)
        .filter(|&buffer| places[buffer] == buffer && is_alone(buffer) && words(buffer) >= LEAST)
        .filter_map(|buffer| Some((buffer, lives(buffer)?)))
        .collect();
    // The largest first, as others can lie in them, and those of one size as they are needed.
    let start = |lives: &[Life]| lives.first().map_or(0, |life| life.0.start);
    buffers.sort_by_key(|(buffer, lives)| (Reverse(words(*buffer)), start(lives)));
    let mut shared: Vec<(usize, Vec<Vec<Life>>)> = Vec::new();
    for (buffer, lives) in buffers {
        let apart = |other: &Vec<Life>| other.iter().zip(&lives).all(|(a, b)| a.is_apart(b));
        // Of those that are free the smallest.
        let free = shared.iter_mut().rev().find(|(_, others)| others.iter().all(apart));
        match free {
            Some((place, others)) => {
                places[buffer] = *place;
                others.push(lives);
            }
            None => shared.push((buffer, vec![lives])),
        }
    }
    places
}

/// The instructions of a program from the first that uses a buffer to the last.
#[derive(Debug, Clone, PartialEq)]
struct Life(Range<usize>);

impl Life {
    /// None if it matters what the buffer holds before the program or after it; empty if the program
    /// does not use it.
    fn of(program: &Program, list: &[Instruction], buffer: usize) -> Option<Self> {
        let spec = &program.buffers[buffer];
        let uses = |instruction: &Instruction| instruction.uses(buffer);
        let (Some(first), Some(last)) = (list.iter().position(uses), list.iter().rposition(uses))
        else {
            return spec.transient.then_some(Self(0..0));
        };
        let operands = list[first].operands();
        let mut operands = operands.iter().filter(|operand| operand.view.buffer == buffer);
        let written = operands.all(|operand| {
            operand.access == Access::Write && operand.view.range() == (0..spec.words)
        });
        (spec.transient && written).then_some(Self(first..last + 1))
    }

    fn is_apart(&self, other: &Self) -> bool {
        self.0.end <= other.0.start || other.0.end <= self.0.start
    }
}
