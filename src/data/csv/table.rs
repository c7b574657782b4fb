//! The rows of a CSV file: columns found by name, cells parsed, every complaint with its place.

use std::collections::HashMap;
use std::sync::Arc;

use ::csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};

use super::{CsvOptions, Kind};
use crate::data::build::DatasetBuilder;
use crate::data::dataset::Dataset;
use crate::op::Shape;

/// A reason without its path, which the caller knows.
pub(super) type Parsed<T> = std::result::Result<T, String>;

/// What a file's rows hold, in the chosen columns.
pub(super) struct Table {
    features: Vec<f32>,
    inputs: usize,
    targets: Cells,
    outputs: usize,
}

/// The cells of the target columns.
enum Cells {
    Numbers(Vec<f32>),
    Names(Names),
}

/// Class names as numbers in the order of their first appearance.
#[derive(Default)]
struct Names {
    known: HashMap<String, u32>,
    rows: Vec<u32>,
}

pub(super) fn read_table(
    text: &[u8],
    options: &CsvOptions,
    allow_non_finite: bool,
) -> Parsed<Table> {
    let mut reader = ReaderBuilder::new()
        .delimiter(options.delimiter)
        .has_headers(options.header)
        .trim(Trim::All)
        .from_reader(text);
    let columns = Columns::find(reader.headers().map_err(|e| explain(text, &e))?, options)?;
    let (inputs, outputs) = (columns.features.len(), columns.targets.len());
    let mut features = Vec::new();
    let mut targets = None;

    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| explain(text, &e))? {
        let row = Row { text, columns: &columns, record: &record, allow_non_finite };
        row.numbers(&columns.features, &mut features)?;
        let targets = match &mut targets {
            Some(targets) => targets,
            none => none.insert(row.kind(options.kind)?),
        };
        match targets {
            Cells::Numbers(numbers) => row.numbers(&columns.targets, numbers)?,
            Cells::Names(names) => names.push(row.cell(columns.targets[0])?),
        }
    }
    let targets = targets.ok_or("there are no rows of data")?;
    Ok(Table { features, inputs, targets, outputs })
}

impl Table {
    pub(super) fn into_dataset(self, builder: DatasetBuilder) -> Parsed<Dataset> {
        let shape = Shape::new(self.features.len() / self.inputs, self.inputs);
        let op = "read_csv";
        let dataset = match self.targets {
            Cells::Numbers(values) => {
                let values = (Shape::new(values.len() / self.outputs, self.outputs), values);
                builder.valued(op, (shape, self.features), values)
            }
            Cells::Names(names) => {
                let (labels, names) = names.sorted();
                builder
                    .labelled(op, shape, self.features, labels)
                    .map(|dataset| Dataset { class_names: Some(Arc::new(names)), ..dataset })
            }
        };
        dataset.map_err(|e| e.to_string())
    }
}

impl Names {
    fn push(&mut self, name: &str) {
        let next = self.known.len() as u32;
        let label = match self.known.get(name) {
            Some(&label) => label,
            None => *self.known.entry(name.to_string()).or_insert(next),
        };
        self.rows.push(label);
    }

    /// The labels, renumbered in the order of the sorted names, and these names.
    fn sorted(self) -> (Vec<u32>, Vec<String>) {
        let mut names: Vec<(String, u32)> = self.known.into_iter().collect();
        let number = |name: &str| name.parse::<f64>().ok();
        if names.iter().all(|(name, _)| number(name).is_some()) {
            // "10" comes after "9"; equal numbers, such as "1" and "1.0", still have an order.
            names.sort_by(|(a, _), (b, _)| {
                let order = number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0));
                order.then_with(|| a.cmp(b))
            });
        } else {
            names.sort();
        }
        let mut renumbered = vec![0; names.len()];
        for (label, (_, first_seen)) in names.iter().enumerate() {
            renumbered[*first_seen as usize] = label as u32;
        }
        let labels = self.rows.iter().map(|&label| renumbered[label as usize]).collect();
        (labels, names.into_iter().map(|(name, _)| name).collect())
    }
}

/// The columns of a file, and which of them are used.
struct Columns {
    names: Vec<String>,
    features: Vec<usize>,
    targets: Vec<usize>,
}

impl Columns {
    fn find(header: &StringRecord, options: &CsvOptions) -> Parsed<Self> {
        let count = header.len();
        if count == 0 {
            return Err("the file is empty".into());
        }
        let names: Vec<String> = match options.header {
            true => header.iter().map(String::from).collect(),
            false => (0..count).map(|column| column.to_string()).collect(),
        };
        let targets = match options.targets.as_slice() {
            [] => vec![count - 1],
            wanted => places(&names, wanted)?,
        };
        let features = match options.features.as_slice() {
            [] => (0..count).filter(|column| !targets.contains(column)).collect(),
            wanted => places(&names, wanted)?,
        };
        if let Some(&both) = features.iter().find(|column| targets.contains(column)) {
            return Err(format!("column `{}` is both a feature and a target", names[both]));
        }
        if features.is_empty() {
            return Err("every column is a target: there are none left for features".into());
        }
        Ok(Self { names, features, targets })
    }
}

/// The places of the columns with the wanted names.
fn places(names: &[String], wanted: &[String]) -> Parsed<Vec<usize>> {
    let place = |name: &String| {
        let mut found = (0..names.len()).filter(|&column| names[column] == *name);
        match (found.next(), found.next()) {
            (Some(column), None) => Ok(column),
            (Some(_), Some(_)) => Err(format!("more than one column is named `{name}`")),
            (None, _) => {
                Err(format!("there is no column `{name}`; the columns are: {}", names.join(", ")))
            }
        }
    };
    wanted.iter().map(place).collect()
}

/// A row of the file while it is read.
struct Row<'a> {
    /// The whole file.
    text: &'a [u8],
    columns: &'a Columns,
    record: &'a StringRecord,
    allow_non_finite: bool,
}

impl<'a> Row<'a> {
    /// What the target columns hold, with no row yet.
    fn kind(&self, kind: Kind) -> Parsed<Cells> {
        let labels = match kind {
            Kind::ByFirstCell => self.cell(self.columns.targets[0])?.parse::<f32>().is_err(),
            Kind::Labels => true,
            Kind::Values => false,
        };
        match (labels, self.columns.targets.len()) {
            (false, _) => Ok(Cells::Numbers(Vec::new())),
            (true, 1) => Ok(Cells::Names(Names::default())),
            (true, several) => Err(format!(
                "{several} target columns with class names: labels come from one column"
            )),
        }
    }

    /// Appends the numbers of some columns.
    fn numbers(&self, columns: &[usize], to: &mut Vec<f32>) -> Parsed<()> {
        for &column in columns {
            let cell = self.cell(column)?;
            let number: f32 = cell.parse().map_err(|_| self.complain(column, "is not a number"))?;
            if !number.is_finite() && !self.allow_non_finite {
                let problem = "is not finite in f32: clean or impute the data, or allow it with \
                               `Dataset::builder().allow_non_finite()`";
                return Err(self.complain(column, problem));
            }
            to.push(number);
        }
        Ok(())
    }

    /// The text of a cell, which must not be empty.
    fn cell(&self, column: usize) -> Parsed<&'a str> {
        let cell = self.record.get(column).unwrap_or_default();
        if cell.is_empty() { Err(self.complain(column, "is empty")) } else { Ok(cell) }
    }

    /// What is wrong with a cell, with its place.
    fn complain(&self, column: usize, problem: &str) -> String {
        let line = line(self.text, self.record.position());
        let text = self.record.get(column).unwrap_or_default();
        let name = &self.columns.names[column];
        format!("line {line}, column {} (`{name}`): `{text}` {problem}", column + 1)
    }
}

/// The CSV reader's own errors, with the line.
fn explain(text: &[u8], error: &::csv::Error) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = line(text, pos.as_ref());
            format!("line {line}: {len} fields, but the lines before have {expected_len}")
        }
        ErrorKind::Utf8 { pos, err } => {
            let line = line(text, pos.as_ref());
            format!("line {line}, column {}: the text is not UTF-8", err.field() + 1)
        }
        _ => error.to_string(),
    }
}

/// The line, counted from 1, that the record at `position` starts in.
///
/// The CSV reader's own count is that of the line after the record before, which differs where
/// there are empty lines between.
fn line(text: &[u8], position: Option<&Position>) -> usize {
    let after_last = position.map_or(0, |position| position.byte() as usize).min(text.len());
    let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    let breaks = text[after_last..].iter().take_while(is_break).count();
    1 + text[..after_last + breaks].iter().filter(|byte| **byte == b'\n').count()
}
