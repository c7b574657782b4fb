//! Runs one op under guard.
//!
//! Every operand lies in a larger buffer, behind and before words with a guard pattern; outputs are
//! poisoned with NaN. After the run every word that is not expected to be written must have its old
//! bits, inputs included, and a second run must give the bits of the first.

use std::borrow::Cow;

use wgrad::op::{Op, Pick, Rows, Shape, StepArgs, View};
use wgrad::{Buffer, Device};

use super::compare::{Expected, deviation};
use super::devices;

/// As f32 a large number: a kernel that reads beyond its operand computes nonsense.
const GUARD: u32 = 0xdead_beef;

/// A quiet NaN with a mark.
const POISON: u32 = 0x7fc0_0bad;

/// Words before the operands of one op, in turn: on cache lines, and anywhere.
const PLACES: [[usize; 4]; 2] = [[64, 128, 16, 32], [5, 1, 3, 18]];

/// The operands of one op, and what is expected of it.
pub struct Bench<'a> {
    places: [usize; 4],
    images: Vec<Vec<u32>>,
    expected: Vec<(View, Cow<'a, [Expected]>)>,
    pub args: StepArgs,
}

/// Lays out a case and runs it: on every device, with aligned and with odd places, twice.
///
/// `case` makes the operands, says what is expected, and gives the op.
pub fn everywhere<'a>(context: &str, case: impl Fn(&mut Bench<'a>) -> Op) {
    for device in devices() {
        for places in PLACES {
            let mut bench = Bench::new(places);
            let op = case(&mut bench);
            bench.run(device, &op, &format!("{context} on {device}, at {places:?}"));
        }
    }
}

impl<'a> Bench<'a> {
    fn new(places: [usize; 4]) -> Self {
        Self { places, images: Vec::new(), expected: Vec::new(), args: StepArgs::default() }
    }

    /// An operand that holds `values`; it may be written too.
    pub fn values(&mut self, shape: Shape, values: &[f32]) -> View {
        assert_eq!(shape.len(), values.len(), "a case must give all values of an operand");
        self.place(shape, values.iter().map(|x| x.to_bits()).collect())
    }

    /// A column of u32: labels or row numbers.
    pub fn integers(&mut self, values: &[u32]) -> View {
        self.place(Shape::new(values.len(), 1), values.to_vec())
    }

    /// An operand to be written.
    pub fn output(&mut self, shape: Shape) -> View {
        self.place(shape, vec![POISON; shape.len()])
    }

    /// An operand to be written, in the buffer of another one; it may hold something already.
    pub fn beside(&mut self, other: View, shape: Shape, values: Option<&[f32]>) -> View {
        let image = &mut self.images[other.buffer];
        let offset = image.len();
        match values {
            Some(values) => image.extend(values.iter().map(|x| x.to_bits())),
            None => image.extend(vec![POISON; shape.len()]),
        }
        image.extend([GUARD; 7]);
        View::new(other.buffer, shape).at(offset)
    }

    /// Says what the op leaves in a view. What no expectation covers must stay as it was.
    pub fn expect(&mut self, view: View, expected: impl Into<Cow<'a, [Expected]>>) {
        self.expected.push((view, expected.into()));
    }

    fn place(&mut self, shape: Shape, words: Vec<u32>) -> View {
        let buffer = self.images.len();
        let before = self.places[buffer % self.places.len()];
        self.images.push([vec![GUARD; before], words, vec![GUARD; 37]].concat());
        View::new(buffer, shape).at(before)
    }

    fn run(&self, device: &Device, op: &Op, context: &str) {
        let after = self.execute(device, op, context);
        for (view, expected) in &self.expected {
            let got: Vec<f32> =
                after[view.buffer][view.range()].iter().map(|&bits| f32::from_bits(bits)).collect();
            if let Some(deviation) = deviation(&got, expected) {
                panic!("{context}: buffer {} from {}: {deviation}", view.buffer, view.offset);
            }
        }
        for (buffer, (after, before)) in after.iter().zip(&self.images).enumerate() {
            let mut may_differ = vec![false; before.len()];
            for (view, _) in self.expected.iter().filter(|(view, _)| view.buffer == buffer) {
                may_differ[view.range()].fill(true);
            }
            let strayed = (0..before.len()).find(|&i| after[i] != before[i] && !may_differ[i]);
            assert_eq!(strayed, None, "{context}: wrote this word of buffer {buffer}");
        }
        assert!(self.execute(device, op, context) == after, "{context}: a second run differs");
    }

    /// Uploads the operands, executes the op, and reads every buffer back.
    fn execute(&self, device: &Device, op: &Op, context: &str) -> Vec<Vec<u32>> {
        let buffers: Vec<Buffer> = (self.images.iter())
            .map(|image| device.upload(image).unwrap_or_else(|e| panic!("{context}: {e}")))
            .collect();
        let handles: Vec<&Buffer> = buffers.iter().collect();
        device.execute(op, &handles, &self.args).unwrap_or_else(|e| panic!("{context}: {e}"));
        let read = |buffer: &Buffer| buffer.read().unwrap_or_else(|e| panic!("{context}: {e}"));
        buffers.iter().map(read).collect()
    }
}

/// How a case's minibatch is picked from more rows than it needs.
#[derive(Debug, Clone, Copy)]
pub enum Picking {
    All,
    Range,
    Order,
}

impl Picking {
    pub const ALL: [Self; 3] = [Self::All, Self::Range, Self::Order];
}

/// A minibatch: where each of its rows lies in a source, and how an op is told.
pub struct Minibatch {
    picking: Picking,
    /// The source's row of each row of the minibatch.
    pub rows: Vec<usize>,
    /// The rows of the source.
    pub source_rows: usize,
}

impl Minibatch {
    /// What comes before the minibatch in its source or in its row order.
    const FIRST: usize = 3;

    pub fn new(picking: Picking, count: usize) -> Self {
        let source_rows = match picking {
            Picking::All => count,
            Picking::Range | Picking::Order => count + Self::FIRST + 2,
        };
        let rows = match picking {
            Picking::All => (0..count).collect(),
            Picking::Range => (Self::FIRST..Self::FIRST + count).collect(),
            // Scattered over the source, some rows twice, the last one first.
            Picking::Order => (0..count).map(|i| source_rows - 1 - (i * 7) % source_rows).collect(),
        };
        Self { picking, rows, source_rows }
    }

    /// The rows for an op, whose source is at `source`, and the step's first row.
    pub fn place(&self, bench: &mut Bench<'_>, source: View) -> Rows {
        let count = self.rows.len();
        let pick = match self.picking {
            Picking::All => Pick::All,
            Picking::Range => Pick::Range,
            Picking::Order => {
                // Around the minibatch are row numbers that no source has.
                let outside = [u32::MAX; Self::FIRST];
                let rows: Vec<u32> = self.rows.iter().map(|&row| row as u32).collect();
                Pick::Order(bench.integers(&[&outside[..], &rows[..], &outside[..]].concat()))
            }
        };
        if !matches!(self.picking, Picking::All) {
            bench.args.first_row = Self::FIRST as u32;
        }
        Rows { source, pick, count }
    }
}
