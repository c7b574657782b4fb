//! Scalers against scikit-learn, closed forms and their own inverses.

use ndarray::{Array2, array};
use proptest::prelude::*;
use wgrad::data::{Dataset, MinMaxScaler, NpyValues, StandardScaler, read_npz};
use wgrad::{Error, Result};

use crate::{assert_error, golden};

/// The arrays that scikit-learn computed, by tests/golden/data/make.py.
struct Golden(std::collections::BTreeMap<String, wgrad::data::NpyArray>);

impl Golden {
    fn f64(&self, name: &str) -> &[f64] {
        match self.0[name].values() {
            NpyValues::F64(values) => values,
            other => panic!("{name} is {other:?}"),
        }
    }
}

fn close(found: f64, expected: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance * expected.abs().max(1e-30)
}

#[track_caller]
fn assert_all_close(found: impl IntoIterator<Item = f64>, expected: &[f64], tolerance: f64) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    for (i, (&f, &e)) in found.iter().zip(expected).enumerate() {
        assert!(close(f, e, tolerance), "number {i} is {f}, scikit-learn has {e}");
    }
}

#[test]
fn the_numbers_are_scikit_learns() {
    let golden = Golden(read_npz(golden("scalers.npz")).unwrap());
    let x = Array2::from_shape_vec((40, 6), golden.0["x"].clone().into_f32()).unwrap();

    let standard = StandardScaler::fit(&x).unwrap();
    assert_all_close(standard.mean(), golden.f64("standard_mean"), 1e-12);
    assert_all_close(standard.scale(), golden.f64("standard_scale"), 1e-9);
    assert_eq!(standard.scale()[2], 1.0, "a constant column is only shifted");
    let scaled = standard.transform(&x).unwrap();
    // Column 2 is constant: what is left there is the rounding of its mean, in either program.
    let informative = |i: &usize| i % 6 != 2;
    for i in (0..240).filter(informative) {
        let (found, expected) = (scaled[[i / 6, i % 6]], golden.f64("standard")[i] as f32);
        assert!(close(f64::from(found), f64::from(expected), 1e-6), "{i}: {found}, {expected}");
    }
    assert!(scaled.column(2).iter().all(|x| x.abs() < 1e-12));

    let min_max = MinMaxScaler::fit_range(&x, -1.0, 2.0).unwrap();
    assert_all_close(min_max.scale(), golden.f64("min_max_scale"), 1e-12);
    assert_all_close(min_max.offset(), golden.f64("min_max_offset"), 1e-12);
    let scaled = min_max.transform(&x).unwrap();
    assert_all_close(scaled.iter().map(|&x| f64::from(x)), golden.f64("min_max"), 1e-6);
}

#[test]
fn the_closed_form_of_a_small_column() {
    // Mean 5 and population variance 4; the sample variance would be 32 / 7.
    let x = array![[2.0], [4.0], [4.0], [4.0], [5.0], [5.0], [7.0], [9.0]];
    let (scaler, scaled) = StandardScaler::fit_transform(&x).unwrap();
    assert_eq!((scaler.mean(), scaler.scale()), (vec![5.0], vec![2.0]));
    assert_eq!(scaled, x.mapv(|x: f32| (x - 5.0) / 2.0));
    let (scaler, scaled) = MinMaxScaler::fit_transform(&x).unwrap();
    assert_eq!(scaled, x.mapv(|x: f32| ((f64::from(x) - 2.0) / 7.0) as f32));
    assert_eq!(scaler.inverse_transform(&scaled).unwrap(), x);
}

#[test]
fn a_constant_column_is_one_whatever_rounding_leaves_of_its_deviations() {
    // Ten times 0.1 is not 1 in f64, so neither the mean nor the deviations are exact.
    let (scaler, scaled) = StandardScaler::fit_transform(&Array2::from_elem((10, 1), 0.1)).unwrap();
    assert_ne!(scaler.mean(), [0.1]);
    assert_eq!(scaler.scale(), [1.0]);
    assert!(scaled.iter().all(|x| x.abs() < 1e-15));
}

#[test]
fn a_data_set_keeps_its_targets_and_uses_the_scaler_of_the_training_part() {
    let data = Dataset::classification_from_vec([0.0, 2.0, 10.0], 1, [1, 0, 1]).unwrap();
    let (train, test) = data.split_at(2).unwrap();
    let scaler = StandardScaler::fit(&train).unwrap();
    let scaled = scaler.transform(&test).unwrap();
    assert_eq!(scaled.features(), array![[9.0]]);
    assert_eq!(scaled.targets(), test.targets());
    assert_eq!(scaler.inverse_transform(&scaled).unwrap(), test);
    assert_eq!(scaler.transform(&array![[10u8]]).unwrap(), array![[9.0]]);
}

#[test]
fn columns_of_another_number_are_refused() {
    let x = array![[0.0, 1.0], [2.0, 3.0]];
    let (standard, min_max) = (StandardScaler::fit(&x).unwrap(), MinMaxScaler::fit(&x).unwrap());
    let y = array![[0.0, 1.0, 2.0]];
    let refused: [(&str, Result<Array2<f32>>); 4] = [
        ("StandardScaler::transform", standard.transform(&y)),
        ("StandardScaler::inverse_transform", standard.inverse_transform(&y)),
        ("MinMaxScaler::transform", min_max.transform(&y)),
        ("MinMaxScaler::inverse_transform", min_max.inverse_transform(&y)),
    ];
    for (name, result) in refused {
        assert!(matches!(result, Err(Error::Shape { op, .. }) if op == name), "{name}");
        assert_error(result, &["(1, 3)", "(1, 2)"]);
    }
}

#[test]
fn data_that_cannot_be_fitted_is_refused() {
    let nan = array![[0.0, 1.0], [2.0, f32::NAN]];
    assert_error(StandardScaler::fit(&nan), &["NaN", "row 1, column 1"]);
    assert_error(MinMaxScaler::fit(&nan), &["NaN", "row 1, column 1"]);
    let none = Array2::<f32>::zeros((0, 2));
    assert!(matches!(StandardScaler::fit(&none), Err(Error::Empty { .. })));
    assert!(matches!(MinMaxScaler::fit(&none), Err(Error::Empty { .. })));
    let x = array![[0.0], [1.0]];
    for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (f64::MIN, f64::MAX)] {
        assert_error(MinMaxScaler::fit_range(&x, low, high), &["range is"]);
    }
    // A deviation of 1e-30 makes 1e30 a number beyond f32.
    let tiny = StandardScaler::fit(&array![[1e-30f32], [-1e-30]]).unwrap();
    assert_error(tiny.transform(&array![[0.0f32], [1e30]]), &["scaled data", "row 1, column 0"]);
}

#[test]
fn a_scaler_survives_json() {
    let x = array![[0.5, 1.0], [2.25, 3.0]];
    let standard = StandardScaler::fit(&x).unwrap();
    let json = serde_json::to_string(&standard).unwrap();
    assert_eq!(serde_json::from_str::<StandardScaler>(&json).unwrap(), standard);
    let min_max = MinMaxScaler::fit(&x).unwrap();
    let json = serde_json::to_string(&min_max).unwrap();
    assert_eq!(serde_json::from_str::<MinMaxScaler>(&json).unwrap(), min_max);
}

fn inverts(x: &Array2<f32>, back: &Array2<f32>, size: f32) -> bool {
    x.iter().zip(back).all(|(x, back)| (x - back).abs() <= 1e-6 * size)
}

proptest! {
    #[test]
    fn the_inverse_takes_back_what_transform_did(
        numbers in prop::collection::vec(-1e3f32..1e3, 12),
        shift in -1e3f32..1e3,
    ) {
        let x = Array2::from_shape_vec((4, 3), numbers).unwrap() + shift;
        let (standard, scaled) = StandardScaler::fit_transform(&x).unwrap();
        prop_assert!(inverts(&x, &standard.inverse_transform(&scaled).unwrap(), 4e3));
        let (min_max, scaled) = MinMaxScaler::fit_transform(&x).unwrap();
        prop_assert!(scaled.iter().all(|x| (0.0..=1.000_001).contains(x)), "{scaled}");
        prop_assert!(inverts(&x, &min_max.inverse_transform(&scaled).unwrap(), 4e3));
    }
}
