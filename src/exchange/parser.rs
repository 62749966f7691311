//! A CSV parser (RFC 4180). The first line determines the delimiter: `,`, `;` or tab. Lines end with CRLF or
//! LF.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;

use super::values::trimmed;
use crate::{domain::BYTE_ORDER_MARK, limits::MAX_IMPORT_ROW_BYTES};

/// Splits a file into rows and cells, and counts lines.
pub(super) struct Parser<R> {
    file: R,
    delimiter: u8,
    core: Box<csv_core::Reader>,
    /// The concatenated cells of the row.
    text: Vec<u8>,
    /// The end offset of each cell.
    ends: Vec<usize>,
    /// The number of cells.
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

    /// Returns the delimiter.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Reads the next row that is not blank. Returns the line on which it begins, or `None` at the end of the
    /// file. Spreadsheets write blank rows of delimiters only.
    pub(super) fn read(&mut self) -> io::Result<Option<u64>> {
        loop {
            let line = self.read_row()?;
            if line.is_none() || !self.cells().all(is_blank) {
                return Ok(line);
            }
        }
    }

    /// Reads the next row that is not an empty line.
    ///
    /// A row must end within [`MAX_IMPORT_ROW_BYTES`]. Otherwise an unclosed quotation mark would turn all
    /// following rows into one cell, which may be an ignored one.
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

    /// Skips the end of the previous row and empty lines. Returns whether anything follows.
    fn skip_line_ends(&mut self) -> io::Result<bool> {
        loop {
            let input = self.file.fill_buf()?;
            if input.starts_with(MARK) {
                self.consume(MARK.len()); // concatenated files
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

    /// Consumes bytes of the buffer and counts their lines.
    fn consume(&mut self, count: usize) {
        for byte in self.file.fill_buf().unwrap_or_default().iter().take(count) {
            let end = *byte == b'\r' || *byte == b'\n' && !self.after_return;
            self.line += u64::from(end);
            self.after_return = *byte == b'\r';
        }
        self.file.consume(count);
    }

    /// Returns the number of cells of the current row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Returns a cell.
    pub(super) fn cell(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[place]]
    }

    /// Iterates over the cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.width).map(|place| self.cell(place))
    }
}

/// The byte order mark in UTF-8.
pub(super) const MARK: &[u8] = BYTE_ORDER_MARK.as_bytes();

/// Returns whether a cell has only white space.
pub(super) fn is_blank(cell: &[u8]) -> bool {
    cell.is_empty() || std::str::from_utf8(cell).is_ok_and(|text| trimmed(text).is_empty())
}

/// Parses a first line such as `sep=;`, as Excel writes it. Returns the delimiter and the length of the line.
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

/// Returns the most frequent delimiter of the first non-blank line, outside of quotes.
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
    // Ties go to the first: a header with one column has no delimiter and counts as comma-separated.
    counts.into_iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(delimiter, _)| delimiter)
}

fn invalid(detail: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail)
}
