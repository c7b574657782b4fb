//! .npy and .npz files: every type, order and shape, and every complaint.

use std::fs;
use std::io::{Cursor, Write};

use ndarray::{Array, Array2, ArrayD, IxDyn, ShapeBuilder, array, s};
use proptest::prelude::*;
use wgrad::Error;
use wgrad::data::{Dataset, NpyArray, NpyValues, read_npy, read_npz, write_npy};

use crate::{Folder, assert_error, example, golden};

/// A zip archive, compressed, of these members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A .npy file with this type, shape and data.
pub fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn every_type_is_read_in_both_byte_orders() {
    for file in ["types.npz", "types_compressed.npz"] {
        let arrays = read_npz(golden(file)).unwrap();
        assert_eq!(arrays.len(), 23);
        for order in ["little", "big"] {
            let array = |kind: &str| &arrays[&format!("{order}_{kind}")];
            let signed = [("i1", 8), ("i2", 16), ("i4", 32), ("i8", 64)];
            for (kind, bits) in signed {
                let (min, max) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
                assert_eq!(array(kind).values(), &NpyValues::I64(vec![min, 1, 2, 3, 4, max]));
                assert_eq!(array(kind).shape(), [2, 3]);
            }
            for (kind, max) in [("u2", i64::from(u16::MAX)), ("u4", i64::from(u32::MAX)), ("u8", 5)]
            {
                assert_eq!(array(kind).values(), &NpyValues::I64(vec![0, 1, 2, 3, 4, max]));
            }
            assert_eq!(array("u1").values(), &NpyValues::U8(vec![0, 1, 2, 3, 4, 255]));
            let f4 = vec![f32::MIN, 1.0, 2.0, 3.0, 4.0, f32::MAX];
            assert_eq!(array("f4").clone().into_f32(), f4);
            assert_eq!(array("f4").values(), &NpyValues::F32(f4));
            let f8 = vec![f64::MIN, 1.0, 2.0, 3.0, 4.0, f64::MAX];
            assert_eq!(array("f8").values(), &NpyValues::F64(f8));
            assert!(array("i4").is_integer() && array("u1").is_integer());
            assert!(!array("f4").is_integer() && !array("f8").is_integer());
        }
        assert_eq!(arrays["bool"].values(), &NpyValues::U8(vec![0, 1, 1, 1, 0, 0]));
        assert_eq!(arrays["scalar"].shape(), [] as [usize; 0]);
        assert_eq!(arrays["scalar"].values(), &NpyValues::F64(vec![2.5]));
        assert_eq!(arrays["none"].shape(), [0, 3]);
    }
}

#[test]
fn fortran_order_is_read_as_c_order() {
    let array = read_npy(golden("fortran.npy")).unwrap();
    assert_eq!(array.shape(), [2, 3, 4]);
    let expected: Vec<f32> = (0u8..24).map(f32::from).collect();
    assert_eq!(array.into_f32(), expected);
}

#[test]
fn types_that_cannot_be_read_are_named() {
    for (file, descr) in [
        ("half.npy", "'<f2'"),
        ("text.npy", "'<U1'"),
        ("structured.npy", "'b'"),
        ("pickled.npy", "|O"),
    ] {
        assert_error(read_npy(golden(file)), &[file, descr, "astype"]);
    }
    assert_error(read_npy(golden("too_large.npy")), &["too_large.npy", "9223372036854775808"]);
    let folder = Folder::new("npy-bool");
    let path = folder.write("bool.npy", npy("|b1", "(2,)", &[1, 7]));
    assert_error(read_npy(path), &["bool.npy", "bool", "7"]);
}

#[test]
fn truncated_corrupt_and_missing_files_are_named() {
    let folder = Folder::new("npy-corrupt");
    let whole = fs::read(golden("fortran.npy")).unwrap();
    for length in 0..whole.len() {
        let path = folder.write("cut.npy", &whole[..length]);
        let parts: &[_] = if length < 128 {
            &["cut.npy", "truncated in the header"]
        } else {
            &["192 bytes of data"]
        };
        assert_error(read_npy(&path), parts);
    }
    let longer = folder.write("longer.npy", [&whole[..], b"!"].concat());
    assert_error(read_npy(longer), &["longer.npy", "trailing data after the 192 bytes"]);
    let text = folder.write("text.npy", "sepal_length,sepal_width");
    assert_error(read_npy(text), &["text.npy", "no .npy data"]);
    let version = folder.write("version.npy", b"\x93NUMPY\x09\x00\x02\x00\x00\x00{}");
    assert_error(read_npy(version), &["version.npy", "version"]);
    assert!(matches!(read_npy(folder.path("none.npy")), Err(Error::File { .. })));
    assert_error(read_npy(&folder.0), &["folder"]);
    assert_error(read_npz(folder.path("none.npz")), &["none.npz"]);
}

#[test]
fn a_broken_archive_is_named_with_its_member() {
    let folder = Folder::new("npz-corrupt");
    let whole = fs::read(golden("with_names.npz")).unwrap();
    let path = folder.write("cut.npz", &whole[..whole.len() / 2]);
    assert_error(read_npz(path), &["cut.npz", "no .npz archive"]);
    // A bit of the first member's stored data: only the checksum can tell.
    let mut flipped = whole.clone();
    let data = flipped.windows(4).position(|w| w == 1.0f32.to_le_bytes()).unwrap();
    flipped[data] ^= 1;
    let path = folder.write("flipped.npz", flipped);
    assert_error(read_npz(path), &["flipped.npz", "array `data`", "hecksum"]);

    let short = npy("<f4", "(3,)", &[0; 8]);
    let path = folder.write("short.npz", zip(&[("x.npy", &short), ("read.me", b"ignored")]));
    assert_error(read_npz(path), &["short.npz", "array `x`", "12 bytes of data, 8 are there"]);
}

#[test]
fn what_is_written_is_read_back_and_overwritten_whole() {
    let folder = Folder::new("npy-write");
    let path = folder.path("array.npy");
    let fortran = Array::from_shape_vec((2, 2).f(), vec![1.0f32, 2.0, 3.0, 4.0]).unwrap();
    write_npy(&path, &fortran).unwrap();
    assert_eq!(read_npy(&path).unwrap().into_f32(), [1.0, 3.0, 2.0, 4.0]);
    write_npy(&path, &array![1.5f32, 2.5, 3.5].slice(s![..;2])).unwrap();
    let read = read_npy(&path).unwrap();
    assert_eq!((read.shape(), read.values()), (&[2][..], &NpyValues::F32(vec![1.5, 3.5])));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "a temporary file was left behind");
    let nowhere = write_npy(folder.path("no/such/folder.npy"), &array![1.0f32]);
    assert_error(nowhere, &["no/such/folder.npy", "writing failed"]);
}

proptest! {
    #[test]
    fn any_array_of_f32_round_trips_to_the_bit(
        shape in prop::collection::vec(0usize..5, 0..4),
        bits in prop::collection::vec(any::<u32>(), 64),
    ) {
        let count = shape.iter().product();
        let values: Vec<f32> = bits.iter().take(count).map(|&bits| f32::from_bits(bits)).collect();
        let array = ArrayD::from_shape_vec(IxDyn(&shape), values.clone()).unwrap();
        let folder = Folder::new("npy-round-trip");
        let path = folder.path("array.npy");
        write_npy(&path, &array).unwrap();
        let read = read_npy(&path).unwrap();
        prop_assert_eq!(read.shape(), &shape[..]);
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        prop_assert_eq!(bits(read.into_f32()), bits(values));
    }
}

#[test]
fn the_shipped_digits_are_read() {
    let digits = Dataset::from_npz(example("digits.npz")).unwrap();
    assert_eq!((digits.len(), digits.inputs(), digits.outputs()), (1797, 64, 10));
    assert_eq!(digits.features().fold(0.0f32, |a, &b| a.max(b)), 16.0);
    // As scikit-learn counts them.
    let counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];
    assert_eq!(digits.class_counts().unwrap(), counts);
    assert_eq!(digits.features().slice(s![0, ..6]).to_vec(), [0.0, 0.0, 5.0, 13.0, 9.0, 1.0]);
}

#[test]
fn the_repositorys_mnist_is_read() {
    let mnist = Dataset::from_npz(example("mnist_10k.npz")).unwrap();
    assert_eq!((mnist.len(), mnist.inputs(), mnist.outputs()), (10_000, 784, 10));
    assert_eq!(mnist.scaled(1.0 / 255.0).unwrap().features().fold(0.0f32, |a, &b| a.max(b)), 1.0);
}

#[test]
fn arrays_are_found_by_their_usual_names_or_by_given_ones() {
    let path = golden("with_names.npz");
    let data = Dataset::from_npz(&path).unwrap();
    assert_eq!(data.features().row(1).to_vec(), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
    assert_eq!((data.labels().unwrap(), data.outputs()), (&[2, 0][..], 3));
    assert_eq!(Dataset::from_npz_arrays(&path, "data", "target").unwrap(), data);
    // Float targets, or integers of several columns, are values.
    let values = Dataset::from_npz_arrays(&path, "target", "data").unwrap();
    assert_eq!(values.values().unwrap().dim(), (2, 6));
    let types = golden("types.npz");
    let several = Dataset::from_npz_arrays(&types, "little_i1", "big_i2").unwrap();
    assert_eq!(several.values().unwrap()[[1, 0]], 3.0);
}

#[test]
fn archives_that_make_no_data_set_are_refused() {
    let folder = Folder::new("npz-refused");
    let file = |x: &[u8], y: &[u8]| folder.write("bad.npz", zip(&[("x.npy", x), ("y.npy", y)]));
    let f4 = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let x = npy("<f4", "(2, 1)", &f4(&[0.0, 1.0]));
    let labels = npy("|i1", "(2,)", &[0, 1]);
    assert_eq!(Dataset::from_npz(file(&x, &labels)).unwrap().len(), 2);

    let three = npy("|i1", "(3,)", &[0, 1, 2]);
    assert_error(Dataset::from_npz(file(&x, &three)), &["bad.npz", "`y`", "(2, 1)", "(3, 1)"]);
    let negative = npy("|i1", "(2,)", &[0, 255]);
    assert_error(Dataset::from_npz(file(&x, &negative)), &["bad.npz", "-1 in row 1"]);
    let nan = file(&npy("<f4", "(2, 1)", &f4(&[0.0, f32::NAN])), &labels);
    assert_error(Dataset::from_npz(&nan), &["bad.npz", "features hold NaN at row 1, column 0"]);
    assert_eq!(Dataset::builder().allow_non_finite().load_npz(&nan).unwrap().len(), 2);
    let scalar = npy("<f4", "()", &f4(&[1.0]));
    assert_error(Dataset::from_npz(file(&scalar, &labels)), &["bad.npz", "first dimension"]);
    let empty = npy("<f4", "(0, 1)", &[]);
    assert_error(Dataset::from_npz(file(&empty, &npy("|i1", "(0,)", &[]))), &["no data", "(0, 1)"]);

    let other = folder.write("other.npz", zip(&[("x_train.npy", &x), ("y.npy", &labels)]));
    assert_error(Dataset::from_npz(&other), &["other.npz", "images", "x_train", "from_npz_arrays"]);
    assert_error(Dataset::from_npz_arrays(&other, "x_train", "z"), &["`z`", "x_train, y"]);
    let nothing = folder.write("nothing.npz", zip(&[]));
    assert_error(Dataset::from_npz(nothing), &["nothing.npz", "the arrays are: none"]);
}

#[test]
fn numbers_come_as_the_nearest_f32() {
    let array: NpyArray = read_npz(golden("types.npz")).unwrap().remove("little_i8").unwrap();
    assert_eq!(array.into_f32(), [i64::MIN as f32, 1.0, 2.0, 3.0, 4.0, i64::MAX as f32]);
    let folder = Folder::new("npy-f64");
    let path = folder.write("f8.npy", npy("<f8", "(1, 1)", &0.1f64.to_le_bytes()));
    let read = Array2::from_shape_vec((1, 1), read_npy(path).unwrap().into_f32()).unwrap();
    assert_eq!(read, array![[0.1f32]]);
}
