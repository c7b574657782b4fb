//! NumPy's .npy files: one array, of any shape, of f32, f64, bool or integers of 8 to 64 bits,
//! in either byte order and in C or Fortran order.
//!
//! `npyz` parses the header and the elements. It trusts the header: it multiplies dimensions
//! unchecked, recurses as deep as brackets go and allocates what the shape says. So the header
//! is screened before `npyz` sees it, and the data's length is compared with the shape before
//! anything is allocated for it.

use std::io::Read;
use std::path::Path;

use ndarray::{Array, ArrayBase, Data, Dimension, IxDyn, ShapeBuilder};
use npyz::{DType, NpyFile, NpyHeader, Order, TypeChar, WriterBuilder};

use super::file;
use super::number::Number;
use crate::error::{Error, Result};

/// The longest header that is read. NumPy refuses more than 10,000 bytes by default.
const MAX_HEADER: usize = 1 << 16;

/// An array from a .npy or .npz file, in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray {
    shape: Vec<usize>,
    values: NpyValues,
}

/// The elements of a [`NpyArray`], in the narrowest of four types that holds the file's.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NpyValues {
    /// From f32.
    F32(Vec<f32>),
    /// From f64.
    F64(Vec<f64>),
    /// From u8, and from bool as 0 and 1.
    U8(Vec<u8>),
    /// From every other integer type.
    I64(Vec<i64>),
}

impl NpyArray {
    /// The dimensions; none for a single number.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, in C order: the last dimension varies fastest.
    #[must_use]
    pub fn values(&self) -> &NpyValues {
        &self.values
    }

    /// Whether the elements are integers or bools.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        matches!(self.values, NpyValues::U8(_) | NpyValues::I64(_))
    }

    /// The elements as the nearest f32, without a copy where they are f32 already.
    #[must_use]
    pub fn into_f32(self) -> Vec<f32> {
        fn nearest<T: Number>(values: &[T]) -> Vec<f32> {
            values.iter().map(|x| x.to_f32()).collect()
        }
        match self.values {
            NpyValues::F32(values) => values,
            NpyValues::F64(values) => nearest(&values),
            NpyValues::U8(values) => nearest(&values),
            NpyValues::I64(values) => nearest(&values),
        }
    }
}

/// Reads a .npy file.
///
/// # Errors
///
/// [`Error::File`] if the file cannot be read, is no .npy file, has a type other than the ones
/// above, or more or less data than its header says.
pub fn read_npy(path: impl AsRef<Path>) -> Result<NpyArray> {
    let path = path.as_ref();
    decode(&mut file::open(path)?).map_err(|reason| Error::file(path, reason))
}

/// Writes an array of any dimension as a .npy file of f32 in C order.
///
/// The file is replaced whole or not at all.
///
/// # Errors
///
/// [`Error::File`] if it cannot be written.
pub fn write_npy<S: Data<Elem = f32>, D: Dimension>(
    path: impl AsRef<Path>,
    array: &ArrayBase<S, D>,
) -> Result<()> {
    let shape: Vec<u64> = array.shape().iter().map(|&n| n as u64).collect();
    file::replace(path.as_ref(), |file| {
        let options = npyz::WriteOptions::<f32>::new().default_dtype().shape(&shape);
        let mut writer = options.writer(file).begin_nd()?;
        writer.extend(array.iter().copied())?;
        writer.finish()
    })
}

/// A reason without its path, which the caller knows.
type Decoded<T> = std::result::Result<T, String>;

/// Reads one array, to the end of `reader`.
pub(super) fn decode(reader: &mut impl Read) -> Decoded<NpyArray> {
    let header = read_header(reader)?;
    let too_large = || format!("the shape {:?} is too large", header.shape());
    let sizes = header.shape().iter().map(|&n| usize::try_from(n));
    let shape: Vec<usize> =
        sizes.collect::<std::result::Result<_, _>>().map_err(|_| too_large())?;
    let (kind, size) = element_type(&header)?;
    let bytes = header.len().checked_mul(size as u64).ok_or_else(too_large)?;
    let data = file::read_exactly(reader, bytes)?;
    let elements = Elements { file: NpyFile::with_header(header, &data[..]), shape: &shape };

    let values = match (kind, size) {
        (TypeChar::Float, 4) => NpyValues::F32(elements.read()?),
        (TypeChar::Float, _) => NpyValues::F64(elements.read()?),
        (TypeChar::Bool, _) => {
            NpyValues::U8(elements.read::<bool>()?.into_iter().map(u8::from).collect())
        }
        (TypeChar::Uint, 1) => NpyValues::U8(elements.read()?),
        (TypeChar::Uint, 2) => elements.read_integers::<u16>()?,
        (TypeChar::Uint, 4) => elements.read_integers::<u32>()?,
        (TypeChar::Uint, _) => elements.read_integers::<u64>()?,
        (_, 1) => elements.read_integers::<i8>()?,
        (_, 2) => elements.read_integers::<i16>()?,
        (_, 4) => elements.read_integers::<i32>()?,
        _ => NpyValues::I64(elements.read()?),
    };
    Ok(NpyArray { shape, values })
}

/// The kind of the elements and their size in bytes, of those that can be read.
fn element_type(header: &NpyHeader) -> Decoded<(TypeChar, usize)> {
    if let DType::Plain(dtype) = header.dtype()
        && let (kind, Some(size)) = (dtype.type_char(), dtype.num_bytes())
        && matches!(
            (kind, size),
            (TypeChar::Float, 4 | 8)
                | (TypeChar::Bool, 1)
                | (TypeChar::Int | TypeChar::Uint, 1 | 2 | 4 | 8)
        )
    {
        return Ok((kind, size));
    }
    Err(format!(
        "elements of type {} cannot be read: convert them to float32, float64, bool or an integer \
         type with `astype`",
        header.dtype().descr()
    ))
}

/// The elements of an array that are still bytes.
struct Elements<'a> {
    file: NpyFile<&'a [u8]>,
    shape: &'a [usize],
}

impl Elements<'_> {
    /// The elements in C order.
    fn read<T: npyz::Deserialize + Clone>(self) -> Decoded<Vec<T>> {
        let order = self.file.order();
        let values: Vec<T> = self.file.into_vec().map_err(|e| e.to_string())?;
        if order == Order::C || self.shape.len() < 2 {
            return Ok(values);
        }
        let array =
            Array::from_shape_vec(IxDyn(self.shape).f(), values).map_err(|e| e.to_string())?;
        Ok(array.iter().cloned().collect())
    }

    fn read_integers<T>(self) -> Decoded<NpyValues>
    where
        T: npyz::Deserialize + Copy + std::fmt::Display,
        i64: TryFrom<T>,
    {
        let values = self.read::<T>()?;
        let wide = values.iter().map(|&value| {
            i64::try_from(value).map_err(|_| format!("the value {value} is more than 2^63 - 1"))
        });
        wide.collect::<Decoded<Vec<i64>>>().map(NpyValues::I64)
    }
}

/// Reads the magic bytes, the version and the header, and screens the header before it is parsed.
fn read_header(reader: &mut impl Read) -> Decoded<NpyHeader> {
    let mut header = Vec::new();
    take(reader, 8, &mut header)?;
    if header[..6] != *b"\x93NUMPY" {
        return Err("this is no .npy data: it does not start with \\x93NUMPY".into());
    }
    // Version 1 has a length of 2 bytes, the later ones of 4.
    take(reader, if header[6] == 1 { 2 } else { 4 }, &mut header)?;
    let length = header[8..].iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > MAX_HEADER {
        return Err(format!("the header is {length} bytes long: at most {MAX_HEADER} are read"));
    }
    let start = header.len();
    take(reader, length, &mut header)?;
    screen(&header[start..])?;
    NpyHeader::from_reader(&header[..]).map_err(|e| format!("the header cannot be read: {e}"))
}

/// Appends exactly `count` bytes.
fn take(reader: &mut impl Read, count: usize, to: &mut Vec<u8>) -> Decoded<()> {
    let found = reader.take(count as u64).read_to_end(to).map_err(|e| e.to_string())?;
    if found < count {
        return Err(format!("truncated in the header, after {} bytes", to.len()));
    }
    Ok(())
}

/// Refuses a header that would make `npyz` overflow: one that nests brackets deeply, or whose
/// numbers have a product beyond u64.
///
/// The numbers of a plain array's header are its dimensions. They are held to plain decimals, so
/// that none is read here as another number than `npyz` reads; a 0 counts as 1, since a product
/// that it makes 0 can overflow before.
fn screen(header: &[u8]) -> Decoded<()> {
    let opening = header.iter().filter(|byte| b"([{".contains(byte)).count();
    if opening > 64 {
        return Err("the header nests too deeply to be that of a plain array".into());
    }
    let words = header.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    let mut product = 1u64;
    for word in words.filter(|word| word.first().is_some_and(u8::is_ascii_digit)) {
        let word = String::from_utf8_lossy(word);
        let number: u64 = word
            .parse()
            .map_err(|_| format!("the header holds `{word}`, which is no dimension"))?;
        product = product
            .checked_mul(number.max(1))
            .ok_or("the header's dimensions have a product that is too large")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1 of the format with this header and data.
    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    }

    fn reason(bytes: &[u8]) -> String {
        decode(&mut &*bytes).unwrap_err()
    }

    #[test]
    fn hostile_headers_are_refused_before_they_are_parsed() {
        let header =
            |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n");
        assert!(decode(&mut &npy(&header("(2,)"), &[0; 8])[..]).is_ok());
        for shape in
            ["(4294967296, 4294967296)", "(0, 4294967296, 4294967296)", "(18446744073709551616,)"]
        {
            let reason = reason(&npy(&header(shape), &[]));
            assert!(reason.contains("too large") || reason.contains("no dimension"), "{reason}");
        }
        for shape in ["(1_000,)", "(0x10,)", "(1e3,)"] {
            assert!(reason(&npy(&header(shape), &[])).contains("no dimension"));
        }
        assert!(reason(&npy(&header("(1152921504606846976,)"), &[])).contains("truncated"));
        assert!(reason(&npy(&header("(4611686018427387904,)"), &[])).contains("too large"));
        assert!(reason(&npy(&"(".repeat(60_000), &[])).contains("nests too deeply"));
        assert!(reason(&npy(&"(".repeat(64), &[])).contains("cannot be read"));
    }

    #[test]
    fn a_header_length_of_gigabytes_is_refused() {
        let reason = reason(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'");
        assert!(reason.contains("4294967295 bytes long"), "{reason}");
    }
}
