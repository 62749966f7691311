//! CSV files: the header determines the layout; the rows become records.

use std::io::{self, BufRead, Write};

use super::{
    ImportOptions, REJECT_COLUMN, STORED, encoding, hints,
    layouts::{Layout, SPREADSHEET, place},
    parser::{MARK, Parser, is_blank},
    record::{Cell, Record},
    values::trimmed,
};
use crate::{
    documents::{Choice, RowError, Source},
    domain::{Code, Field, Invalid, PerField, quoted},
    format::count,
    limits::MAX_CSV_COLUMNS,
};

pub(super) struct Rows<R> {
    parser: Parser<R>,
    layout: &'static Layout,
    /// The column names of the header.
    names: Vec<String>,
    /// The column of each attribute.
    columns: PerField<Option<usize>>,
    /// The column that distinguishes films from other rows.
    kind: Option<usize>,
    /// The line on which the current row begins.
    line: u64,
    /// Whether the file begins with a byte order mark, as CSV files for Excel do.
    marked: bool,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn open(file: R, marked: bool, options: &ImportOptions) -> Result<Self, Invalid> {
        let mut parser = Parser::open(file).map_err(super::unreadable)?;
        let (line, names) = header_of_films(&mut parser)?;
        let layout = layout_of(line, &names, options)?;
        let mut columns = PerField::default();
        for field in Field::ALL {
            columns[field] = match options.columns.get(&field) {
                None if options.unread.contains(&field) => None,
                None => layout.columns[field].iter().find_map(|name| place(name, &names)),
                Some(mapped) => {
                    let place = place(mapped.trim(), &names);
                    let missing =
                        || format!("line {line} does not name the mapped column {}", quoted(mapped));
                    Some(place.ok_or_else(|| Invalid::new(Code::Malformed, missing()))?)
                }
            };
        }
        let kind = layout.kinds.as_ref().and_then(|kinds| place(kinds.column, &names));
        // Duplicate names are ambiguous, but only for columns that are read.
        let is_twice = |read: &&usize| names.iter().filter(|name| **name == names[**read]).count() > 1;
        if let Some(twice) = columns.values().flatten().chain(&kind).find(is_twice) {
            return Err(Invalid::new(
                Code::Repeated,
                format!("line {line} names the column {} twice", quoted(&names[*twice])),
            ));
        }
        Ok(Self { parser, layout, names, columns, kind, line, marked })
    }

    pub(super) fn layout(&self) -> &'static Layout {
        self.layout
    }

    /// Returns the columns that are not stored, except those that every export has.
    pub(super) fn ignored_columns(&self) -> Vec<String> {
        let read = |place| self.kind == Some(place) || self.columns.field_of(&Some(place)).is_some();
        let known = |name: &str| {
            let is_own = |own: &str| own.eq_ignore_ascii_case(name);
            name.is_empty() || STORED.iter().any(|own| is_own(own)) || is_own(REJECT_COLUMN)
        };
        let ignored = self.names.iter().enumerate().filter(|(n, name)| !read(*n) && !known(name));
        ignored.map(|(_, name)| name.clone()).collect()
    }

    /// Reads the next row. Returns whether there is one.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        let line = self.parser.read()?;
        self.line = line.unwrap_or(self.line);
        Ok(line.is_some())
    }

    /// Returns the index of a column.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        place(name, &self.names)
    }

    /// Returns the line on which the current row begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Returns the number of cells of the current row, without blank ones behind the last column.
    fn width(&self) -> usize {
        let (width, columns) = (self.parser.width(), self.names.len());
        if self.parser.cells().skip(columns).all(is_blank) { width.min(columns) } else { width }
    }

    pub(super) fn record(&self) -> Result<Record<'_>, Box<RowError>> {
        let (width, expected) = (self.width(), self.names.len());
        if width != expected {
            let detail = format!("has {}, the header names {expected}", count(width, "column"));
            return Err(Box::new(RowError::of_row(self.line, Invalid::new(Code::Malformed, detail))));
        }
        let kind = self.kind.map(|column| self.text(column, None)).transpose()?;
        let mut cells = PerField::default();
        for field in Field::ALL {
            if let Some(column) = self.columns[field] {
                cells[field] = Some(Cell::Text(self.text(column, Some(field))?));
            }
        }
        Ok(Record { line: self.line, kind, cells, names: &self.names, is_marked: self.marked })
    }

    /// Returns a cell of the current row. The row must have at least as many cells as the header.
    pub(super) fn text(&self, column: usize, field: Option<Field>) -> Result<&str, Box<RowError>> {
        let bytes = self.parser.cell(column);
        // Concatenated files have byte order marks inside, even within quotation marks.
        let bytes = if column == 0 { bytes.strip_prefix(MARK).unwrap_or(bytes) } else { bytes };
        std::str::from_utf8(bytes).map_err(|_| {
            Box::new(RowError {
                field: field.map(|field| field.as_str().into()),
                value: Some(RowError::shown(&String::from_utf8_lossy(bytes))),
                ..RowError::of_row(self.line, encoding::not_utf8(bytes))
            })
        })
    }

    /// Writes the current row unchanged, with the reason of its rejection as the last column. The header
    /// comes before the first one.
    pub(super) fn write_reject(&self, to: &mut dyn Write, reason: &str, first: bool) -> io::Result<()> {
        let before = self.names.iter().position(|name| name == REJECT_COLUMN);
        if first {
            to.write_all(if self.marked { MARK } else { b"" })?;
            let names = self.names.iter().map(String::as_bytes).enumerate();
            self.write(to, names.filter(|(n, _)| Some(*n) != before), REJECT_COLUMN)?;
        }
        // Pads a short row, so that the reason is in its own column.
        let missing = self.names.len().saturating_sub(self.width());
        let cells =
            self.parser.cells().take(self.width()).chain(std::iter::repeat_n(&b""[..], missing)).enumerate();
        self.write(to, cells.filter(|(n, _)| Some(*n) != before), reason)
    }

    fn write<'a>(
        &self,
        to: &mut dyn Write,
        cells: impl Iterator<Item = (usize, &'a [u8])>,
        last: &str,
    ) -> io::Result<()> {
        let mut csv = csv::WriterBuilder::new().delimiter(self.parser.delimiter()).from_writer(to);
        csv.write_record(cells.map(|(_, cell)| cell).chain([last.as_bytes()]))?;
        csv.flush()
    }
}

/// Returns the column names with the values of the first rows, except blank cells.
pub(super) fn table(file: impl BufRead, rows: usize) -> Result<Vec<(String, Vec<String>)>, Invalid> {
    let mut parser = Parser::open(file).map_err(super::unreadable)?;
    let (_, names) = header_of_films(&mut parser)?;
    let mut columns: Vec<(String, Vec<String>)> = names.into_iter().map(|name| (name, Vec::new())).collect();
    for _ in 0..rows {
        // A truncated row is reported when the whole file is read.
        let Ok(Some(_)) = parser.read() else { break };
        for ((_, values), cell) in columns.iter_mut().zip(parser.cells()) {
            let cell = String::from_utf8_lossy(cell);
            let cell = trimmed(&cell);
            if !cell.is_empty() {
                values.push(RowError::shown(cell).into());
            }
        }
    }
    Ok(columns)
}

/// Reads the header of the films, which may follow a description of a list. Returns it with its line.
fn header_of_films<R: BufRead>(parser: &mut Parser<R>) -> Result<(u64, Vec<String>), Invalid> {
    let (mut line, mut names) = header(parser)?;
    if let Some(list) = Layout::list_of(&names) {
        // The description is a header and one line.
        for _ in 0..3 {
            if !list.is_header(&names) {
                (line, names) = header(parser)?;
            }
        }
    }
    Ok((line, names))
}

/// Reads a header line.
pub(super) fn header<R: BufRead>(parser: &mut Parser<R>) -> Result<(u64, Vec<String>), Invalid> {
    let empty = || {
        Invalid::new(Code::Malformed, "the file is empty; its first line must name the columns".to_owned())
    };
    let line = parser.read().map_err(super::unreadable)?.ok_or_else(empty)?;
    if parser.width() > MAX_CSV_COLUMNS {
        let width = parser.width();
        return Err(Invalid::new(
            Code::Malformed,
            format!("line {line} names {width} columns, and {MAX_CSV_COLUMNS} can be read"),
        ));
    }
    let name = |cell: &[u8]| match std::str::from_utf8(cell) {
        Ok(name) => Ok(trimmed(name).to_owned()),
        Err(_) => Err(encoding::not_utf8(cell).of(format_args!("line {line}"))),
    };
    let names: Vec<String> = parser.cells().map(name).collect::<Result<_, _>>()?;
    if names.iter().all(String::is_empty) { Err(empty()) } else { Ok((line, names)) }
}

/// Returns the requested layout, or the one that the header has.
fn layout_of(line: u64, names: &[String], options: &ImportOptions) -> Result<&'static Layout, Invalid> {
    let layout = match Layout::of_source(options.source, names) {
        Some(layout) => layout,
        None => Layout::of_header(names).unwrap_or(&SPREADSHEET),
    };
    if layout.source == Source::Reelshelf {
        let any = layout.columns.values().any(|own| place(own[0], names).is_some());
        return if !options.columns.is_empty() {
            Ok(&SPREADSHEET)
        } else if any {
            Ok(layout)
        } else {
            let rule = format!(
                "line {line} names none of the columns title, movieFormat, length, releaseYear and rating, and \
                 is not as Letterboxd, IMDb, MovieLens, Tellico, CLZ or Libib write it"
            );
            let unknown = Invalid::new(Code::Malformed, rule);
            let unknown = unknown.with_hint("; name the columns with ", "map", "FIELD:COLUMN", "");
            let separators = [", such as "].into_iter().chain(std::iter::repeat(", "));
            let likely = separators.zip(hints::likely_columns(names));
            Err(likely
                .fold(unknown, |unknown, (before, column)| unknown.with_hint(before, "map", column, "")))
        };
    }
    let title = (!options.columns.contains_key(&Field::Title)).then_some(layout.columns.title[0]);
    let needed = title.into_iter().chain(layout.kinds.as_ref().map(|kinds| kinds.column));
    let missing: Vec<String> = needed.filter(|name| place(name, names).is_none()).map(quoted).collect();
    if missing.is_empty() {
        return Ok(layout);
    }
    let rule = format!("line {line} does not name the column {}", missing.join(" and "));
    Err(Invalid::new(Code::Malformed, rule).with_hint(", which ", "source", layout.source.as_str(), " needs"))
}
