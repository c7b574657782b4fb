//! What f64 lacks in the standard library.

/// Mills' ratio (1 - Phi(x)) / phi(x) of the normal distribution, for x >= 0.
///
/// Near 0 it is sqrt(pi/2) e^(x^2/2) less the series x + x^3/3 + x^5/(3 5) + ..., which cancel
/// further out; there it is Laplace's continued fraction 1/(x + 1/(x + 2/(x + 3/(x + ...)))).
pub(super) fn mills(x: f64) -> f64 {
    if x < 2.5 {
        let (mut term, mut sum, mut k) = (x, x, 3.0);
        while term > f64::EPSILON * sum {
            term *= x * x / k;
            sum += term;
            k += 2.0;
        }
        return (std::f64::consts::PI / 2.0).sqrt() * (x * x / 2.0).exp() - sum;
    }
    1.0 / (1..=150).rev().fold(x, |fraction, k| x + f64::from(k) / fraction)
}

#[cfg(test)]
mod tests {
    use super::mills;

    #[test]
    fn mills_ratio_solves_its_differential_equation_and_its_two_forms_meet() {
        let h = 1e-4;
        for i in 0..1_500 {
            let x = f64::from(i) * 0.01 + 0.005;
            // m' = x m - 1
            let slope = (mills(x + h) - mills(x - h)) / (2.0 * h);
            assert!((slope - (x * mills(x) - 1.0)).abs() < 1e-7, "at {x}");
        }
        let below = 2.5 - 1e-12;
        assert!((mills(below) - mills(2.5)).abs() < 1e-12);
        assert!((mills(0.0) - 1.253_314_137_315_500_3).abs() < 1e-15);
    }
}
