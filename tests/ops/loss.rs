//! Loss, Weigh and Record.

use wgrad::nn::{Activation, Cache, Domain, Loss, TargetKind};
use wgrad::op::{Op, Shape};

use crate::common::Values;
use crate::common::activation::phi;
use crate::common::bench::{Minibatch, Picking, everywhere};
use crate::common::compare::{EPS, Expected, TINY, exact, rounded};
use crate::common::losses::{self, Target};
use crate::reference::{cache, slope_of_cached, times};

const SIZES: [[usize; 2]; 9] =
    [[1, 1], [2, 10], [7, 3], [16, 16], [31, 17], [65, 2], [33, 129], [3, 4096], [40_000, 3]];

/// The losses with constants other than the defaults.
const CONSTANTS: [Loss; 4] =
    [Loss::Huber(0.3), Loss::SmoothL1(0.7), Loss::Quantile(0.9), Loss::SmoothedCrossEntropy(0.25)];

/// How far rounding may lead a row's loss and its gradient, in units of f32's precision; `adding` is
/// what a sum over the row may lose of the sum of its terms' magnitudes.
fn roundings(
    loss: Loss,
    y: &[f64],
    target: Target,
    positive: Option<&[f64]>,
    adding: f64,
) -> (f64, Vec<f64>) {
    let t = &target.values(y.len());
    match loss {
        Loss::Nll => (y.iter().zip(t).map(|(y, t)| (y * t).abs()).sum(), vec![0.0; y.len()]),
        Loss::Cosine => {
            let length = y.iter().map(|y| y * y).sum::<f64>().sqrt().max(1e-8);
            (12.0 + adding, vec![2.0 * (12.0 + adding) / length; y.len()])
        }
        Loss::CrossEntropy => of_entropy(y, t, adding),
        Loss::SmoothedCrossEntropy(epsilon) => {
            let (keep, share) = (1.0 - f64::from(epsilon), f64::from(epsilon) / y.len() as f64);
            of_entropy(y, &t.iter().map(|t| keep * t + share).collect::<Vec<_>>(), adding)
        }
        _ => {
            let weight = |j: usize| positive.map_or(1.0, |positive| positive[j]);
            let pairs = (0..y.len()).map(|j| of_term(loss, y[j], t[j], weight(j)));
            let (values, slopes): (Vec<f64>, Vec<f64>) = pairs.unzip();
            (values.iter().sum::<f64>() * (1.0 + adding / 4.0), slopes)
        }
    }
}

fn of_entropy(y: &[f64], t: &[f64], adding: f64) -> (f64, Vec<f64>) {
    let largest = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mass: f64 = t.iter().sum();
    let below: f64 = y.iter().zip(t).map(|(y, t)| t * (largest - y)).sum();
    let logs = losses::log_softmax(y);
    // An exponential errs by its argument's rounding too.
    let likely = |j: usize| mass * logs[j].exp() * (8.0 + adding + 2.0 * (largest - y[j]));
    let slopes = (0..y.len()).map(|j| likely(j) + 2.0 * t[j]).collect();
    ((2.0 + adding) * below + mass * (8.0 + adding), slopes)
}

fn of_term(loss: Loss, y: f64, t: f64, positive: f64) -> (f64, f64) {
    let (single, weight) = ([t], [positive]);
    let (target, weight) = (Target::Values(&single), Some(&weight[..]));
    let value = losses::row(loss, &[y], target, weight).abs();
    let slope = losses::gradient(loss, &[y], target, weight)[0].abs();
    match loss {
        // d^2 / 2 near 0; |d| - ln 2 cancels most where the branches meet.
        Loss::LogCosh => (12.0 * value, 4.0 * slope),
        Loss::Poisson => {
            let rate = y.exp() * (4.0 + 2.0 * y.abs());
            (rate + 2.0 * (t * y).abs(), rate + t.abs())
        }
        Loss::Bce => (10.0 * value, 4.0 * slope),
        Loss::BceWithLogits => {
            let (hot, cold) = (positive * t.abs(), (1.0 - t).abs());
            let e = (-y.abs()).exp();
            let (up, down) = if y < 0.0 { (e, 1.0) } else { (1.0, e) };
            let tail = 12.0 + 2.0 * y.abs();
            (value * tail, tail * (cold * up + hot * down))
        }
        // WGSL's logarithm errs absolutely near 1.
        Loss::KlDivergence if t > 0.0 => (6.0 * t * (y.abs() + t.ln().abs() + 1.0), 0.0),
        Loss::Hinge => (2.0 * value.min(1.0 + y.abs()) + y.abs(), 0.0),
        Loss::SquaredHinge => (6.0 * value + 4.0 * value.sqrt(), 6.0 * slope + 4.0),
        _ => (4.0 * value, 3.0 * slope),
    }
}

/// The network's output as the loss takes it, for pre-activations z.
fn outputs(loss: Loss, activation: Activation, z: &[f32]) -> Vec<f32> {
    let y = |&z: &f32| {
        let value = phi(activation, f64::from(z)) as f32;
        match loss.domain() {
            Domain::Probabilities => 0.01 + 0.98 * (0.5 + 0.5 * z.sin()),
            Domain::LogProbabilities => -z.abs(),
            // e^y has to be a number.
            _ if loss == Loss::Poisson => value.clamp(-30.0, 30.0),
            _ => value,
        }
    };
    z.iter().map(y).collect()
}

/// What one op is tested with.
#[derive(Clone, Copy)]
struct Case {
    loss: Loss,
    kind: TargetKind,
    activation: Activation,
    batch: usize,
    outputs: usize,
    picking: Picking,
    /// The largest pre-activation.
    bound: f32,
    weighted: bool,
    positive: bool,
}

impl Case {
    fn new(
        loss: Loss,
        kind: TargetKind,
        activation: Activation,
        [batch, outputs]: [usize; 2],
    ) -> Self {
        Self {
            loss,
            kind,
            activation,
            batch,
            outputs,
            picking: Picking::All,
            bound: 3.0,
            weighted: false,
            positive: false,
        }
    }

    fn run(self) {
        let Self { loss, activation, batch, outputs, .. } = self;
        let rows = Minibatch::new(self.picking, batch);
        let mut values = Values::new((batch + outputs) as u64);
        let z = values.within(self.bound, batch * outputs);
        let y = self::outputs(loss, activation, &z);
        let kept = cache(activation, &z);
        let targets = losses::targets(loss, &mut values, rows.source_rows, outputs);
        let labels = values.below(outputs, rows.source_rows);
        // Some rows do not count.
        let weights: Vec<f32> = values.within(1.0, batch).iter().map(|w| w.max(0.0)).collect();
        let positive: Vec<f32> = values.within(0.9, outputs).iter().map(|p| 1.0 + p).collect();
        let scale = 1.0 / (batch as f32);

        let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| f64::from(x)).collect() };
        let wide_positive = self.positive.then(|| wide(&positive));
        let adding = 2.0 + outputs as f64 / 64.0;
        let (mut row_losses, mut deltas) = (Vec::new(), Vec::new());
        for (i, &row) in rows.rows.iter().enumerate() {
            let at = |row: usize| row * outputs..(row + 1) * outputs;
            let (y, t) = (wide(&y[at(i)]), wide(&targets[at(row)]));
            let target = match self.kind {
                TargetKind::Labels => Target::Label(labels[row] as usize),
                TargetKind::Values => Target::Values(&t),
            };
            let positive = wide_positive.as_deref();
            let weight = exact(if self.weighted { weights[i] } else { 1.0 });
            let (of_value, of_slopes) = roundings(loss, &y, target, positive, adding);
            let near = |value: f64, roundings: f64| Expected {
                value,
                within: roundings * EPS + 4.0 * TINY,
            };
            row_losses.push(times(near(losses::row(loss, &y, target, positive), of_value), weight));
            let gradient = losses::gradient(loss, &y, target, positive);
            deltas.extend(gradient.iter().zip(of_slopes).zip(&kept[at(i)]).map(|((&g, r), &c)| {
                let scaled = times(times(near(g, r), exact(scale)), weight);
                times(scaled, slope_of_cached(activation, c))
            }));
        }

        let shape = Shape::new(batch, outputs);
        let context = format!(
            "{loss:?} of {:?}, {activation} {shape}, {:?}, weighted {}, positive {}",
            self.kind, self.picking, self.weighted, self.positive
        );
        everywhere(&context, |bench| {
            let output = bench.values(shape, &y);
            let needs = activation.cache() != Cache::Nothing;
            let cached = needs.then(|| bench.values(shape, &kept));
            let source = match self.kind {
                TargetKind::Labels => bench.integers(&labels),
                TargetKind::Values => bench.values(Shape::new(rows.source_rows, outputs), &targets),
            };
            let targets = rows.place(bench, source);
            let column = Shape::new(batch, 1);
            let weights = self.weighted.then(|| bench.values(column, &weights));
            let positive = self.positive.then(|| bench.values(Shape::new(1, outputs), &positive));
            let delta = bench.output(shape);
            bench.expect(delta, &deltas);
            let of_rows = bench.output(column);
            bench.expect(of_rows, &row_losses);
            Op::Loss {
                loss,
                activation,
                scale,
                output,
                cached,
                targets,
                kind: self.kind,
                weights,
                positive,
                delta,
                row_losses: of_rows,
            }
        });
    }
}

/// Every loss with every kind of targets that it takes.
fn kinds() -> impl Iterator<Item = (Loss, TargetKind)> {
    let all = Loss::ALL.into_iter().chain(CONSTANTS);
    all.flat_map(|loss| losses::kinds(loss).into_iter().map(move |kind| (loss, kind)))
}

#[test]
fn loss_of_every_size() {
    for (i, (loss, kind)) in kinds().enumerate() {
        for (j, size) in SIZES.into_iter().enumerate() {
            let picking = Picking::ALL[(i + j) % 3];
            let case = Case::new(loss, kind, Activation::Identity, size);
            Case { picking, weighted: j % 2 == 1, ..case }.run();
        }
    }
}

#[test]
fn loss_after_every_activation() {
    for (loss, kind) in kinds() {
        for activation in Activation::ALL {
            Case::new(loss, kind, activation, [5, 7]).run();
        }
    }
}

/// Outputs so large that an exponential overflows unless the maximum is subtracted.
#[test]
fn loss_of_large_outputs() {
    for (loss, kind) in kinds() {
        for bound in [100.0, 1e4] {
            let case = Case::new(loss, kind, Activation::Identity, [17, 33]);
            Case { bound, picking: Picking::Order, ..case }.run();
        }
    }
}

#[test]
fn loss_with_positive_weights() {
    for [weighted, positive] in [[false, true], [true, true]] {
        for size in [[1, 1], [33, 5], [2, 300]] {
            let (loss, kind) = (Loss::BceWithLogits, TargetKind::Values);
            let case = Case::new(loss, kind, Activation::Identity, size);
            Case { weighted, positive, ..case }.run();
        }
    }
}

/// On a kink's either side: outputs as near to it as f32 has them, and further.
#[test]
fn loss_at_the_sides_of_kinks() {
    let next =
        |x: f32, up: bool| f32::from_bits(x.to_bits().wrapping_add_signed(if up { 1 } else { -1 }));
    let sides = |kink: f32| [next(kink, false), next(kink, true), kink - 0.1, kink + 0.1];
    for (loss, kinks) in [
        (Loss::Mae, &[0.25f32][..]),
        (Loss::Huber(1.0), &[1.25, -0.75]),
        (Loss::SmoothL1(0.5), &[0.75, -0.25]),
        (Loss::Quantile(0.9), &[0.25]),
        (Loss::Hinge, &[4.0]),
        (Loss::SquaredHinge, &[4.0]),
        (Loss::LogCosh, &[1.25, -0.75]),
    ] {
        // Every target is 1/4, so that differences and products are exact.
        let y: Vec<f32> = kinks.iter().flat_map(|&kink| sides(kink)).collect();
        let targets = vec![0.25f32; y.len()];
        let t = [0.25];
        let row = |&y: &f32| {
            let (y, target) = ([f64::from(y)], Target::Values(&t));
            let (value, slope) = of_term(loss, y[0], 0.25, 1.0);
            let near = |value: f64, by: f64| Expected { value, within: by * EPS + 4.0 * TINY };
            let gradient = losses::gradient(loss, &y, target, None)[0];
            (near(losses::row(loss, &y, target, None), value), near(gradient, slope))
        };
        let (values, slopes): (Vec<Expected>, Vec<Expected>) = y.iter().map(row).unzip();
        let column = Shape::new(y.len(), 1);
        everywhere(&format!("{loss:?} at {kinks:?}"), |bench| {
            let output = bench.values(column, &y);
            let targets = wgrad::op::Rows::all(bench.values(column, &targets));
            let delta = bench.output(column);
            bench.expect(delta, &slopes);
            let row_losses = bench.output(column);
            bench.expect(row_losses, &values);
            Op::Loss {
                loss,
                activation: Activation::Identity,
                scale: 1.0,
                output,
                cached: None,
                targets,
                kind: TargetKind::Values,
                weights: None,
                positive: None,
                delta,
                row_losses,
            }
        });
    }
}

#[test]
fn weigh() {
    for (i, batch) in [1, 7, 64, 65, 4_096, 4_097, 70_001].into_iter().enumerate() {
        for cols in [1, 2] {
            let rows = Minibatch::new(Picking::ALL[(i + cols) % 3], batch);
            let count = rows.source_rows * cols;
            let mut values = Values::new(batch as u64);
            let weights: Vec<f32> =
                values.within(2.0, count).iter().map(|w| w.max(0.0) + f32::EPSILON).collect();
            let at = |row: usize, col: usize| f64::from(weights[row * cols + col]);
            let sum: f64 = rows.rows.iter().map(|&row| at(row, cols - 1)).sum();
            for mean in [true, false] {
                let scale = if mean { batch as f64 / sum } else { 1.0 };
                let roundings = if mean { 8.0 } else { 0.0 };
                let expected: Vec<Expected> = (rows.rows.iter())
                    .map(|&row| scale * at(row, 0))
                    .map(|value| rounded(value, roundings, value))
                    .collect();
                let context = format!("weigh {batch} of {cols} columns, mean {mean}");
                everywhere(&context, |bench| {
                    let source = bench.values(Shape::new(rows.source_rows, cols), &weights);
                    let weights = rows.place(bench, source);
                    let output = bench.output(Shape::new(batch, 1));
                    bench.expect(output, &expected);
                    Op::Weigh { weights, mean, output }
                });
            }
        }
    }
}

/// A minibatch in which no row counts has no gradient, and not a NaN for one.
#[test]
fn weigh_rows_that_do_not_count() {
    everywhere("weights of 0", |bench| {
        let source = bench.values(Shape::new(5, 1), &[0.0; 5]);
        let output = bench.output(Shape::new(5, 1));
        bench.expect(output, vec![exact(0.0); 5]);
        Op::Weigh { weights: wgrad::op::Rows::all(source), mean: true, output }
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
