//! Making data sets, and what they refuse.

use ndarray::{Array2, ShapeBuilder, array, s};
use wgrad::Error;
use wgrad::data::{Dataset, Targets};

use crate::assert_error;

#[test]
fn every_memory_order_and_number_type_gives_the_same_data_set() {
    let x = array![[0.0f32, 1.0, 2.0], [3.0, 4.0, 5.0]];
    let expected = Dataset::classification(&x, [1u8, 0]).unwrap();
    assert_eq!(expected.features(), x);
    assert_eq!(expected.labels().unwrap(), [1, 0]);
    assert_eq!((expected.len(), expected.inputs(), expected.outputs()), (2, 3, 2));
    assert!(!expected.is_empty() && expected.values().is_none());

    let fortran = Array2::from_shape_vec((2, 3).f(), vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]).unwrap();
    let wide = array![[9, 0, 9, 1, 9, 2], [9, 3, 9, 4, 9, 5]];
    let transposed = array![[0.0f64, 3.0], [1.0, 4.0], [2.0, 5.0]];
    let reversed = array![[3u8, 4, 5], [0, 1, 2]];
    let same = [
        Dataset::classification(&fortran.mapv(|x: f32| x), vec![1usize, 0]),
        Dataset::classification(&wide.slice(s![.., 1..;2]), &[1i64, 0]),
        Dataset::classification(&transposed.t(), &array![1.0f32, 0.0]),
        Dataset::classification(&reversed.slice(s![..;-1, ..]), [true, false]),
        Dataset::classification(&x.view(), (0..2).rev()),
        Dataset::classification_from_vec(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 3, [1, 0]),
    ];
    for (case, dataset) in same.into_iter().enumerate() {
        assert_eq!(dataset.unwrap(), expected, "case {case}");
    }
}

#[test]
fn regression_takes_one_column_or_several() {
    let x = array![[1.0], [2.0], [3.0]];
    let one = Dataset::regression(&x, &array![4.0, 5.0, 6.0]).unwrap();
    assert_eq!(one.values().unwrap(), array![[4.0], [5.0], [6.0]]);
    let y = array![[1, 2, 3], [4, 5, 6]];
    let two = Dataset::regression(&x, &y.t()).unwrap();
    assert_eq!(two.values().unwrap(), array![[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    assert_eq!(two.outputs(), 2);
    assert!(two.labels().is_none() && two.class_counts().is_none());
    let flat = Dataset::regression_from_vec([1.0, 2.0, 3.0], 1, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0], 2);
    assert_eq!(flat.unwrap(), two);
}

#[test]
fn no_data_is_refused() {
    let empty = [
        Dataset::classification(&Array2::<f32>::zeros((0, 3)), [0u8; 0]),
        Dataset::classification(&Array2::<f32>::zeros((3, 0)), [0u8; 3]),
        Dataset::regression(&Array2::<f32>::zeros((3, 2)), &Array2::<f32>::zeros((3, 0))),
    ];
    for dataset in empty {
        assert!(matches!(dataset, Err(Error::Empty { .. })), "{dataset:?}");
    }
    assert_error(Dataset::classification_from_vec([], 2, [0u8; 0]), &["no data", "(0, 2)"]);
}

#[test]
fn rows_that_do_not_match_are_refused_with_both_shapes() {
    let x = Array2::<f32>::zeros((3, 2));
    let error = Dataset::classification(&x, [0, 1]).unwrap_err();
    assert!(matches!(error, Error::Shape { op: "Dataset::classification", .. }));
    assert_error::<()>(Err(error), &["(3, 2)", "(2, 1)", "one label"]);
    let y = Array2::<f32>::zeros((4, 5));
    assert_error(Dataset::regression(&x, &y), &["Dataset::regression", "(3, 2)", "(4, 5)"]);
    let ragged = Dataset::regression_from_vec([0.0; 5], 2, [0.0; 2], 1);
    assert_error(ragged, &["features", "5 numbers", "rows of 2"]);
    assert_error(Dataset::regression_from_vec([0.0; 4], 2, [0.0; 2], 0), &["values", "2 numbers"]);
    assert_error(Dataset::classification_from_vec([0.0; 4], 0, [0, 1]), &["rows of 0"]);
}

#[test]
fn numbers_that_are_not_finite_are_refused_unless_allowed() {
    let x = array![[0.0, 1.0], [2.0, f64::NAN]];
    let expected = ["features hold NaN", "row 1, column 1", "allow_non_finite"];
    assert_error(Dataset::classification(&x, [0, 1]), &expected);
    // 1e39 is finite in f64, but not in f32.
    let huge = Dataset::regression(&array![[0.0], [1.0]], &array![[0.0, 0.0], [1e39, 0.0]]);
    assert_error(huge, &["values hold inf", "row 1, column 0"]);

    let allowed = Dataset::builder().allow_non_finite();
    assert!(allowed.classification(&x, [0, 1]).unwrap().features()[[1, 1]].is_nan());
    assert!(allowed.regression(&x, &array![f32::INFINITY, 0.0]).is_ok());
    assert!(allowed.classification_from_vec([f32::NAN], 1, [0]).is_ok());
    assert!(allowed.regression_from_vec([f32::NAN], 1, [f32::NAN], 1).is_ok());
}

#[test]
fn labels_that_are_no_classes_are_refused_with_value_and_row() {
    let x = Array2::<f32>::zeros((3, 1));
    assert_error(Dataset::classification(&x, [0, 1, -1]), &["class label is -1 in row 2"]);
    assert_error(Dataset::classification(&x, [0.0, 1.5, 1.0]), &["1.5 in row 1", "whole numbers"]);
    assert_error(Dataset::classification(&x, [f32::NAN, 0.0, 0.0]), &["NaN in row 0"]);
    // As a number of classes this would need 16 GiB to count the rows of each.
    assert_error(Dataset::classification(&x, [0, u32::MAX, 1]), &["4294967295 in row 1"]);
}

#[test]
fn classes_follow_the_largest_label_or_are_given() {
    let data = Dataset::classification_from_vec([0.0; 4], 1, [0, 3, 3, 1]).unwrap();
    assert_eq!(data.class_counts().unwrap(), [1, 1, 0, 2]);
    let more = data.clone().with_classes(6).unwrap();
    assert_eq!((more.outputs(), more.class_counts().unwrap().len()), (6, 6));
    assert!(matches!(more.targets(), Targets::Labels { classes: 6, .. }));
    assert_error(data.clone().with_classes(3), &["classes is 3", "largest label is 3"]);
    assert_error(data.with_classes(usize::MAX), &["at most 16777216"]);
    let values = Dataset::regression_from_vec([0.0], 1, [0.0], 1).unwrap();
    assert!(matches!(values.with_classes(2), Err(Error::Targets { found: "values", .. })));
}

#[test]
fn balanced_class_weights_are_scikit_learns() {
    // compute_class_weight("balanced", classes=[0, 1, 3], y=[0, 3, 3, 1, 3]): 5 / (3 counts).
    let data = Dataset::classification_from_vec([0.0; 5], 1, [0, 3, 3, 1, 3]).unwrap();
    let third = |count: f64| (5.0 / (3.0 * count)) as f32;
    assert_eq!(data.balanced_class_weights().unwrap(), [third(1.0), third(1.0), 0.0, third(3.0)]);
    let values = Dataset::regression_from_vec([0.0], 1, [0.0], 1).unwrap();
    assert!(matches!(values.balanced_class_weights(), Err(Error::Targets { .. })));
}

#[test]
fn scaling_multiplies_every_feature() {
    let data = Dataset::classification_from_vec([0.0, 51.0, 255.0, 1.0], 2, [0, 1]).unwrap();
    let scaled = data.scaled(1.0 / 255.0).unwrap();
    assert_eq!(scaled.features(), data.features().mapv(|x| x * (1.0 / 255.0)));
    assert_eq!(scaled.targets(), data.targets());
    for factor in [0.0, f32::NAN, f32::INFINITY] {
        assert_error(data.scaled(factor), &["factor is"]);
    }
    assert_error(data.scaled(2e36), &["scaled features hold inf", "row 1, column 0"]);
}

#[test]
fn printing_a_data_set_prints_no_numbers() {
    let data = Dataset::classification_from_vec([0.25; 6], 3, [0, 1]).unwrap();
    let printed = format!("{data:?}");
    assert!(printed.contains("rows: 2") && printed.contains("2 classes"), "{printed}");
    assert!(!printed.contains("0.25"));
}
