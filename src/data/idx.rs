//! IDX files, the format of MNIST: big-endian dimensions and bytes, plain or gzipped.
//!
//! The format: two zero bytes, the element type (only 8, u8, is read), the number of dimensions,
//! each dimension as a big-endian u32, then the elements with the last dimension fastest.
//! Defined at the end of <https://yann.lecun.com/exdb/mnist/>.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::dataset::Dataset;
use super::file;
use crate::error::{Error, Result};

/// The type byte of u8, the only one in use.
const U8: u8 = 8;

/// An array of bytes from an IDX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxArray {
    /// The dimensions, such as (60000, 28, 28); at least one.
    pub shape: Vec<usize>,
    /// The elements; the last dimension varies fastest.
    pub data: Vec<u8>,
}

/// Reads an IDX file of bytes, plain or gzipped, which is told from its first bytes.
///
/// # Errors
///
/// [`Error::File`] if the file cannot be read, is no IDX file of u8, or has more or less data
/// than its dimensions say.
pub fn read_idx(path: impl AsRef<Path>) -> Result<IdxArray> {
    let path = path.as_ref();
    let mut reader = file::open(path)?;
    let start = reader.fill_buf().map_err(|e| Error::file(path, e))?;
    let decoded = if start.starts_with(&[0x1f, 0x8b]) {
        decode(&mut MultiGzDecoder::new(reader))
    } else {
        decode(&mut reader)
    };
    decoded.map_err(|reason| Error::file(path, reason))
}

fn decode(reader: &mut impl Read) -> std::result::Result<IdxArray, String> {
    let [zero, zero_too, kind, dimensions] = read_word(reader, "the magic number")?;
    if zero != 0 || zero_too != 0 {
        return Err(format!(
            "this is no IDX file: it starts with {zero:#04x} {zero_too:#04x}, not with two zeros"
        ));
    }
    if kind != U8 {
        return Err(format!("the element type at byte 2 is {kind:#04x}: only 0x08 (u8) is read"));
    }
    if dimensions == 0 {
        return Err("the number of dimensions at byte 3 is 0".into());
    }
    let mut shape = Vec::with_capacity(usize::from(dimensions));
    let mut bytes = 1u64;
    for dimension in 0..dimensions {
        let size = u32::from_be_bytes(read_word(reader, &format!("dimension {dimension}"))?);
        let place = 4 + 4 * usize::from(dimension);
        if size == 0 {
            return Err(format!("dimension {dimension} at byte {place} is 0"));
        }
        bytes = bytes.checked_mul(u64::from(size)).ok_or_else(|| {
            format!("dimension {dimension} at byte {place} is {size}: that is too much data")
        })?;
        shape.push(size as usize);
    }
    file::read_exactly(reader, bytes).map(|data| IdxArray { shape, data })
}

/// Four bytes of the header.
fn read_word(reader: &mut impl Read, what: &str) -> std::result::Result<[u8; 4], String> {
    let mut word = [0; 4];
    reader.read_exact(&mut word).map_err(|e| format!("truncated in {what}: {e}"))?;
    Ok(word)
}

impl Dataset {
    /// MNIST, or a set in its format such as Fashion-MNIST, from the four IDX files in a folder:
    /// (train, test).
    ///
    /// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
    /// `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each with or without `.gz`, and
    /// with a `.` or a `-` before `idx`. Features are the pixels as they are, 0 to 255,
    /// (rows, height x width); `scaled(1.0 / 255.0)` brings them to 0 to 1. There are 10 classes.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if a file is missing or not what [`read_idx`] reads, if images are not
    /// 3-D or labels not 1-D, if there is not a label for each image, or for a label above 9.
    pub fn mnist_idx(folder: impl AsRef<Path>) -> Result<(Self, Self)> {
        let part = |name| mnist_part(folder.as_ref(), name);
        let (train, test) = (part("train")?, part("t10k")?);
        if train.inputs() != test.inputs() {
            let reason = format!(
                "training images have {} pixels, test images {}",
                train.inputs(),
                test.inputs()
            );
            return Err(Error::file(folder.as_ref(), reason));
        }
        Ok((train, test))
    }
}

/// The images and labels of one part, `train` or `t10k`.
fn mnist_part(folder: &Path, part: &str) -> Result<Dataset> {
    let (images, images_path) = read_named(folder, part, "images", 3)?;
    let (labels, labels_path) = read_named(folder, part, "labels", 1)?;
    if images.shape[0] != labels.data.len() {
        let (found, wanted) = (labels.data.len(), images.shape[0]);
        let reason = format!("{found} labels for the {wanted} images of {}", images_path.display());
        return Err(Error::file(labels_path, reason));
    }
    if let Some(row) = labels.data.iter().position(|&label| label > 9) {
        let reason = format!("the label in row {row} is {}: labels are 0 to 9", labels.data[row]);
        return Err(Error::file(labels_path, reason));
    }
    let inputs = images.shape[1] * images.shape[2];
    let pixels: Vec<f32> = images.data.iter().map(|&byte| f32::from(byte)).collect();
    Dataset::classification_from_vec(pixels, inputs, labels.data)?.with_classes(10)
}

/// Reads the file of a part, by the first of its usual names that is there.
fn read_named(folder: &Path, part: &str, kind: &str, dims: usize) -> Result<(IdxArray, PathBuf)> {
    let name = format!("{part}-{kind}-idx{dims}-ubyte");
    let dotted = format!("{part}-{kind}.idx{dims}-ubyte");
    let candidates = [name.clone(), format!("{name}.gz"), dotted.clone(), format!("{dotted}.gz")];
    let found = candidates.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let Some(path) = found else {
        let reason = format!("no file {} in this folder", candidates.join(", "));
        return Err(Error::file(folder, reason));
    };
    let array = read_idx(&path)?;
    if array.shape.len() != dims {
        let found = array.shape.len();
        let reason = format!("{found} dimensions (byte 3), but {kind} have {dims}");
        return Err(Error::file(path, reason));
    }
    Ok((array, path))
}
