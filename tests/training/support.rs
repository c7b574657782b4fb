//! What the tests of training share: stored arrays, numbers to train on, and comparison.

use std::collections::BTreeMap;
use std::fmt::Display;

use ndarray::{Array2, ArrayD};
use wgrad::data::{Dataset, NpyValues, read_npz};
use wgrad::device::DeviceKind;
use wgrad::{Device, Mlp};

use crate::common::Values;

/// The file of a name in the repository.
pub fn file(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The arrays of a file of `tests/golden`, by name.
pub struct Golden(BTreeMap<String, ArrayD<f64>>);

impl Golden {
    pub fn read(name: &str) -> Self {
        let stored = read_npz(file(&format!("tests/golden/{name}.npz"))).unwrap();
        let array = |(name, array): (String, wgrad::data::NpyArray)| {
            let NpyValues::F64(values) = array.values() else { panic!("{name} is not f64") };
            (name, ArrayD::from_shape_vec(array.shape(), values.clone()).unwrap())
        };
        Self(stored.into_iter().map(array).collect())
    }

    pub fn get(&self, name: &str) -> &ArrayD<f64> {
        self.0.get(name).unwrap_or_else(|| panic!("no golden array {name}"))
    }

    pub fn values(&self, name: &str) -> Vec<f64> {
        self.get(name).iter().copied().collect()
    }

    /// A matrix, rounded to f32.
    pub fn matrix(&self, name: &str) -> Array2<f32> {
        self.get(name).mapv(|x| x as f32).into_dimensionality().unwrap()
    }

    /// The arrays whose names begin with `prefix`, by the rest of their names.
    pub fn under(&self, prefix: &str) -> Vec<(String, &ArrayD<f64>)> {
        let rest = |name: &str| name.strip_prefix(prefix).map(str::to_owned);
        let found: Vec<_> =
            self.0.iter().filter_map(|(name, array)| Some((rest(name)?, array))).collect();
        assert!(!found.is_empty(), "no golden arrays under {prefix}");
        found
    }
}

/// Fails unless |got - want| <= absolute + relative |want| for every element; a NaN fails.
#[track_caller]
pub fn assert_near<A, B>(what: impl Display, got: &[A], want: &[B], relative: f64, absolute: f64)
where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    assert_eq!(got.len(), want.len(), "{what}: lengths");
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let (got, want): (f64, f64) = (got.into(), want.into());
        let tolerance = absolute + relative * want.abs();
        if !((got - want).abs() <= tolerance) {
            panic!("{what}, element {i}: got {got:e}, want {want:e} within {tolerance:e}");
        }
    }
}

/// The bits of numbers, so that comparing them tells -0 from 0 and finds a NaN equal to itself.
pub fn bits(values: impl IntoIterator<Item = f32>) -> Vec<u32> {
    values.into_iter().map(f32::to_bits).collect()
}

/// The bits of every parameter of a network, in the order of their names.
pub fn parameter_bits(mlp: &Mlp) -> Vec<u32> {
    mlp.parameters().unwrap().values().flat_map(|array| bits(array.iter().copied())).collect()
}

pub fn is_cpu(device: &Device) -> bool {
    device.info().kind == DeviceKind::Cpu
}

/// A matrix of numbers in [-1, 1).
pub fn matrix(values: &mut Values, rows: usize, cols: usize) -> Array2<f32> {
    let mut numbers = values.within(1.0, rows * cols).into_iter();
    Array2::from_shape_simple_fn((rows, cols), || numbers.next().unwrap())
}

/// The first rows of scikit-learn's digits, 64 inputs from 0 to 1, 10 classes.
pub fn digits(rows: usize) -> Dataset {
    let digits = Dataset::from_npz(file("examples/data/digits.npz")).unwrap();
    digits.scaled(1.0 / 16.0).unwrap().take(rows).unwrap()
}

#[test]
fn the_comparison_fails_where_it_should() {
    assert_near("equal", &[1.0, 0.0], &[1.0, 0.0], 0.0, 0.0);
    assert_near("within", &[1.0f32], &[1.0 + 1e-6], 1e-5, 0.0);
    let fails = |got: f64, want: f64| {
        std::panic::catch_unwind(|| assert_near("", &[got], &[want], 1e-5, 1e-6)).is_err()
    };
    assert!(fails(1.0, 1.00002) && fails(f64::NAN, 1.0) && fails(1.0, f64::NAN));
    assert!(fails(f64::INFINITY, 1.0) && fails(0.0, 2e-6) && fails(-1.0, 1.0));
}
