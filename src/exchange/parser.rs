//! CSV (RFC 4180) cut into rows and cells: `,` `;` or tab, found from the first line; CRLF or LF.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;

use super::values::trimmed;
use crate::limits::MAX_IMPORT_ROW_BYTES;

/// Splits a file into rows and cells, and counts its lines.
pub(super) struct Parser<R> {
    file: R,
    delimiter: u8,
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
    pub(super) fn open(mut file: R) -> io::Result<Self> {
        let start = file.fill_buf()?;
        let named = named_delimiter(start);
        let delimiter = named.map_or_else(|| delimiter(start), |(delimiter, _)| delimiter);
        let mut parser = Self {
            file,
            delimiter,
            core: Box::new(csv_core::ReaderBuilder::new().delimiter(delimiter).build()),
            text: vec![0; 1024],
            ends: vec![0; 16],
            width: 0,
            line: 1,
            after_return: false,
        };
        parser.consume(named.map_or(0, |(_, length)| length));
        Ok(parser)
    }

    /// The delimiter of cells.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Reads the next row in which anything is written, and returns the line on which it begins; none at the end of
    /// the file. Spreadsheets leave rows of nothing but delimiters.
    pub(super) fn read(&mut self) -> io::Result<Option<u64>> {
        loop {
            let line = self.read_row()?;
            if line.is_none() || !self.cells().all(is_blank) {
                return Ok(line);
            }
        }
    }

    /// Reads the next row that is no empty line.
    ///
    /// A row must end, and within [`MAX_IMPORT_ROW_BYTES`]: a quotation mark that is never closed would make
    /// one cell of all rows behind it, and lose them where that cell is not stored.
    fn read_row(&mut self) -> io::Result<Option<u64>> {
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
                _ if length > MAX_IMPORT_ROW_BYTES => {
                    return Err(invalid(format!(
                        "line {start}: the row is longer than {MAX_IMPORT_ROW_BYTES} bytes; is a quotation mark not closed?"
                    )));
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
    }

    /// Passes over the end of the row before and over empty lines; returns whether anything follows.
    fn skip_line_ends(&mut self) -> io::Result<bool> {
        loop {
            let input = self.file.fill_buf()?;
            if input.starts_with(MARK) {
                self.consume(MARK.len()); // of several files put together
                continue;
            }
            let ends = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if ends < input.len() || input.is_empty() {
                let more = !input.is_empty();
                self.consume(ends);
                return Ok(more);
            }
            self.consume(ends);
        }
    }

    /// Goes on by so many bytes, which are in the buffer, and counts their lines.
    fn consume(&mut self, count: usize) {
        for byte in self.file.fill_buf().unwrap_or_default().iter().take(count) {
            let end = *byte == b'\r' || *byte == b'\n' && !self.after_return;
            self.line += u64::from(end);
            self.after_return = *byte == b'\r';
        }
        self.file.consume(count);
    }

    /// How many cells the row that was read last has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// One of these cells.
    pub(super) fn cell(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[place]]
    }

    /// All these cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.width).map(|place| self.cell(place))
    }
}

/// The byte order mark in UTF-8.
pub(super) const MARK: &[u8] = "\u{feff}".as_bytes();

/// Whether nothing is written in a cell.
fn is_blank(cell: &[u8]) -> bool {
    cell.is_empty() || std::str::from_utf8(cell).is_ok_and(|text| trimmed(text).is_empty())
}

/// The delimiter that a first line `sep=;` names, as Excel reads and writes it, and the length of this line.
fn named_delimiter(start: &[u8]) -> Option<(u8, usize)> {
    let end = start.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let line = &start[..end];
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line.split_at_checked(4)? {
        (name, [delimiter]) if name.eq_ignore_ascii_case(b"sep=") && delimiter.is_ascii() => {
            Some((*delimiter, end))
        }
        _ => None,
    }
}

/// The delimiter that the first line in which anything is written has most of, outside of quotes.
fn delimiter(start: &[u8]) -> u8 {
    const NONE: [(u8, usize); 3] = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut counts = NONE;
    let (mut quoted, mut is_blank) = (false, true);
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && is_blank => counts = NONE,
            b'\n' | b'\r' if !quoted => break,
            b' ' => {}
            byte => match counts.iter_mut().find(|(delimiter, _)| !quoted && delimiter == byte) {
                Some((_, count)) => *count += 1,
                None => is_blank = false,
            },
        }
    }
    // The first of equals: a header of one column has none, and is read as comma-separated.
    counts.into_iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(delimiter, _)| delimiter)
}

fn invalid(detail: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail)
}
