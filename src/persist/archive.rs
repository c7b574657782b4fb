//! safetensors as this crate writes them: f32 tensors by name, and one JSON text that says what
//! they mean. Reasons are plain texts here; the callers add the file.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata, SafeTensorError, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkpoint::Training;
use crate::data::file;
use crate::error::{Error, Result};
use crate::nn::{Layer, Network};

/// What went wrong, without the file.
pub(super) type Read<T> = std::result::Result<T, String>;

/// The key of the description among a file's metadata.
const KEY: &str = "wgrad";

/// The format that this version writes and reads.
const FORMAT: u64 = 1;

/// What a file's tensors mean.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    format: u64,
    pub(super) network: Network,
    /// Only in a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) training: Option<Training>,
}

impl Description {
    pub(super) fn new(network: &Network, training: Option<Training>) -> Self {
        Self { format: FORMAT, network: network.clone(), training }
    }
}

/// A file in memory, its description checked.
pub(super) struct Archive<'a> {
    metadata: Metadata,
    data: &'a [u8],
    pub(super) description: Description,
}

impl<'a> Archive<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Read<Self> {
        check_header(bytes)?;
        let invalid = |error| format!("this is not a safetensors file: {error}");
        let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(invalid)?;
        let data = bytes.get(size_of::<u64>() + header..).unwrap_or_default();
        let text = metadata.metadata().as_ref().and_then(|texts| texts.get(KEY)).ok_or(
            "there is no description of a network (`wgrad` in the metadata): `Mlp::save` and \
             `Trainer::checkpoint` write one",
        )?;
        let description = describe(text)?;
        check_network(&description.network, data.len())?;
        Ok(Self { metadata, data, description })
    }

    /// Numbers laid out as the network's parameters, from the tensors whose names begin with
    /// `prefix`. `allowed` says which numbers may be there.
    pub(super) fn flat(&self, prefix: &str, allowed: fn(f32) -> bool) -> Read<Vec<f32>> {
        let network = &self.description.network;
        let mut words = vec![0.0; network.parameter_words()];
        for parameter in network.parameters() {
            let values =
                self.tensor(&format!("{prefix}{}", parameter.name), &parameter.array_shape())?;
            for (at, (word, value)) in words[parameter.range()].iter_mut().zip(values).enumerate() {
                if !allowed(value) {
                    let (row, column) = (at / parameter.shape.cols, at % parameter.shape.cols);
                    let name = &parameter.name;
                    return Err(format!(
                        "tensor `{prefix}{name}` holds {value} at row {row}, column {column}"
                    ));
                }
                *word = value;
            }
        }
        Ok(words)
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Read<impl Iterator<Item = f32> + use<'a>> {
        let info = self.metadata.info(name).ok_or_else(|| {
            let known = self.metadata.offset_keys().join(", ");
            format!("there is no tensor `{name}`; there are: {known}")
        })?;
        if info.dtype != Dtype::F32 {
            return Err(format!("tensor `{name}` is of type {:?}, not F32", info.dtype));
        }
        if info.shape != shape {
            let found = &info.shape;
            return Err(format!(
                "tensor `{name}` has shape {found:?}, but the network's has {shape:?}"
            ));
        }
        let (start, end) = info.data_offsets;
        let outside = || format!("tensor `{name}` ends at byte {end}, beyond the data");
        let (numbers, _) = self.data.get(start..end).ok_or_else(outside)?.as_chunks();
        Ok(numbers.iter().map(|&number| f32::from_le_bytes(number)))
    }
}

/// Checks that no tensor is said to end beyond the file. The crate that reads the header adds such
/// numbers up, and would overflow.
fn check_header(bytes: &[u8]) -> Read<()> {
    let short = || format!("{} bytes are too few for a safetensors file", bytes.len());
    let (length, rest) = bytes.split_first_chunk().ok_or_else(short)?;
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let header = header.ok_or_else(|| {
        let there = rest.len();
        format!("truncated, or no safetensors file: a header of {length} bytes, {there} are there")
    })?;
    let invalid = |error| format!("this is not a safetensors file: its header is no JSON: {error}");
    let entries: BTreeMap<String, Value> = serde_json::from_slice(header).map_err(invalid)?;
    let there = (rest.len() - header.len()) as u64;
    for (name, entry) in &entries {
        let end = entry.get("data_offsets").and_then(|offsets| offsets.get(1)?.as_u64());
        if let Some(end) = end.filter(|end| *end > there) {
            return Err(format!(
                "truncated: tensor `{name}` ends at byte {end} of the data, {there} are there"
            ));
        }
    }
    Ok(())
}

/// The description, its format checked before the rest.
fn describe(text: &str) -> Read<Description> {
    let invalid = |error| format!("the description (`wgrad` in the metadata): {error}");
    let value: Value = serde_json::from_str(text).map_err(invalid)?;
    match value.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => serde_json::from_value(value).map_err(invalid),
        Some(other) => Err(format!(
            "the description has format {other}, and this version of wgrad reads format {FORMAT}"
        )),
        None => Err("the description (`wgrad` in the metadata) has no number of a format".into()),
    }
}

/// Checks that the layers fit each other, and that their parameters can be in a file of this size.
fn check_network(network: &Network, data: usize) -> Read<()> {
    if network.layers().is_empty() {
        return Err("the description has a network without layers".into());
    }
    let mut numbers: usize = 0;
    let mut inputs = network.inputs();
    for (i, layer) in network.layers().iter().enumerate() {
        let Layer { inputs: rows, outputs: cols, activation, .. } = *layer;
        activation.check().map_err(|error| format!("the description's layer {i}: {error}"))?;
        if rows != inputs || rows == 0 || cols == 0 {
            return Err(format!(
                "the description's layer {i} is ({rows}, {cols}), after {inputs} outputs"
            ));
        }
        let weights = rows.checked_mul(cols).and_then(|weights| weights.checked_add(numbers));
        numbers =
            weights.filter(|numbers| *numbers <= data / size_of::<f32>()).ok_or_else(|| {
                format!("the description's layer {i} is ({rows}, {cols}), more than the file holds")
            })?;
        inputs = cols;
    }
    Ok(())
}

/// The bytes of a file: buffers laid out as the network's parameters, each with the prefix of its
/// tensors' names.
pub(super) fn to_bytes(description: &Description, buffers: &[(&str, &[f32])]) -> Read<Vec<u8>> {
    let text = |error: SafeTensorError| error.to_string();
    let mut tensors = Vec::new();
    for (prefix, words) in buffers {
        for parameter in description.network.parameters() {
            let numbers = words[parameter.range()].iter().copied();
            let bytes: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
            tensors.push((format!("{prefix}{}", parameter.name), parameter.array_shape(), bytes));
        }
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views: Vec<_> = views.collect::<std::result::Result<_, SafeTensorError>>().map_err(text)?;
    let description = serde_json::to_string(description).map_err(|error| error.to_string())?;
    let metadata = HashMap::from([(KEY.to_owned(), description)]);
    safetensors::serialize(views, Some(metadata)).map_err(text)
}

/// The bytes of the file at `path`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file::open(path)?.read_to_end(&mut bytes);
    read.map_err(|error| Error::file(path, format!("reading failed: {error}")))?;
    Ok(bytes)
}

/// Replaces the file at `path`, whole or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    file::replace(path, |writer| writer.write_all(bytes))
}
