//! The losses with one term a row.

use super::Target;
use super::sum::{sum, sum_by};
use crate::nn::Real;

/// The least length of a vector in [`Loss::Cosine`](super::Loss::Cosine), as PyTorch has it.
const LEAST_LENGTH: f64 = 1e-8;

/// What a row's target has for an output.
#[inline(always)]
fn value<T: Real>(target: Target<'_, T>, output: usize) -> T {
    match target {
        Target::Label(label) => T::of(f64::from(u8::from(label == output))),
        Target::Values(values) => values[output],
    }
}

/// -sum t ln softmax(y).
#[inline(always)]
pub(super) fn cross_entropy<T: Real>(output: &[T], target: Target<'_, T>, gradient: &mut [T]) -> T {
    let Target::Label(label) = target else {
        return smoothed(output, target, T::of(0.0), gradient);
    };
    let (largest, total) = softmax(output, gradient);
    gradient[label] = gradient[label] - T::of(1.0);
    total.ln() + (largest - output[label])
}

/// The same with targets (1 - epsilon) t + epsilon / classes.
#[inline(always)]
pub(super) fn smoothed<T: Real>(
    output: &[T],
    target: Target<'_, T>,
    epsilon: T,
    gradient: &mut [T],
) -> T {
    let (keep, share) = (T::of(1.0) - epsilon, epsilon / T::of(output.len() as f64));
    let wanted = |class: usize| keep * value(target, class) + share;
    let mass = match target {
        Target::Label(_) => T::of(1.0),
        Target::Values(values) => keep * sum(values) + epsilon,
    };
    let (largest, total) = softmax(output, gradient);
    let below = sum_by(output.len(), |class| {
        let t = wanted(class);
        gradient[class] = mass * gradient[class] - t;
        t * (largest - output[class])
    });
    mass * total.ln() + below
}

/// Writes the softmax of a row; gives its largest element and sum e^(y - largest). Nothing
/// overflows, as the largest is subtracted before.
#[inline(always)]
pub(in super::super) fn softmax<T: Real>(output: &[T], softmax: &mut [T]) -> (T, T) {
    let largest = shift(output, softmax);
    softmax.iter_mut().for_each(|p| *p = p.exp());
    (largest, normalize(softmax))
}

/// Writes the differences of a row's elements from the largest, and gives that.
#[inline(always)]
fn shift<T: Real>(output: &[T], shifted: &mut [T]) -> T {
    let largest = output.iter().copied().fold(T::of(f64::NEG_INFINITY), T::max);
    shifted.iter_mut().zip(output).for_each(|(p, &y)| *p = y - largest);
    largest
}

/// Divides a row by its sum, and gives that.
#[inline(always)]
fn normalize<T: Real>(row: &mut [T]) -> T {
    let total = sum(row);
    let inverse = T::of(1.0) / total;
    row.iter_mut().for_each(|p| *p = *p * inverse);
    total
}

/// [`cross_entropy`] of many rows, of which `label` gives the classes, to the same bits. A few classes do not
/// fill a vector, so the exponentials of all rows are computed side by side.
#[inline(always)]
pub(crate) fn cross_entropies(
    outputs: &[f32],
    label: impl Fn(usize) -> usize,
    gradients: &mut [f32],
    losses: &mut [f32],
) {
    let classes = outputs.len() / losses.len().max(1);
    let rows = outputs.chunks_exact(classes).zip(gradients.chunks_exact_mut(classes));
    for ((output, gradient), largest) in rows.zip(&mut *losses) {
        *largest = shift(output, gradient);
    }
    gradients.iter_mut().for_each(|p| *p = Real::exp(*p));
    let rows = outputs.chunks_exact(classes).zip(gradients.chunks_exact_mut(classes));
    for (i, ((output, gradient), loss)) in rows.zip(losses).enumerate() {
        let (label, largest) = (label(i), *loss);
        let total = normalize(gradient);
        gradient[label] -= 1.0;
        *loss = Real::ln(total) + (largest - output[label]);
    }
}

/// -sum t y.
#[inline(always)]
pub(super) fn nll<T: Real>(output: &[T], target: Target<'_, T>, gradient: &mut [T]) -> T {
    if let Target::Label(label) = target {
        gradient.fill(T::of(0.0));
        gradient[label] = T::of(-1.0);
        return -output[label];
    }
    sum_by(output.len(), |class| {
        gradient[class] = -value(target, class);
        gradient[class] * output[class]
    })
}

/// 1 - cos. Both vectors are divided by their largest elements first, so that no square leaves the
/// range of numbers.
#[inline(always)]
pub(super) fn cosine<T: Real>(output: &[T], target: Target<'_, T>, gradient: &mut [T]) -> T {
    let t = |j| value(target, j);
    let outputs = Scaled::new(output.len(), |j| output[j]);
    let targets = Scaled::new(output.len(), t);
    let cosine = sum_by(output.len(), |j| outputs.unit(output[j]) * targets.unit(t(j)));
    // A length that is held at its least does not change with the output.
    let turned = if outputs.is_held { T::of(0.0) } else { cosine };
    for (j, g) in gradient.iter_mut().enumerate() {
        *g = outputs.over_length(turned * outputs.unit(output[j]) - targets.unit(t(j)));
    }
    T::of(1.0) - cosine
}

/// The length of a vector: `largest` times `rest`, neither of which overflows.
struct Scaled<T> {
    largest: T,
    rest: T,
    /// Whether the vector is shorter than the least length.
    is_held: bool,
}

impl<T: Real> Scaled<T> {
    #[inline(always)]
    fn new(len: usize, at: impl Fn(usize) -> T) -> Self {
        let largest = (0..len).fold(T::of(0.0), |largest, j| largest.max(at(j).abs()));
        let least = T::of(LEAST_LENGTH);
        let held = Self { largest: least, rest: T::of(1.0), is_held: true };
        if largest == T::of(0.0) {
            return held;
        }
        let squares = sum_by(len, |j| {
            let x = at(j) / largest;
            x * x
        });
        let rest = squares.sqrt();
        if largest * rest <= least { held } else { Self { largest, rest, is_held: false } }
    }

    /// x over the length, for an element x.
    #[inline(always)]
    fn unit(&self, x: T) -> T {
        x / self.largest / self.rest
    }

    /// x over the length, for any x.
    #[inline(always)]
    fn over_length(&self, x: T) -> T {
        x / self.rest / self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::cross_entropies;
    use crate::nn::{Loss, Target};

    #[test]
    fn rows_side_by_side_have_the_bits_of_each_alone() {
        for classes in [1, 2, 10, 15, 16, 17, 40] {
            for rows in [1, 3, 16, 61] {
                let number = |i: usize| (i * 37 % 101) as f32 / 5.0 - 10.0;
                let mut outputs: Vec<f32> = (0..rows * classes).map(number).collect();
                // Ties, what is far below the largest, and a row that has diverged.
                outputs[0] = 10.0;
                outputs[rows * classes / 2] = -300.0;
                outputs[rows * classes - 1] = if rows > 3 { f32::INFINITY } else { 300.0 };
                let label = |i: usize| i * 7 % classes;
                let (mut gradients, mut losses) = (vec![f32::NAN; outputs.len()], vec![0.0; rows]);
                cross_entropies(&outputs, label, &mut gradients, &mut losses);
                let together = outputs.chunks(classes).zip(gradients.chunks(classes)).zip(&losses);
                for (i, ((output, gradient), loss)) in together.enumerate() {
                    let mut alone = vec![f32::NAN; classes];
                    let target = Target::Label(label(i));
                    let expected = Loss::CrossEntropy.row(output, target, None, &mut alone);
                    // All NaNs are one.
                    let bit = |x: f32| if x.is_nan() { f32::NAN } else { x }.to_bits();
                    let bits =
                        |numbers: &[f32]| numbers.iter().map(|&x| bit(x)).collect::<Vec<_>>();
                    assert_eq!(bit(expected), bit(*loss), "{rows} x {classes}, row {i}");
                    assert_eq!(bits(&alone), bits(gradient), "{rows} x {classes}, row {i}");
                }
            }
        }
    }
}
