//! Traces as text: a table to read, JSON and CSV for other programs.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::slice::from_ref;

use serde::Serialize;

use super::{Trace, Traces};
use crate::data::file;
use crate::error::{Error, Result};

impl Trace {
    /// The trace as JSON: the fields of [`Trace`], nested.
    ///
    /// # Errors
    /// [`Error::Program`] if it cannot be serialized, which does not happen.
    pub fn to_json(&self) -> Result<String> {
        json(self)
    }

    /// Writes [`to_json`](Self::to_json) to a file, which is replaced whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write_json(&self, path: impl AsRef<Path>) -> Result<()> {
        write_json(self, path.as_ref())
    }

    /// Writes a CSV file with a line for each quantity of each layer: `step`, `loss`, `layer`,
    /// `activation`, `quantity`, `rows`, `columns`, `mean`, `std`, `min`, `max`, `zeros`,
    /// `saturated` (of `pre_activation` alone) and the counts `bin_0`, `bin_1`, ... A file that is
    /// there is replaced whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write_csv(from_ref(self), path.as_ref())
    }
}

impl Traces {
    /// The traces as JSON: an array of the fields of [`Trace`], nested.
    ///
    /// # Errors
    /// Those of [`Trace::to_json`].
    pub fn to_json(&self) -> Result<String> {
        json(self)
    }

    /// Writes [`to_json`](Self::to_json) to a file, which is replaced whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write_json(&self, path: impl AsRef<Path>) -> Result<()> {
        write_json(self, path.as_ref())
    }

    /// Writes all of them to one CSV file of the columns of [`Trace::write_csv`].
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write_csv(self, path.as_ref())
    }
}

fn json(traces: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(traces)
        .map_err(|error| Error::Program { op: "to_json", reason: error.to_string() })
}

fn write_json(traces: &impl Serialize, path: &Path) -> Result<()> {
    let text = json(traces)?;
    file::replace(path, |writer| writer.write_all(text.as_bytes()))
}

const COLUMNS: [&str; 13] = [
    "step",
    "loss",
    "layer",
    "activation",
    "quantity",
    "rows",
    "columns",
    "mean",
    "std",
    "min",
    "max",
    "zeros",
    "saturated",
];

fn write_csv(traces: &[Trace], path: &Path) -> Result<()> {
    file::replace(path, |writer| {
        let mut csv = csv::Writer::from_writer(writer);
        let bins = (0..super::BINS).map(|bin| format!("bin_{bin}"));
        csv.write_record(COLUMNS.map(str::to_owned).into_iter().chain(bins))?;
        traces.iter().flat_map(records).try_for_each(|record| csv.write_record(record))?;
        csv.flush()
    })
}

/// The lines of a trace.
fn records(trace: &Trace) -> impl Iterator<Item = Vec<String>> {
    trace.layers.iter().enumerate().flat_map(|(i, layer)| {
        layer.quantities().map(|(name, summary)| {
            let is_pre = std::ptr::eq(summary, &raw const layer.pre_activation);
            let saturated = layer.saturated.filter(|_| is_pre);
            let [rows, columns] = summary.shape;
            let mut record = vec![
                trace.step.to_string(),
                trace.loss.to_string(),
                i.to_string(),
                layer.activation.to_string(),
                name.to_owned(),
                rows.to_string(),
                columns.to_string(),
            ];
            let numbers = [summary.mean, summary.std, summary.min, summary.max, summary.zeros];
            record.extend(numbers.map(|x| x.to_string()));
            record.push(saturated.map(|share| share.to_string()).unwrap_or_default());
            record.extend(summary.histogram.iter().map(u32::to_string));
            record
        })
    })
}

/// The shapes from layer to layer, forward and back, and a table of all quantities.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = |[rows, columns]: [usize; 2]| format!("({rows}, {columns})");
        let outputs = self.layers.iter().map(|layer| shape(layer.output.shape));
        let inputs = self.layers.first().map(|layer| shape(layer.input.shape));
        let forward: Vec<String> = inputs.into_iter().chain(outputs).collect();
        writeln!(f, "shapes: {}, loss {:.6}", forward.join(" -> "), self.loss)?;
        writeln!(
            f,
            "{:<21} {:>13} {:>11} {:>11} {:>11} {:>11} {:>7} {:>9}",
            "layer and quantity", "shape", "mean", "std", "min", "max", "zeros", "saturated"
        )?;
        for (i, layer) in self.layers.iter().enumerate() {
            writeln!(f, "layer {i}, {}", layer.activation)?;
            for (name, summary) in layer.quantities() {
                write!(f, "  {:<19} {:>13}", name.replace('_', " "), shape(summary.shape))?;
                for x in [summary.mean, summary.std, summary.min, summary.max] {
                    let plain = x == 0.0 || (1e-3..1e5).contains(&x.abs());
                    if plain { write!(f, " {x:>11.5}") } else { write!(f, " {x:>11.3e}") }?;
                }
                write!(f, " {:>6.1}%", 100.0 * summary.zeros)?;
                match layer.saturated.filter(|_| name == "pre_activation") {
                    Some(share) => writeln!(f, " {:>8.1}%", 100.0 * share)?,
                    None => writeln!(f)?,
                }
            }
        }
        Ok(())
    }
}
