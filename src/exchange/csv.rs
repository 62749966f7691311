//! CSV (RFC 4180): `,` `;` or tab, found from the header line; CRLF or LF.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;

use super::{ImportOptions, LONGEST_ROW, Record, RowError, STORED, record::Cell};
use crate::domain::{Field, Invalid, quoted};

pub(super) struct Rows<R> {
    parser: Parser<R>,
    /// The column of each attribute.
    columns: [Option<usize>; 5],
    width: usize,
    ignored: Vec<String>,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn open(mut file: R, options: &ImportOptions) -> Result<Self, Invalid> {
        let delimiter = delimiter(file.fill_buf().map_err(|e| super::unreadable(&e))?);
        let mut parser = Parser::new(file, delimiter);
        parser.read().map_err(|e| super::unreadable(&e))?;
        let header: Result<Vec<&str>, _> = parser.cells().map(std::str::from_utf8).collect();
        let header = header.map_err(|_| Invalid("line 1 is not UTF-8".to_owned()))?;
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        if names.iter().all(String::is_empty) {
            return Err(Invalid("the file is empty; its first line must name the columns".to_owned()));
        }
        if let Some(twice) =
            names.iter().enumerate().find(|(n, name)| !name.is_empty() && names[..*n].contains(name))
        {
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
        Ok(Self { parser, columns, width: names.len(), ignored })
    }

    pub(super) fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    fn record(&self, line: u64) -> Result<Record, RowError> {
        let width = self.parser.cells().count();
        if width != self.width {
            let detail = format!("has {width} columns, the first line names {}", self.width);
            return Err(RowError::of_row(line, detail));
        }
        let mut cells = [const { None }; 5];
        for field in Field::ALL {
            let Some(bytes) = self.columns[field as usize].and_then(|column| self.parser.cells().nth(column))
            else {
                continue;
            };
            let Ok(text) = std::str::from_utf8(bytes) else {
                return Err(RowError {
                    line,
                    field: Some(field.as_str().into()),
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
        Some(self.parser.read().transpose()?.map(|line| self.record(line)))
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

/// Cuts a file into rows and cells, and knows on which line it stands.
struct Parser<R> {
    file: R,
    core: Box<csv_core::Reader>,
    /// The cells of the row, one behind the other.
    text: Vec<u8>,
    /// Where each of the cells ends.
    ends: Vec<usize>,
    /// How many cells the row has.
    width: usize,
    line: u64,
    after_return: bool,
}

impl<R: BufRead> Parser<R> {
    fn new(file: R, delimiter: u8) -> Self {
        Self {
            file,
            core: Box::new(csv_core::ReaderBuilder::new().delimiter(delimiter).build()),
            text: vec![0; 1024],
            ends: vec![0; 16],
            width: 0,
            line: 1,
            after_return: false,
        }
    }

    /// Reads the next row and tells on which line it begins; none at the end of the file.
    ///
    /// A row must end, and within [`LONGEST_ROW`]: a quotation mark that is never closed would make
    /// one cell of all rows behind it, and lose them where that cell is not stored.
    fn read(&mut self) -> io::Result<Option<u64>> {
        if !self.skip_line_ends()? {
            return Ok(None);
        }
        let start = self.line;
        let (mut length, mut written) = (0, 0);
        self.width = 0;
        loop {
            let input = self.file.fill_buf()?;
            let at_end = input.is_empty();
            let input = if at_end { b"\n" } else { input };
            let (result, read, more, cells) =
                self.core.read_record(input, &mut self.text[written..], &mut self.ends[self.width..]);
            written += more;
            self.width += cells;
            length += read;
            if !at_end {
                self.consume(read);
            }
            match result {
                ReadRecordResult::Record => return Ok(Some(start)),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::InputEmpty if at_end => {
                    return Err(invalid(format!("line {start}: a quotation mark is not closed")));
                }
                _ if length > LONGEST_ROW => {
                    return Err(invalid(format!(
                        "line {start}: the row is longer than {LONGEST_ROW} bytes; is a quotation mark not closed?"
                    )));
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
    }

    /// Passes over the end of the row before and over empty lines; tells whether anything follows.
    fn skip_line_ends(&mut self) -> io::Result<bool> {
        loop {
            let input = self.file.fill_buf()?;
            let ends = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if ends < input.len() || input.is_empty() {
                let more = !input.is_empty();
                self.consume(ends);
                return Ok(more);
            }
            self.consume(ends);
        }
    }

    /// Goes on by so many bytes, which stand in the buffer, and counts their lines.
    fn consume(&mut self, count: usize) {
        for byte in self.file.fill_buf().unwrap_or_default().iter().take(count) {
            let end = *byte == b'\r' || *byte == b'\n' && !self.after_return;
            self.line += u64::from(end);
            self.after_return = *byte == b'\r';
        }
        self.file.consume(count);
    }

    /// The cells of the row that was read last.
    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let ends = &self.ends[..self.width];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| &self.text[start..*end])
    }
}

fn invalid(detail: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail)
}
