//! Loss and Record.

use wgrad::nn::{Activation, Cache, Loss};
use wgrad::op::{Op, Shape};

use crate::common::Values;
use crate::common::activation::phi;
use crate::common::bench::{Minibatch, Picking, everywhere};
use crate::common::compare::{EPS, Expected, exact, rounded};
use crate::reference::{activations, cache, slope_of_cached, times};

const SIZES: [[usize; 2]; 9] =
    [[1, 1], [2, 10], [7, 3], [16, 16], [31, 17], [65, 2], [64, 129], [3, 4096], [70_000, 3]];

/// One row's targets.
enum Targets<'a> {
    Values(&'a [f32]),
    Label(usize),
}

/// One row's loss, and dL/dy.
fn row_loss(loss: Loss, outputs: &[f32], targets: &Targets) -> (Expected, Vec<Expected>) {
    let y: Vec<f64> = outputs.iter().map(|&y| f64::from(y)).collect();
    match (loss, targets) {
        (Loss::Mse, Targets::Values(t)) => {
            let differences: Vec<f64> = y.iter().zip(*t).map(|(y, &t)| y - f64::from(t)).collect();
            let sum: f64 = differences.iter().map(|d| d * d).sum();
            let gradient = differences.iter().map(|d| rounded(2.0 * d, 1.0, 2.0 * d)).collect();
            (rounded(sum, 4.0 + (y.len() as f64).sqrt(), sum), gradient)
        }
        (Loss::CrossEntropy, Targets::Label(label)) => {
            let largest = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total = largest + y.iter().map(|y| (y - largest).exp()).sum::<f64>().ln();
            // Equal terms, as relu's zeros give, make each addition round the same way.
            let roundings = 8.0 + y.len() as f64 / 16.0;
            let magnitude = largest.abs() + y[*label].abs();
            let value = rounded(total - y[*label], 2.0, magnitude);
            let gradient = |(class, &y): (usize, &f64)| {
                let p = (y - total).exp();
                let hot = f64::from(u8::from(class == *label));
                let within = rounded(p, roundings + 2.0 * (largest - y), p).within;
                Expected { value: p - hot, within: within + hot * EPS }
            };
            (
                Expected { within: value.within + roundings * EPS, ..value },
                y.iter().enumerate().map(gradient).collect(),
            )
        }
        (other, _) => panic!("no reference for {other}"),
    }
}

#[test]
fn loss() {
    for (i, [batch, outputs]) in SIZES.into_iter().enumerate() {
        for loss in Loss::ALL {
            for (j, activation) in activations(i).into_iter().enumerate() {
                loss_case(loss, activation, [batch, outputs], Picking::ALL[(i + j) % 3], 3.0);
            }
        }
    }
}

/// Outputs so large that an exponential overflows unless the maximum is subtracted.
#[test]
fn loss_of_large_outputs() {
    for picking in Picking::ALL {
        for loss in Loss::ALL {
            loss_case(loss, Activation::Identity, [17, 33], picking, 3000.0);
        }
    }
}

fn loss_case(
    loss: Loss,
    activation: Activation,
    [batch, outputs]: [usize; 2],
    picking: Picking,
    bound: f32,
) {
    let rows = Minibatch::new(picking, batch);
    let mut values = Values::new((batch + outputs) as u64);
    let z = values.within(bound, batch * outputs);
    let y: Vec<f32> = z.iter().map(|&z| phi(activation, f64::from(z)) as f32).collect();
    let kept = cache(activation, &z);
    let targets = values.within(1.0, rows.source_rows * outputs);
    let labels = values.below(outputs, rows.source_rows);
    let scale = 1.0 / (batch as f32);
    let (mut row_losses_expected, mut deltas) = (Vec::new(), Vec::new());
    for (i, &row) in rows.rows.iter().enumerate() {
        let at = |row: usize| row * outputs..(row + 1) * outputs;
        let target = match loss.takes_labels() {
            true => Targets::Label(labels[row] as usize),
            false => Targets::Values(&targets[at(row)]),
        };
        let (value, gradient) = row_loss(loss, &y[at(i)], &target);
        row_losses_expected.push(value);
        deltas.extend(
            gradient
                .iter()
                .zip(&kept[at(i)])
                .map(|(&g, &c)| times(times(g, exact(scale)), slope_of_cached(activation, c))),
        );
    }
    let shape = Shape::new(batch, outputs);
    everywhere(&format!("{loss} of {activation} {shape}, {picking:?}"), |bench| {
        let output = bench.values(shape, &y);
        let needs = activation.cache() != Cache::Nothing;
        let cached = needs.then(|| bench.values(shape, &kept));
        let source = match loss.takes_labels() {
            true => bench.integers(&labels),
            false => bench.values(Shape::new(rows.source_rows, outputs), &targets),
        };
        let targets = rows.place(bench, source);
        let delta = bench.output(shape);
        bench.expect(delta, &deltas);
        let row_losses = bench.output(Shape::new(batch, 1));
        bench.expect(row_losses, &row_losses_expected);
        Op::Loss { loss, activation, scale, output, cached, targets, delta, row_losses }
    });
}

#[test]
fn record() {
    for (batch, [slots, slot]) in [1, 7, 64, 65, 129, 4096, 70_000]
        .into_iter()
        .flat_map(|batch| [[1, 0], [5, 0], [5, 2], [5, 4]].map(|slot| (batch, slot)))
    {
        let losses_of_rows = Values::new(batch as u64).within(1.0, batch);
        let scale = 1.0 / batch as f32;
        let sum: f64 = losses_of_rows.iter().map(|&x| f64::from(x)).sum();
        let magnitude: f64 = losses_of_rows.iter().map(|&x| f64::from(x.abs())).sum();
        let expected = rounded(sum * f64::from(scale), 4.0, magnitude * f64::from(scale));
        everywhere(&format!("record of {batch} in slot {slot} of {slots}"), |bench| {
            let row_losses = bench.values(Shape::new(batch, 1), &losses_of_rows);
            let losses = bench.output(Shape::new(slots, 1));
            bench.args.slot = slot as u32;
            let one = Shape::new(1, 1);
            bench.expect(
                wgrad::op::View { shape: one, ..losses.at(losses.offset + slot) },
                vec![expected],
            );
            Op::Record { scale, row_losses, losses }
        });
    }
}
