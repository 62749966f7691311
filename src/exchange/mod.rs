//! Import and export: files of movies, read and written as streams.

mod csv;
mod export;
mod ndjson;
mod options;
mod record;
mod report;

use std::io::{BufRead, BufReader, Read, Seek};

pub use export::{Format, to_bytes};
pub use options::{ImportOptions, OnDuplicate, OnError, Source, TitleTooLong};
pub use record::Record;
pub use report::{Report, RowError};

use crate::domain::Invalid;

/// The longest row of a file, in bytes: far more than any movie needs, and little memory.
const LONGEST_ROW: usize = 1024 * 1024;

/// What an export holds beside the attributes. It is read over, so that an export can be imported.
const STORED: [&str; 4] = ["id", "version", "createdAt", "updatedAt"];

/// The kinds of file that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `text/csv` (RFC 4180), UTF-8.
    Csv,
    /// `application/x-ndjson`: one JSON object a line.
    Ndjson,
}

/// The rows of a file, one by one.
pub struct Rows<R>(Reader<R>);

enum Reader<R> {
    Csv(csv::Rows<R>),
    Ndjson(ndjson::Rows<R>),
}

impl<R: Read + Seek> Rows<BufReader<R>> {
    /// Begins to read a file; of CSV, the header line.
    ///
    /// # Errors
    /// A file that cannot be read at all: no header, a header that names a column twice, or a
    /// mapped column that is not there.
    pub fn open(file: R, kind: FileKind, options: &ImportOptions) -> Result<Self, Invalid> {
        let mut file = BufReader::with_capacity(64 * 1024, file);
        let mark = "\u{feff}".as_bytes();
        if file.fill_buf().map_err(|e| unreadable(&e))?.starts_with(mark) {
            file.consume(mark.len());
        }
        Ok(Self(match kind {
            FileKind::Csv => Reader::Csv(csv::Rows::open(file, options)?),
            FileKind::Ndjson => Reader::Ndjson(ndjson::Rows::new(file, options)),
        }))
    }
}

impl<R: BufRead> Rows<R> {
    /// The columns that are no attribute and no part of an export: nothing of them is stored.
    #[must_use]
    pub fn ignored_columns(&self) -> &[String] {
        match &self.0 {
            Reader::Csv(rows) => rows.ignored_columns(),
            Reader::Ndjson(_) => &[],
        }
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    /// A row, or why it cannot be read; the outer error is one of the file, after which nothing comes.
    type Item = std::io::Result<Result<Record, RowError>>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Reader::Csv(rows) => rows.next(),
            Reader::Ndjson(rows) => rows.next(),
        }
    }
}

fn unreadable(error: &std::io::Error) -> Invalid {
    Invalid(format!("the file cannot be read: {error}"))
}
