//! IDX files, plain and gzipped, and the four files of MNIST.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use wgrad::data::{Dataset, IdxArray, read_idx};

use crate::{Folder, assert_error};

/// An IDX file of these dimensions and data.
pub fn idx(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn plain_and_gzipped_files_are_told_apart_by_their_bytes() {
    let folder = Folder::new("idx-read");
    let bytes = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
    let expected = IdxArray { shape: vec![2, 1, 3], data: vec![1, 2, 3, 4, 5, 6] };
    // The extensions are wrong on purpose.
    assert_eq!(read_idx(folder.write("plain.gz", &bytes)).unwrap(), expected);
    assert_eq!(read_idx(folder.write("zipped.idx", gzip(&bytes))).unwrap(), expected);
}

#[test]
fn every_fault_is_named_with_its_place() {
    let folder = Folder::new("idx-faults");
    let long = [&idx(&[2, 2], &[0; 4])[..], &[9]].concat();
    let faults: &[(&[u8], &[&str])] = &[
        (b"", &["truncated in the magic number"]),
        (b"\x00\x00\x08", &["truncated in the magic number"]),
        (b"\x01\x00\x08\x01", &["no IDX file", "0x01 0x00"]),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01", &["byte 2", "0x0d"]),
        (b"\x00\x00\x08\x00", &["byte 3 is 0"]),
        (b"\x00\x00\x08\x02\x00\x00\x00\x01\x00", &["truncated in dimension 1"]),
        (&idx(&[1, 0], &[]), &["dimension 1 at byte 8 is 0"]),
        (&idx(&[2, 2], &[0; 3]), &["truncated", "4 bytes of data, 3 are there"]),
        (&long, &["trailing data after the 4 bytes"]),
        (&idx(&[1 << 30, 1 << 10], &[0; 3]), &["1099511627776 bytes of data, 3 are there"]),
        (&idx(&[u32::MAX; 3], &[0; 3]), &["dimension 2 at byte 12", "too much data"]),
    ];
    for (bytes, parts) in faults {
        for (name, bytes) in [("fault.idx", bytes.to_vec()), ("fault.idx.gz", gzip(bytes))] {
            let path = folder.write(name, bytes);
            assert_error(read_idx(&path), parts);
            assert_error(read_idx(&path), &[name]);
        }
    }
    let zipped = gzip(&idx(&[1000], &[7; 1000]));
    let cut = folder.write("cut.gz", &zipped[..zipped.len() - 9]);
    assert_error(read_idx(cut), &["cut.gz"]);
    assert_error(read_idx(folder.path("none")), &["none"]);
    assert_error(read_idx(&folder.0), &["folder"]);
}

/// A folder with a small MNIST: 3 training and 2 test images of 2 x 2.
fn small_mnist(test: &str) -> Folder {
    let folder = Folder::new(test);
    let pixels: Vec<u8> = (0..12).map(|i| i * 20).collect();
    folder.write("train-images-idx3-ubyte", idx(&[3, 2, 2], &pixels));
    folder.write("train-labels-idx1-ubyte", idx(&[3], &[5, 0, 9]));
    folder.write("t10k-images.idx3-ubyte.gz", gzip(&idx(&[2, 2, 2], &[255; 8])));
    folder.write("t10k-labels.idx1-ubyte", idx(&[2], &[1, 2]));
    folder
}

#[test]
fn mnist_is_read_under_each_of_its_names() {
    let folder = small_mnist("mnist");
    let (train, test) = Dataset::mnist_idx(&folder.0).unwrap();
    assert_eq!((train.len(), train.inputs(), train.outputs()), (3, 4, 10));
    assert_eq!(train.features().row(2).to_vec(), [160.0, 180.0, 200.0, 220.0]);
    assert_eq!(train.labels().unwrap(), [5, 0, 9]);
    assert_eq!((test.len(), test.outputs(), test.labels().unwrap()), (2, 10, &[1, 2][..]));
    assert!(test.features().iter().all(|&x| x == 255.0));
}

#[test]
fn a_folder_that_is_no_mnist_is_refused() {
    let folder = small_mnist("mnist-faults");
    let with = |name: &str, bytes: Vec<u8>, parts: &[&str]| {
        let kept = fs::read(folder.path(name)).unwrap();
        folder.write(name, bytes);
        assert_error(Dataset::mnist_idx(&folder.0), parts);
        folder.write(name, kept);
    };
    let (images, labels) = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    with(labels, idx(&[3], &[5, 12, 9]), &[labels, "row 1 is 12", "0 to 9"]);
    with(labels, idx(&[2], &[5, 0]), &[labels, images, "2 labels", "3 images"]);
    with(labels, idx(&[3, 1], &[5, 0, 9]), &[labels, "2 dimensions", "labels have 1"]);
    with(images, idx(&[3, 4], &[0; 12]), &[images, "2 dimensions", "images have 3"]);
    with(images, idx(&[3, 2, 2], &[0; 11]), &[images, "truncated"]);
    with(images, idx(&[3, 2, 1], &[0; 6]), &["training images have 2 pixels, test images 4"]);
    assert!(Dataset::mnist_idx(&folder.0).is_ok(), "a fault was not taken back");

    fs::remove_file(folder.path(labels)).unwrap();
    let wanted = ["train-labels-idx1-ubyte.gz", "train-labels.idx1-ubyte"];
    assert_error(Dataset::mnist_idx(&folder.0), &wanted);
}
