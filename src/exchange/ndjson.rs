//! NDJSON: one JSON object a line; empty lines are passed over.

use std::io::{self, BufRead, Read};

use super::{ImportOptions, LONGEST_ROW, Record, RowError, STORED, record::Cell};
use crate::{domain::Field, json::Node};

pub(super) struct Rows<R> {
    reader: R,
    line: u64,
    /// The member of each attribute, in the order of [`Field::ALL`].
    names: [String; 5],
    buffer: Vec<u8>,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(reader: R, options: &ImportOptions) -> Self {
        let name =
            |field: Field| options.columns.get(&field).map_or(field.as_str(), String::as_str).to_owned();
        Self { reader, line: 0, names: Field::ALL.map(name), buffer: Vec::new() }
    }

    fn record(&self) -> Result<Record, RowError> {
        let of_row = |detail: String| RowError::of_row(self.line, detail);
        let node = Node::parse(&self.buffer).map_err(|invalid| of_row(invalid.0))?;
        let Node::Object(members) = node else {
            return Err(of_row(format!("must be an object, got {node}")));
        };
        let mut cells = [const { None }; 5];
        for (name, value) in members {
            if let Some(place) = self.names.iter().position(|n| *n == name) {
                if cells[place].replace(Cell::Json(value)).is_some() {
                    return Err(RowError {
                        field: Some(Field::ALL[place].as_str().into()),
                        ..of_row("must not be given twice".to_owned())
                    });
                }
            } else if !STORED.contains(&name.as_str()) {
                return Err(of_row(format!("{name:?} is not known here")));
            }
        }
        Ok(Record { line: self.line, cells })
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = io::Result<Result<Record, RowError>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.buffer.clear();
            self.line += 1;
            let most = LONGEST_ROW as u64 + 1;
            match self.reader.by_ref().take(most).read_until(b'\n', &mut self.buffer) {
                Ok(0) => return None,
                Ok(_) if self.buffer.len() > LONGEST_ROW => {
                    let detail = format!("line {} is longer than {LONGEST_ROW} bytes", self.line);
                    return Some(Err(io::Error::new(io::ErrorKind::InvalidData, detail)));
                }
                Ok(_) if self.buffer.trim_ascii().is_empty() => {}
                Ok(_) => return Some(Ok(self.record())),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
