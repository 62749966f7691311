//! CSV (RFC 4180): `,` `;` or tab, found from the header line; CRLF or LF.

use std::{
    io::{self, BufRead, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use super::{ImportOptions, LONGEST_ROW, Record, RowError, STORED, record::Cell};
use crate::domain::{Field, Invalid, quoted};

pub(super) struct Rows<R> {
    reader: csv::Reader<Bounded<R>>,
    room: Arc<AtomicUsize>,
    /// The column of each attribute.
    columns: [Option<usize>; 5],
    width: usize,
    ignored: Vec<String>,
    row: csv::ByteRecord,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn open(mut file: R, options: &ImportOptions) -> Result<Self, Invalid> {
        let delimiter = delimiter(file.fill_buf().map_err(|e| super::unreadable(&e))?);
        let room = Arc::new(AtomicUsize::new(LONGEST_ROW));
        let bounded = Bounded { inner: file, room: room.clone() };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bounded);
        let header = reader.headers().map_err(|e| match e.kind() {
            csv::ErrorKind::Utf8 { .. } => Invalid("line 1 is not UTF-8".to_owned()),
            _ => Invalid(format!("the file cannot be read: {e}")),
        })?;
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        if names.iter().all(String::is_empty) {
            return Err(Invalid("the file is empty; its first line must name the columns".to_owned()));
        }
        if let Some(twice) = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name)) {
            return Err(Invalid(format!("line 1 names the column {} twice", quoted(twice.1))));
        }
        let mut columns = [None; 5];
        for field in Field::ALL {
            let mapped = options.columns.get(&field).map(|name| name.trim());
            let name = mapped.unwrap_or(field.as_str());
            let place = names.iter().position(|n| n == name);
            if mapped.is_some() && place.is_none() {
                return Err(Invalid(format!("line 1 does not name the mapped column {}", quoted(name))));
            }
            columns[field as usize] = place;
        }
        if columns.iter().all(Option::is_none) {
            return Err(Invalid(
                "line 1 names none of the columns title, movieFormat, length, releaseYear and rating; \
                 name them with map=FIELD:COLUMN"
                    .to_owned(),
            ));
        }
        let ignored = names
            .iter()
            .enumerate()
            .filter(|(n, name)| !columns.contains(&Some(*n)) && !STORED.contains(&name.as_str()))
            .map(|(_, name)| name.clone())
            .collect();
        Ok(Self { reader, room, columns, width: names.len(), ignored, row: csv::ByteRecord::new() })
    }

    pub(super) fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    fn record(&self, line: u64) -> Result<Record, RowError> {
        if self.row.len() != self.width {
            let detail = format!("has {} columns, the first line names {}", self.row.len(), self.width);
            return Err(RowError::of_row(line, detail));
        }
        let mut cells = [const { None }; 5];
        for field in Field::ALL {
            let Some(bytes) = self.columns[field as usize].and_then(|column| self.row.get(column)) else {
                continue;
            };
            let Ok(text) = std::str::from_utf8(bytes) else {
                return Err(RowError {
                    line,
                    field: Some(field.as_str()),
                    detail: "is not UTF-8".to_owned(),
                    value: Some(RowError::shown(&String::from_utf8_lossy(bytes))),
                });
            };
            cells[field as usize] = Some(Cell::Text(text.to_owned()));
        }
        Ok(Record { line, cells })
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = io::Result<Result<Record, RowError>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.room.store(LONGEST_ROW, Relaxed);
        match self.reader.read_byte_record(&mut self.row) {
            Ok(false) => None,
            Ok(true) => {
                let line = self.row.position().map_or(0, csv::Position::line);
                Some(Ok(self.record(line)))
            }
            Err(error) => Some(Err(match error.into_kind() {
                csv::ErrorKind::Io(error) => error,
                other => io::Error::other(format!("{other:?}")),
            })),
        }
    }
}

/// The delimiter that the header line has most of, outside of quotes.
fn delimiter(start: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                counts.iter_mut().filter(|(delimiter, _)| delimiter == byte).for_each(|(_, n)| *n += 1);
            }
            _ => {}
        }
    }
    // The first of equals: a header of one column has none, and is read as comma-separated.
    counts.into_iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(delimiter, _)| delimiter)
}

/// A reader that fails where a row does not end, as after a quotation mark that is never closed.
struct Bounded<R> {
    inner: R,
    room: Arc<AtomicUsize>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = self.room.load(Relaxed);
        if room == 0 {
            let detail = format!("a row is longer than {LONGEST_ROW} bytes; is a quotation mark not closed?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, detail));
        }
        let read = self.inner.read(buffer)?;
        self.room.store(room.saturating_sub(read), Relaxed);
        Ok(read)
    }
}
