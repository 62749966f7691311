//! A row of a file, and its result: a movie or errors.

use std::borrow::Cow;

use super::{
    ImportOptions,
    conversion::{Conversion, WrongCell},
    layouts::{Kinds, Layout},
    values::trimmed,
};
use crate::{
    documents::{Note, Report, RowError, RowLabel},
    domain::{Attributes, Code, Field, Invalid, PerField, Violations, quoted, whole},
    json::JsonValue,
};

/// A row of a file.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// The kind of the row, if the file may hold more than films.
    pub kind: Option<&'a str>,
    /// The cell of each attribute.
    pub cells: PerField<Option<Cell<'a>>>,
    /// The column names.
    pub names: &'a [String],
    /// Whether the file has a byte order mark, as exports for spreadsheets have.
    pub is_marked: bool,
}

/// The content of a cell or member.
#[derive(Debug)]
pub(super) enum Cell<'a> {
    /// A text, as in CSV, which may be a number.
    Text(&'a str),
    /// A typed JSON value.
    Json(JsonValue),
}

/// The result of reading a row.
pub(super) enum Outcome {
    /// A movie, and the attributes that the row lacks, which have their defaults.
    Movie(Attributes, Vec<Field>),
    /// Skipped, with a note in the report.
    NoFilm(RowLabel),
    Rejected(Vec<RowError>),
}

impl Cell<'_> {
    /// Returns whether the cell is empty.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Json(node) => matches!(node, JsonValue::Null),
        }
    }

    pub(super) fn text(&self) -> Result<&str, Invalid> {
        match self {
            Self::Text(text) => Ok(text.trim()),
            Self::Json(node) => node.text(),
        }
    }

    pub(super) fn whole(&self) -> Result<i64, Invalid> {
        match self {
            Self::Json(node) => node.whole(),
            Self::Text(text) => whole(trimmed(text))
                .ok_or_else(|| Invalid::new(Code::WrongType, "must be a whole number".to_owned())),
        }
    }

    pub(super) fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => (*text).into(),
            Self::Json(JsonValue::Text(text)) => text.into(),
            Self::Json(node) => node.to_string().into(),
        }
    }
}

impl Record<'_> {
    /// Converts the row. Adds a note to the report for each value that was changed.
    pub(super) fn outcome(&self, layout: &Layout, options: &ImportOptions, report: &mut Report) -> Outcome {
        let first_note = report.notes.len();
        let mut outcome = self.read(layout, options, report);
        if let Outcome::Rejected(errors) = &mut outcome {
            let label = self.label();
            for error in errors {
                error.label = label.clone();
            }
        } else {
            for note in &mut report.notes[first_note..] {
                note.label = self.label();
            }
        }
        outcome
    }

    /// Returns the film's name and year as written, for messages.
    fn label(&self) -> RowLabel {
        let shown = |field: Field| {
            let cell = self.cells[field].as_ref().filter(|cell| !cell.is_blank())?;
            Some(RowError::shown(cell.shown().trim()))
        };
        RowLabel { title: shown(Field::Title), release_year: shown(Field::ReleaseYear) }
    }

    fn read(&self, layout: &Layout, options: &ImportOptions, report: &mut Report) -> Outcome {
        if let (Some(kind), Some(kinds)) = (self.kind, &layout.kinds)
            && let Some(outcome) = self.no_film(trimmed(kind), kinds, report)
        {
            return outcome;
        }
        let before = (report.notes.len(), report.noted.clone());
        let mut conversion = Conversion::of(self, layout, options, report);
        let mut errors = Violations::default();
        let read = (
            errors.check(conversion.title()),
            errors.check(conversion.movie_format()),
            errors.check(conversion.length()),
            errors.check(conversion.release_year()),
            errors.check(conversion.rating()),
        );
        let missing = conversion.missing;
        match errors.finish(read) {
            Ok((title, movie_format, length, release_year, rating)) => {
                Outcome::Movie(Attributes { title, movie_format, length, release_year, rating }, missing)
            }
            Err(errors) => {
                // The errors of the row replace its notes.
                report.notes.truncate(before.0);
                report.noted = before.1;
                Outcome::Rejected(errors.into_iter().map(|wrong| self.error(wrong)).collect())
            }
        }
    }

    fn error(&self, WrongCell { field, rule, value }: WrongCell) -> RowError {
        RowError { field: Some(field.as_str().into()), value, ..RowError::of_row(self.line, rule) }
    }

    fn no_film(&self, kind: &str, kinds: &Kinds, report: &mut Report) -> Option<Outcome> {
        if kind.is_empty() {
            let detail = format!("its {} is blank, so it may be no film", kinds.column);
            return Some(Outcome::Rejected(vec![RowError::of_row(
                self.line,
                Invalid::new(Code::Required, detail),
            )]));
        }
        match kinds.is_film(kind) {
            Some(true) => None,
            Some(false) => {
                let value = Some(RowError::shown(kind));
                report.skip(self.line, |note| Note { detail: "is no film".to_owned(), value, ..note });
                Some(Outcome::NoFilm(self.label()))
            }
            // An unknown kind is rejected, not skipped, so that no film is lost when a service renames its kinds.
            None => {
                let detail = format!("its {} is {}, which may be a film or not", kinds.column, quoted(kind));
                Some(Outcome::Rejected(vec![RowError::of_row(
                    self.line,
                    Invalid::new(Code::NotAllowed, detail),
                )]))
            }
        }
    }
}
