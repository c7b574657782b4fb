//! Data that cannot be trained on, and files that cannot be read.

use std::path::PathBuf;

use wgrad::Error;
use wgrad::data::{Dataset, read_idx, read_npy, read_npz};

use super::{refused, regression, zeros};

#[test]
fn data_sets_that_cannot_be() {
    let x = zeros(4, 2);
    let op = "Dataset::regression";
    refused(Dataset::regression(&zeros(0, 2), &zeros(0, 1)), &[op, "no data", "(0, 2)"]);
    refused(Dataset::regression(&zeros(4, 0), &zeros(4, 1)), &[op, "no data", "(4, 0)"]);
    refused(Dataset::regression(&x, &zeros(4, 0)), &[op, "no data", "(4, 0)"]);
    refused(Dataset::regression(&x, &zeros(3, 1)), &[op, "(4, 2)", "(3, 1)", "each row"]);
    let op = "Dataset::classification";
    refused(Dataset::classification(&x, [0, 1]), &[op, "(4, 2)", "(2, 1)", "one label"]);
    refused(Dataset::classification(&x, [0, 1, -3, 0]), &["class label is -3 in row 2"]);
    refused(Dataset::classification(&x, [0.0, 0.5, 1.0, 0.0]), &["class label is 0.5 in row 1"]);
    refused(Dataset::regression_from_vec([0.0; 5], 2, [0.0; 2], 1), &["5 numbers", "rows of 2"]);

    let data = Dataset::classification(&x, [0, 1, 2, 0]).unwrap();
    refused(data.clone().with_classes(2), &["classes is 2", "largest label is 2"]);
    refused(data.split(1.5), &["test fraction is 1.5", "between 0 and 1"]);
    refused(data.split_at(4), &["number of rows is 4", "at least one"]);
    refused(data.take(5), &["is 5", "1 to 4"]);
    refused(data.select(&[0, 4]), &["row index is 4 at place 1", "rows 0 to 3"]);
    refused(regression(4, 2, 1).split_stratified(0.5, 0), &["values", "class labels are needed"]);
}

#[test]
fn numbers_that_are_none() {
    for (value, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let mut x = zeros(5, 3);
        x[[3, 1]] = value;
        let hold = format!("hold {text} at row 3, column 1");
        let help = "allow_non_finite()";
        let error = refused(Dataset::classification(&x, [0; 5]), &["features", &hold, help]);
        assert!(matches!(error, Error::NonFinite { row: 3, column: 1, .. }));
        refused(Dataset::regression(&zeros(5, 1), &x), &["values", &hold, help]);
    }
}

/// A file of this test run with this content.
fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn files_that_are_missing_or_broken() {
    let gone = PathBuf::from("no/such/folder/data.npz");
    let name = gone.to_str().unwrap();
    refused(Dataset::from_npz(&gone), &[name]);
    refused(Dataset::from_csv(&gone, &["a"], &["b"]), &[name]);
    refused(read_npy(&gone), &[name]);
    refused(read_idx(&gone), &[name]);
    refused(Dataset::mnist_idx("no/such/folder"), &["no/such/folder", "train-images"]);

    let noise = file("noise.npz", b"this is not an archive");
    refused(read_npz(&noise), &["noise.npz", "no .npz archive"]);
    refused(read_npy(&noise), &["noise.npz", "\\x93NUMPY"]);
    refused(read_idx(&noise), &["noise.npz", "no IDX file"]);
    let digits = format!("{}/examples/data/digits.npz", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&digits).unwrap();
    refused(Dataset::from_npz(file("cut.npz", &bytes[..bytes.len() / 2])), &["cut.npz"]);
    let others = ["no array `pixels`", "images", "labels", "digits.npz"];
    refused(Dataset::from_npz_arrays(&digits, "pixels", "labels"), &others);

    let table = file("table.csv", b"a,b\n1,2\n3,four\n");
    refused(Dataset::from_csv(&table, &["b"], &["a"]), &["table.csv", "line 3", "four"]);
    refused(Dataset::from_csv(&table, &["c"], &["a"]), &["table.csv", "c"]);
}
