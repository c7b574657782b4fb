//! `wgrad::data` from outside: data sets, splits, scalers, and every reader on good, wrong and
//! hostile files.
//!
//! Fixtures are in tests/golden/data, with the program that made them; what is small enough is
//! written by the test itself into a folder of its own.

mod csv;
mod dataset;
mod hostile;
mod idx;
mod numpy;
mod scaler;
mod split;

use std::fs;
use std::path::{Path, PathBuf};

use wgrad::Result;

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wgrad-data-{}-{test}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the temporary folder is no failure of the test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A fixture of tests/golden/data.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data").join(name)
}

/// A file of examples/data.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}

/// Asserts that there is an error and that its message has every part.
#[track_caller]
fn assert_error<T>(result: Result<T>, parts: &[&str]) {
    let Err(error) = result else { panic!("no error, where one with {parts:?} was expected") };
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in the message: {message}");
    }
}

#[test]
fn the_helper_notices_a_missing_error_and_a_missing_part() {
    let fails = |check: fn()| std::panic::catch_unwind(check).is_err();
    assert!(fails(|| assert_error(Ok(()), &[])));
    assert!(fails(|| assert_error(wgrad::data::read_npy("/no/such.npy"), &["no part of it"])));
    assert_error(wgrad::data::read_npy("/no/such.npy"), &["/no/such.npy"]);
}
