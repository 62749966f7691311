//! The rows of a file, as movies or errors.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, Write};

use super::{
    ImportOptions, csv,
    layouts::REELSHELF,
    ndjson,
    record::Outcome,
    text::{self, Text},
};
use crate::{
    documents::{Preview, Report, RowResult, Source},
    domain::{Attributes, Code, Field, Invalid},
};

/// The other columns of an export. An import ignores them, so that exports can be imported.
pub const STORED: [&str; 4] = ["id", "version", "createdAt", "updatedAt"];

/// File formats for import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `text/csv` (RFC 4180), UTF-8.
    Csv,
    /// `application/x-ndjson`: one JSON object per line, or an array of objects.
    Ndjson,
}

impl FileKind {
    /// Detects the format: text that begins with a brace or bracket is NDJSON, other text is CSV. Returns
    /// `None` for an empty or binary file.
    #[must_use]
    pub fn sniff(start: &[u8]) -> Option<Self> {
        let (mut text, _) = text::open(Cursor::new(start), None).ok()?;
        let start = text.fill_buf().ok()?;
        let start = start.trim_ascii_start();
        let is_json = start.first()? == &b'{' || ndjson::begins_array(start);
        Some(if is_json { Self::Ndjson } else { Self::Csv })
    }
}

/// A movie read from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// The number of the row, from 1.
    pub number: u64,
    pub attributes: Attributes,
    /// The attributes that the row lacks, which have their defaults.
    pub missing: Vec<Field>,
}

/// The rows of a file, as a stream.
pub struct Rows<R> {
    reader: Reader<BufReader<Text<R>>>,
    options: ImportOptions,
}

enum Reader<R> {
    Csv(csv::Rows<R>),
    Ndjson(ndjson::Rows<R>),
}

impl<R: Read + Seek> Rows<R> {
    /// Opens a file, and reads the header of CSV.
    ///
    /// # Errors
    /// If the file is not text, has no header, repeats a column name, has no known layout, or lacks a
    /// required or mapped column.
    pub fn open(file: R, kind: FileKind, options: &ImportOptions) -> Result<Self, Invalid> {
        let (text, marked) = text::open(file, options.encoding)?;
        let reader = match kind {
            FileKind::Csv => Reader::Csv(csv::Rows::open(text, marked, options)?),
            FileKind::Ndjson => Reader::Ndjson(ndjson::Rows::open(text, options)?),
        };
        Ok(Self { reader, options: options.clone() })
    }
}

impl<R: Read> Rows<R> {
    /// Returns an empty report with the layout and the ignored columns.
    #[must_use]
    pub fn report(&self) -> Report {
        let (source, ignored_columns) = match &self.reader {
            Reader::Csv(rows) => (rows.layout().source, rows.ignored_columns()),
            Reader::Ndjson(_) => (Source::Reelshelf, Vec::new()),
        };
        Report { source: source.into(), ignored_columns, dry_run: self.options.dry_run, ..Report::default() }
    }

    /// Reads up to the next valid movie; `None` at the end of the file. Counts rows read, rejected and
    /// skipped in the report, with errors and notes.
    ///
    /// # Errors
    /// If the file cannot be read further, or ends within a row.
    pub fn next_movie(&mut self, report: &mut Report) -> Result<Option<Row>, Invalid> {
        while let Some((line, outcome)) = self.next(report)? {
            match outcome {
                Outcome::Movie(attributes, missing) => {
                    return Ok(Some(Row { line, number: report.read, attributes, missing }));
                }
                Outcome::NoFilm(label) => {
                    report.preview(report.read, || Preview {
                        line,
                        label,
                        becomes: RowResult::Skipped.into(),
                        movie: None,
                        id: None,
                    });
                }
                Outcome::Rejected(errors) => report.fail(errors),
            }
        }
        Ok(None)
    }

    /// Reads the next row and its line. A rejected row is not counted yet.
    ///
    /// # Errors
    /// As [`Rows::next_movie`].
    pub(super) fn next(&mut self, report: &mut Report) -> Result<Option<(u64, Outcome)>, Invalid> {
        let more = match &mut self.reader {
            Reader::Csv(rows) => rows.advance(),
            Reader::Ndjson(rows) => rows.advance(),
        };
        if !more.map_err(unreadable)? {
            return Ok(None);
        }
        report.read += 1;
        let (line, layout, record) = match &self.reader {
            Reader::Csv(rows) => (rows.line(), rows.layout(), rows.record()),
            Reader::Ndjson(rows) => (rows.line(), &REELSHELF, rows.record()),
        };
        Ok(Some((
            line,
            match record {
                Ok(record) => record.outcome(layout, &self.options, report),
                Err(error) => Outcome::Rejected(vec![*error]),
            },
        )))
    }

    /// Writes the current row unchanged, with the reason of its rejection. The first one is preceded by the
    /// header.
    pub fn write_reject(&self, to: &mut dyn Write, reason: &str, first: bool) -> io::Result<()> {
        match &self.reader {
            Reader::Csv(rows) => rows.write_reject(to, reason, first),
            Reader::Ndjson(rows) => rows.write_reject(to, reason),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "so that it can be passed to map_err")]
pub fn unreadable(error: io::Error) -> Invalid {
    Invalid::new(Code::Malformed, format!("the file cannot be read: {error}"))
}
