//! What linear methods make of the fields: principal components, and ridge regression.
//!
//! There are more features than rows, so both go through the Gram matrix of the centred rows,
//! K = X X' (rows, rows). The first principal components of the rows are its first eigenvectors
//! times the roots of their eigenvalues. Ridge regression with penalty a predicts k.c for a row,
//! with k its products with the rows it was fitted to, and (K + a) c = y.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};

/// The parts of the cross-validation.
const FOLDS: usize = 5;
/// Penalties to choose from: powers of ten.
const PENALTIES: std::ops::RangeInclusive<i32> = -1..=5;
/// The principal components.
const COMPONENTS: usize = 2;
/// How exactly they are found, and in how many iterations at most.
const TOLERANCE: f64 = 1e-6;
const ITERATIONS: usize = 1000;
/// The columns that Cholesky's decomposition eliminates at a time.
const BLOCK: usize = 64;

/// Centred rows and their Gram matrix.
pub struct Linear {
    mean: Array1<f64>,
    rows: Array2<f64>,
    gram: Array2<f64>,
}

/// The first two principal components.
pub struct Components {
    /// Of every row.
    pub scores: Vec<(f64, f64)>,
    /// The share of the variance that each has.
    pub shares: (f64, f64),
}

/// A fitted ridge regression.
pub struct Ridge {
    /// The penalty with the least error in cross-validation.
    pub penalty: f64,
    mean: Array1<f64>,
    weights: Array1<f64>,
    intercept: f64,
}

impl Linear {
    /// Features, (rows, features).
    pub fn new(features: ArrayView2<'_, f32>) -> Self {
        let features = features.mapv(f64::from);
        let mean = features.mean_axis(Axis(0)).unwrap_or_default();
        let rows = features - &mean;
        let gram = rows.dot(&rows.t());
        Self { mean, rows, gram }
    }

    /// The principal components, by orthogonal iteration from the first rows of the Gram matrix.
    pub fn components(&self) -> Components {
        let mut basis = self.gram.slice(s![.., ..COMPONENTS]).to_owned();
        for _ in 0..ITERATIONS {
            let last = basis;
            basis = self.gram.dot(&last);
            orthonormalise(&mut basis);
            let turned = (0..COMPONENTS).map(|k| 1.0 - basis.column(k).dot(&last.column(k)).abs());
            if turned.fold(0.0, f64::max) < TOLERANCE * TOLERANCE {
                break;
            }
        }
        let images = self.gram.dot(&basis);
        let value = |k: usize| basis.column(k).dot(&images.column(k)).max(0.0);
        let (first, second) = (value(0), value(1));
        let total = self.gram.diag().sum();
        let score = |row: ArrayView1<'_, f64>| (row[0] * first.sqrt(), row[1] * second.sqrt());
        Components {
            scores: basis.rows().into_iter().map(score).collect(),
            shares: (first / total, second / total),
        }
    }

    /// Ridge regression on one target a row, with the penalty that does best in cross-validation.
    pub fn ridge(&self, targets: ArrayView1<'_, f32>) -> Ridge {
        let targets = targets.mapv(f64::from);
        let penalties = PENALTIES.map(|power| 10f64.powi(power));
        let errors = penalties.map(|penalty| (penalty, self.cross_validate(&targets, penalty)));
        let best = errors.min_by(|a, b| a.1.total_cmp(&b.1));
        let penalty = best.map_or(1.0, |(penalty, _)| penalty);
        let all: Vec<usize> = (0..targets.len()).collect();
        let (coefficients, intercept) = self.solve(&targets, &all, penalty);
        let weights = self.rows.t().dot(&coefficients);
        Ridge { penalty, mean: self.mean.clone(), weights, intercept }
    }

    /// The sum of squared errors on rows that were left out, each once. The rows are shuffled.
    fn cross_validate(&self, targets: &Array1<f64>, penalty: f64) -> f64 {
        let fold_error = |fold: usize| {
            let (held, kept): (Vec<usize>, Vec<usize>) =
                (0..targets.len()).partition(|row| row % FOLDS == fold);
            let (coefficients, intercept) = self.solve(targets, &kept, penalty);
            let products = self.gram.select(Axis(0), &held).select(Axis(1), &kept);
            let predicted = products.dot(&coefficients) + intercept;
            (targets.select(Axis(0), &held) - predicted).mapv(|error| error * error).sum()
        };
        (0..FOLDS).map(fold_error).sum()
    }

    /// The coefficients of some rows, and the intercept.
    fn solve(&self, targets: &Array1<f64>, rows: &[usize], penalty: f64) -> (Array1<f64>, f64) {
        let mut matrix = self.gram.select(Axis(0), rows).select(Axis(1), rows);
        matrix.diag_mut().mapv_inplace(|x| x + penalty);
        let targets = targets.select(Axis(0), rows);
        let intercept = targets.mean().unwrap_or_default();
        cholesky(&mut matrix);
        (substitute(&matrix, targets - intercept), intercept)
    }
}

impl Ridge {
    /// The coefficient of determination on other rows.
    pub fn r2(&self, features: ArrayView2<'_, f32>, targets: ArrayView1<'_, f32>) -> f64 {
        let centred = features.mapv(f64::from) - &self.mean;
        let predicted = centred.dot(&self.weights) + self.intercept;
        let targets = targets.mapv(f64::from);
        let mean = targets.mean().unwrap_or_default();
        let left = (&targets - &predicted).mapv(|error| error * error).sum();
        1.0 - left / targets.mapv(|target| (target - mean).powi(2)).sum()
    }
}

/// Makes the columns orthogonal and of length 1 (Gram-Schmidt).
fn orthonormalise(basis: &mut Array2<f64>) {
    for k in 0..basis.ncols() {
        let (before, mut rest) = basis.view_mut().split_at(Axis(1), k);
        let mut column = rest.column_mut(0);
        for other in before.columns() {
            let along = column.dot(&other);
            column.scaled_add(-along, &other);
        }
        let length = column.dot(&column).sqrt();
        column.mapv_inplace(|x| x / length);
    }
}

/// Decomposes a positive definite matrix as L L'; L takes the place of its lower triangle.
///
/// A block of columns at a time, so that nearly all of the work is a matrix product.
fn cholesky(matrix: &mut Array2<f64>) {
    let n = matrix.nrows();
    for start in (0..n).step_by(BLOCK) {
        let end = (start + BLOCK).min(n);
        for j in start..end {
            let pivot = matrix.slice(s![j, start..j]).to_owned();
            let root = (matrix[[j, j]] - pivot.dot(&pivot)).sqrt();
            matrix[[j, j]] = root;
            for i in j + 1..n {
                let left = matrix[[i, j]] - matrix.slice(s![i, start..j]).dot(&pivot);
                matrix[[i, j]] = left / root;
            }
        }
        let panel = matrix.slice(s![end.., start..end]).to_owned();
        let mut rest = matrix.slice_mut(s![end.., end..]);
        general_mat_mul(-1.0, &panel, &panel.t(), 1.0, &mut rest);
    }
}

/// Solves L L' x = y.
fn substitute(lower: &Array2<f64>, mut y: Array1<f64>) -> Array1<f64> {
    for i in 0..y.len() {
        y[i] = (y[i] - lower.slice(s![i, ..i]).dot(&y.slice(s![..i]))) / lower[[i, i]];
    }
    for i in (0..y.len()).rev() {
        y[i] /= lower[[i, i]];
        let solved = y[i];
        y.slice_mut(s![..i]).scaled_add(-solved, &lower.slice(s![i, ..i]));
    }
    y
}
