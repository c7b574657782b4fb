//! Transpose, Gather, Scatter and Keep: they move elements, so every bit must be right.

use wgrad::op::{Op, Shape, StepArgs, View};

use crate::common::Values;
use crate::common::bench::{Minibatch, Picking, everywhere};
use crate::common::compare::{Expected, exact};

const SIZES: [[usize; 2]; 10] = [
    [1, 1],
    [1, 129],
    [127, 1],
    [2, 3],
    [15, 17],
    [16, 16],
    [33, 31],
    [64, 65],
    [129, 63],
    [70_000, 3],
];

fn exactly(values: impl IntoIterator<Item = f32>) -> Vec<Expected> {
    values.into_iter().map(exact).collect()
}

/// Rows `first..first + count` of a view.
fn rows_of(view: View, first: usize, count: usize) -> View {
    let cols = view.shape.cols;
    View { offset: view.offset + first * cols, shape: Shape::new(count, cols), ..view }
}

#[test]
fn transpose() {
    for [rows, cols] in SIZES.into_iter().chain([[3, 70_000]]) {
        let shape = Shape::new(rows, cols);
        let x = Values::new(rows as u64).within(1.0, shape.len());
        let expected = exactly((0..shape.len()).map(|at| x[at % rows * cols + at / rows]));
        everywhere(&format!("transpose {shape}"), |bench| {
            let input = bench.values(shape, &x);
            let output = bench.output(shape.transposed());
            bench.expect(output, &expected);
            Op::Transpose { input, output }
        });
    }
}

#[test]
fn gather() {
    for ([count, cols], picking) in
        SIZES.into_iter().flat_map(|size| Picking::ALL.map(|picking| (size, picking)))
    {
        let rows = Minibatch::new(picking, count);
        let x = Values::new(cols as u64).within(1.0, rows.source_rows * cols);
        // The source whole, then in two parts, of which one is executed at a time.
        let middle = rows.source_rows / 2;
        for part in [0..rows.source_rows, 0..middle, middle..rows.source_rows] {
            if part.is_empty() {
                continue;
            }
            let context = format!("gather ({count}, {cols}) {picking:?}, rows {part:?}");
            everywhere(&context, |bench| {
                let values = &x[part.start * cols..part.end * cols];
                let source = bench.values(Shape::new(part.len(), cols), values);
                let picked = rows.place(bench, source);
                let output = bench.output(Shape::new(count, cols));
                // Rows of the other part have no expectation: they must stay as they are.
                for (i, &row) in rows.rows.iter().enumerate().filter(|(_, row)| part.contains(row))
                {
                    let values = x[row * cols..(row + 1) * cols].iter().copied();
                    bench.expect(rows_of(output, i, 1), exactly(values));
                }
                Op::Gather { rows: picked, first: part.start, output }
            });
        }
    }
}

#[test]
fn scatter() {
    for ([rows, cols], first) in SIZES.into_iter().flat_map(|size| [(size, 0), (size, 5)]) {
        let shape = Shape::new(rows, cols);
        let x = Values::new(rows as u64).within(1.0, shape.len());
        everywhere(&format!("scatter {shape} from row {first}"), |bench| {
            let input = bench.values(shape, &x);
            let output = bench.output(Shape::new(rows + first + 2, cols));
            bench.args.first_row = first as u32;
            bench.expect(rows_of(output, first, rows), exactly(x.iter().copied()));
            Op::Scatter { input, output }
        });
    }
}

#[test]
fn keep() {
    for [rows, cols] in SIZES {
        let shape = Shape::new(rows, cols);
        let x = Values::new(cols as u64).within(1.0, shape.len());
        for row in [Some(0), Some(2), None] {
            everywhere(&format!("keep {shape} in row {row:?}"), |bench| {
                let input = bench.values(shape, &x);
                let output = bench.output(Shape::new(4, shape.len()));
                bench.args.keep = row.map_or(StepArgs::KEEP_NOTHING, |row| row as u32);
                if let Some(row) = row {
                    bench.expect(rows_of(output, row, 1), exactly(x.iter().copied()));
                }
                Op::Keep { input, output }
            });
        }
    }
}
