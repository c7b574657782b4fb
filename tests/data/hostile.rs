//! Files of any content: the readers give data or an error, and never panic.

use std::fs;

use proptest::prelude::*;
use wgrad::data::{CsvOptions, read_csv, read_idx, read_npy, read_npz};

use crate::idx::{gzip, idx};
use crate::numpy::npy;
use crate::{Folder, golden};

/// A file with some bytes replaced and the end cut off.
fn damaged(whole: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = whole.len();
    let changes = prop::collection::vec((0..length, any::<u8>()), 1..6);
    (changes, length / 2..=length).prop_map(move |(changes, end)| {
        let mut bytes = whole.clone();
        for (place, byte) in changes {
            bytes[place] = byte;
        }
        bytes.truncate(end);
        bytes
    })
}

/// A header with numbers, brackets and words where they do not belong.
fn any_header() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "'descr'",
        "'fortran_order'",
        "'shape'",
        ":",
        ",",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "'<f4'",
        "'|O'",
        "'|b1'",
        "'>i8'",
        "True",
        "False",
        "0",
        "3",
        "18446744073709551615",
        "9999999999",
        "-1",
        "1_0",
        "0xff",
        "1e9",
        "'\\x41'",
        " ",
        "b''",
        "None",
    ]);
    let words = prop::collection::vec(word, 0..40).prop_map(|words| words.concat());
    let shape = prop::collection::vec(any::<u64>(), 0..4).prop_map(|sizes| format!("{sizes:?}"));
    prop_oneof![
        words.prop_map(|header| {
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((header.len() as u16).to_le_bytes());
            bytes.extend(header.bytes());
            bytes
        }),
        shape.prop_map(|shape| npy("<f4", &shape, &[0; 64])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_bytes_are_no_reason_to_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = Folder::new("hostile-any");
        for prefix in [&b""[..], b"\x93NUMPY\x01\x00", b"\x00\x00\x08", b"\x1f\x8b\x08\x00", b"PK\x03\x04"] {
            let path = folder.write("any", [prefix, &bytes].concat());
            let _ = read_npy(&path);
            let _ = read_npz(&path);
            let _ = read_idx(&path);
            let _ = read_csv(&path, &CsvOptions::new());
            let _ = read_csv(&path, &CsvOptions::new().header(false).labels());
        }
    }

    #[test]
    fn damaged_arrays(bytes in damaged(fs::read(golden("fortran.npy")).unwrap())) {
        let _ = read_npy(Folder::new("hostile-npy").write("damaged.npy", bytes));
    }

    #[test]
    fn damaged_headers(bytes in any_header()) {
        let _ = read_npy(Folder::new("hostile-header").write("header.npy", bytes));
    }

    #[test]
    fn damaged_archives(bytes in damaged(fs::read(golden("with_names.npz")).unwrap())) {
        let _ = read_npz(Folder::new("hostile-npz").write("damaged.npz", bytes));
    }

    #[test]
    fn damaged_compressed_archives(
        bytes in damaged(fs::read(golden("types_compressed.npz")).unwrap()),
    ) {
        let _ = read_npz(Folder::new("hostile-npz-compressed").write("damaged.npz", bytes));
    }

    #[test]
    fn damaged_images(bytes in damaged(idx(&[3, 5, 5], &[9; 75])), zipped: bool) {
        let bytes = if zipped { gzip(&bytes) } else { bytes };
        let _ = read_idx(Folder::new("hostile-idx").write("damaged.idx", bytes));
    }

    #[test]
    fn damaged_gzip(bytes in damaged(gzip(&idx(&[3, 5, 5], &[9; 75])))) {
        let _ = read_idx(Folder::new("hostile-gzip").write("damaged.idx.gz", bytes));
    }

    #[test]
    fn tables_of_any_text(text in "[0-9a,.;\"\n\r -]{0,200}") {
        let path = Folder::new("hostile-csv").write("any.csv", text);
        let _ = read_csv(path, &CsvOptions::new());
    }
}
