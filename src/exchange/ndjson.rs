//! NDJSON: one JSON object a line; empty lines are passed over.

use std::io::{self, BufRead, Read, Write};

use super::{
    ImportOptions, REJECT_COLUMN, RowError, STORED, Source,
    record::{Cell, Record},
};
use crate::{
    domain::{Field, Invalid, quoted},
    json::Node,
    limits::MAX_IMPORT_ROW_BYTES,
};

pub(super) struct Rows<R> {
    reader: R,
    line: u64,
    /// The member of each attribute, in the order of [`Field::ALL`].
    names: [String; 5],
    buffer: Vec<u8>,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn open(reader: R, options: &ImportOptions) -> Result<Self, Invalid> {
        if !matches!(options.source, Source::Auto | Source::Reelshelf) {
            let source = options.source.as_str();
            return Err(Invalid(format!("source={source} is a layout of CSV, and the file is NDJSON")));
        }
        let name =
            |field: Field| options.columns.get(&field).map_or(field.as_str(), String::as_str).to_owned();
        Ok(Self { reader, line: 0, names: Field::ALL.map(name), buffer: Vec::new() })
    }

    /// Goes on to the next row; tells whether there is one.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        loop {
            self.buffer.clear();
            self.line += 1;
            let most = MAX_IMPORT_ROW_BYTES as u64 + 1;
            let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.buffer)?;
            if self.buffer.len() > MAX_IMPORT_ROW_BYTES {
                let detail = format!("line {} is longer than {MAX_IMPORT_ROW_BYTES} bytes", self.line);
                return Err(io::Error::new(io::ErrorKind::InvalidData, detail));
            }
            if read == 0 || !self.buffer.trim_ascii().is_empty() {
                return Ok(read > 0);
            }
        }
    }

    /// The present line.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn record(&self) -> Result<Record<'_>, RowError> {
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
            } else if !STORED.contains(&name.as_str()) && name != REJECT_COLUMN {
                return Err(of_row(format!("{} is not known here", quoted(&name))));
            }
        }
        Ok(Record { line: self.line, kind: None, cells })
    }

    /// Writes the present row as it stands, with a member for the reason why it is refused where the row
    /// is an object.
    pub(super) fn write_reject(&self, to: &mut dyn Write, reason: &str) -> io::Result<()> {
        let row = self.buffer.trim_ascii();
        let Ok(Node::Object(members)) = Node::parse(row) else {
            to.write_all(row)?;
            return to.write_all(b"\n");
        };
        let opening = format!("\"{REJECT_COLUMN}\":");
        let mut inside = row[..row.len() - 1].trim_ascii_end();
        let mut others = !members.is_empty();
        if members.last().is_some_and(|(name, _)| name == REJECT_COLUMN)
            && let Some(start) = inside.windows(opening.len()).rposition(|part| part == opening.as_bytes())
        {
            inside = inside[..start].trim_ascii_end();
            inside = inside.strip_suffix(b",").unwrap_or(inside);
            others = members.len() > 1;
        }
        to.write_all(inside)?;
        to.write_all(if others { b"," } else { b"" })?;
        writeln!(to, "{opening}{}}}", serde_json::Value::from(reason))
    }
}
