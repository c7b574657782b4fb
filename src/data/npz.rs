//! NumPy's .npz files: a zip archive with one .npy file for each array.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::file;
use super::npy::{self, NpyArray};
use crate::error::{Error, Result};

/// Reads every array of a .npz file, compressed or not, by name.
///
/// ```
/// let arrays = wgrad::data::read_npz("examples/data/digits.npz")?;
/// assert_eq!(arrays["images"].shape(), [1797, 8, 8]);
/// # Ok::<(), wgrad::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::File`], with the name of the array, if the file is no zip archive, is corrupt, or
/// has an array that [`read_npy`](super::read_npy) cannot read.
pub fn read_npz(path: impl AsRef<Path>) -> Result<BTreeMap<String, NpyArray>> {
    let mut archive = NpzFile::open(path.as_ref())?;
    let names: Vec<String> = archive.names().map(String::from).collect();
    names.into_iter().map(|name| archive.read(&name).map(|array| (name, array))).collect()
}

/// An open .npz file, of which single arrays are read.
pub(super) struct NpzFile {
    archive: ZipArchive<BufReader<File>>,
    path: PathBuf,
    /// The place of each array in the archive, by its name without ".npy".
    members: BTreeMap<String, usize>,
}

impl NpzFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let archive = ZipArchive::new(file::open(path)?)
            .map_err(|e| Error::file(path, format!("this is no .npz archive: {e}")))?;
        let mut members = BTreeMap::new();
        for (place, name) in archive.file_names().enumerate() {
            let name = name.map_err(|e| Error::file(path, format!("member {place}: {e}")))?;
            if let Some(name) = name.strip_suffix(".npy") {
                members.insert(name.to_string(), place);
            }
        }
        Ok(Self { archive, path: path.into(), members })
    }

    /// The names of the arrays.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Reads one array.
    pub(super) fn read(&mut self, name: &str) -> Result<NpyArray> {
        let Some(&place) = self.members.get(name) else {
            return Err(self.missing(&format!("`{name}`")));
        };
        let decoded = match self.archive.by_index(place) {
            Ok(mut member) => npy::decode(&mut member),
            Err(e) => Err(e.to_string()),
        };
        decoded.map_err(|reason| Error::file(&self.path, format!("array `{name}`: {reason}")))
    }

    /// The error of an array that is not there, which lists those that are.
    pub(super) fn missing(&self, wanted: &str) -> Error {
        let names: Vec<_> = self.names().collect();
        let found = if names.is_empty() { "none".to_string() } else { names.join(", ") };
        Error::file(&self.path, format!("there is no array {wanted}; the arrays are: {found}"))
    }
}
