//! Import and export: files of movies, read and written as streams.

mod check;
mod csv;
mod encoding;
mod export;
mod hints;
mod layouts;
mod letterboxd_export;
mod movielens_ratings;
mod ndjson;
mod options;
mod parser;
mod record;
mod report;
mod survey;
mod text;
mod titles;
mod values;

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, Write};

pub use check::{REJECT_COLUMN, check};
pub use encoding::Encoding;
pub use export::{Format, write_json, write_movies};
pub use letterboxd_export::merge_letterboxd_within;
pub use letterboxd_export::{Merged, Origin, merge_letterboxd};
pub use movielens_ratings::with_movielens_ratings;
pub use options::{Choice, ImportOptions, OnDuplicate, OnError, Source, TitleTooLong};
pub use report::{Becomes, Note, NoteKind, Noted, Preview, Report, RowError, RowLabel};
pub use survey::{Column, Survey, guess_columns, is_known, survey, table};

use self::{layouts::REELSHELF, record::Outcome, text::Text};
use crate::domain::{Attributes, Code, Invalid};

/// What an export holds beside the attributes. It is read over, so that an export can be imported.
const STORED: [&str; 4] = ["id", "version", "createdAt", "updatedAt"];

/// The kinds of file that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `text/csv` (RFC 4180), UTF-8.
    Csv,
    /// `application/x-ndjson`: one JSON object a line, or an array of objects.
    Ndjson,
}

impl FileKind {
    /// Tells the kind of a file from how it starts: NDJSON with a brace or a bracket, CSV with any other text. None
    /// for an empty file and for what is no text.
    #[must_use]
    pub fn sniff(start: &[u8]) -> Option<Self> {
        let (mut text, _) = text::open(Cursor::new(start), None).ok()?;
        let start = text.fill_buf().ok()?;
        let start = start.trim_ascii_start();
        let is_json = start.first()? == &b'{' || ndjson::begins_array(start);
        Some(if is_json { Self::Ndjson } else { Self::Csv })
    }
}

/// A movie as a row describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line in the file on which the row begins, from 1.
    pub line: u64,
    /// Which row of the file it is, from 1.
    pub number: u64,
    pub attributes: Attributes,
}

/// The rows of a file, read as a stream.
pub struct Rows<R> {
    reader: Reader<BufReader<Text<R>>>,
    options: ImportOptions,
}

enum Reader<R> {
    Csv(csv::Rows<R>),
    Ndjson(ndjson::Rows<R>),
}

impl<R: Read + Seek> Rows<R> {
    /// Begins to read a file; of CSV, the header line.
    ///
    /// # Errors
    /// A file that cannot be read at all: no text, no header, one that names a column twice or is of no
    /// known layout, and a column that is not there though it is mapped or the source needs it.
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
    /// The report of an import that begins: the layout, and the columns of which nothing is stored.
    #[must_use]
    pub fn report(&self) -> Report {
        let (source, ignored_columns) = match &self.reader {
            Reader::Csv(rows) => (rows.layout().source, rows.ignored_columns()),
            Reader::Ndjson(_) => (Source::Reelshelf, Vec::new()),
        };
        Report { source, ignored_columns, dry_run: self.options.dry_run, ..Report::default() }
    }

    /// Reads on to the next row that describes a movie; none at the end of the file. The report counts
    /// what was read, refused and passed over until there, with errors and notes.
    ///
    /// # Errors
    /// One of the file, after which nothing comes.
    pub fn next_movie(&mut self, report: &mut Report) -> io::Result<Option<Row>> {
        while let Some((line, outcome)) = self.next(report)? {
            match outcome {
                Outcome::Movie(attributes) => return Ok(Some(Row { line, number: report.read, attributes })),
                Outcome::NoFilm(label) => report.preview(report.read, || Preview {
                    line,
                    label,
                    becomes: Becomes::Skipped,
                    movie: None,
                    id: None,
                }),
                Outcome::Refused(errors) => report.fail(errors),
            }
        }
        Ok(None)
    }

    /// The next row, which is not counted yet where it is refused, and its line.
    fn next(&mut self, report: &mut Report) -> io::Result<Option<(u64, Outcome)>> {
        let more = match &mut self.reader {
            Reader::Csv(rows) => rows.advance(),
            Reader::Ndjson(rows) => rows.advance(),
        };
        if !more? {
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
                Err(error) => Outcome::Refused(vec![error]),
            },
        )))
    }

    /// Writes the present row as it is, with the reason why it is refused; before the first one what
    /// begins the file.
    fn write_reject(&self, to: &mut dyn Write, reason: &str, first: bool) -> io::Result<()> {
        match &self.reader {
            Reader::Csv(rows) => rows.write_reject(to, reason, first),
            Reader::Ndjson(rows) => rows.write_reject(to, reason),
        }
    }
}

fn unreadable(error: &io::Error) -> Invalid {
    Invalid::new(Code::Malformed, format!("the file cannot be read: {error}"))
}
