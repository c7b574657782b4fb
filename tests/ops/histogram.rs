//! Histogram: counts are whole numbers, so every one must be right.

use wgrad::op::{MAX_BINS, Op, Shape};

use crate::common::Values;
use crate::common::bench::everywhere;
use crate::common::compare::{Expected, exact};

const SIZES: [[usize; 2]; 9] = [
    [1, 1],
    [1, 7],
    [31, 33],
    [63, 65],
    [64, 64],
    [17, 241],
    [3, 4096],
    [70_000, 3],
    [3, 1_000_000],
];

/// What the counts are as the words that hold them.
fn words(counts: &[u32]) -> Vec<Expected> {
    counts.iter().map(|&count| exact(f32::from_bits(count))).collect()
}

/// The counts, by the formula. Elements that rounding could bring into another bin move to the
/// middle of theirs.
fn counted(x: &mut [f32], [low, high]: [f32; 2], bins: usize) -> Vec<u32> {
    let (low, high) = (f64::from(low), f64::from(high));
    let mut counts = vec![0; bins];
    for x in x {
        let place = (f64::from(*x) - low) / (high - low) * bins as f64;
        if (place - place.round()).abs() < 1e-3 {
            *x = (low + (place.floor() + 0.5) * (high - low) / bins as f64) as f32;
        }
        let inside = (low..=high).contains(&f64::from(*x));
        if let Some(count) = counts.get_mut(place.floor() as usize).filter(|_| inside) {
            *count += 1;
        }
    }
    counts
}

#[test]
fn histogram() {
    for (seed, [rows, cols]) in SIZES.into_iter().enumerate() {
        for bins in [1, 3, 64, 300, MAX_BINS] {
            let shape = Shape::new(rows, cols);
            let mut x = Values::new(seed as u64).within(1.0, shape.len());
            // Some elements are outside.
            let bounds = [-0.75, 0.5];
            let counts = counted(&mut x, bounds, bins);
            everywhere(&format!("histogram of {shape} in {bins} bins"), |bench| {
                let input = bench.values(shape, &x);
                let bounds = bench.values(Shape::new(1, 2), &bounds);
                let output = bench.output(Shape::new(1, bins));
                bench.expect(output, words(&counts));
                Op::Histogram { input, bounds, output }
            });
        }
    }
}

/// Edges belong to the bin above them, the upper bound to the last bin; NaN and what is outside to
/// none; and no bound makes a count wrong.
#[test]
fn edges_and_numbers_that_are_none() {
    let (inf, nan, max) = (f32::INFINITY, f32::NAN, f32::MAX);
    let tiny = f32::MIN_POSITIVE;
    let cases: [(&[f32], [f32; 2], [u32; 4]); 9] = [
        (&[0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 4.0], [1, 1, 1, 2]),
        (&[-0.1, 4.1, nan, inf, -inf, 0.9], [0.0, 4.0], [1, 0, 0, 0]),
        (&[2.5, 2.5, nan, 2.6], [2.5, 2.5], [2, 0, 0, 0]),
        (&[0.0, 0.0], [0.0, 0.0], [2, 0, 0, 0]),
        (&[0.0, tiny], [0.0, tiny], [2, 0, 0, 0]),
        (&[-max, -0.1 * max, 0.1 * max, max], [-max, max], [1, 1, 1, 1]),
        (&[0.0, 1.0], [1.0, 0.0], [0; 4]),
        (&[0.0, 1.0, inf], [0.0, inf], [0; 4]),
        (&[0.0, 1.0, nan], [nan, 1.0], [0; 4]),
    ];
    for (x, bounds, counts) in cases {
        everywhere(&format!("histogram of {x:?} from {bounds:?}"), |bench| {
            let input = bench.values(Shape::new(1, x.len()), x);
            let bounds = bench.values(Shape::new(1, 2), &bounds);
            let output = bench.output(Shape::new(1, 4));
            bench.expect(output, words(&counts));
            Op::Histogram { input, bounds, output }
        });
    }
}
