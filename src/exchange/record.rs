//! A row of a file and its conversion to a movie.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;

use super::{
    ImportOptions, NoteKind, Report, RowError, RowLabel, Source, TitleTooLong,
    export::shown_in_spreadsheet,
    layouts::{Kinds, Layout, REELSHELF, Titles, Years},
    titles,
    values::{self, trimmed},
};
use crate::{
    domain::{
        Attributes, Code, Field, Invalid, Length, MovieFormat, MoviePatch, Rating, ReleaseYear, Title,
        Violations, quoted, whole,
    },
    json::JsonValue,
};

/// A row of a file.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// The kind of the row, if the file may hold more than films.
    pub kind: Option<&'a str>,
    /// The cell of each attribute, in the order of [`Field::ALL`].
    pub cells: [Option<Cell<'a>>; 5],
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
    Movie(Attributes),
    /// Skipped, with a note in the report.
    NoFilm(RowLabel),
    Refused(Vec<RowError>),
}

impl Cell<'_> {
    /// Returns whether the cell is empty.
    fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Json(node) => matches!(node, JsonValue::Null),
        }
    }

    fn text(&self) -> Result<&str, Invalid> {
        match self {
            Self::Text(text) => Ok(text.trim()),
            Self::Json(node) => node.text(),
        }
    }

    fn whole(&self) -> Result<i64, Invalid> {
        match self {
            Self::Json(node) => node.whole(),
            Self::Text(text) => whole(trimmed(text))
                .ok_or_else(|| Invalid::new(Code::WrongType, "must be a whole number".to_owned())),
        }
    }

    fn shown(&self) -> Cow<'_, str> {
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
        if let Outcome::Refused(errors) = &mut outcome {
            let label = self.label();
            for error in errors {
                error.label.clone_from(&label);
            }
        } else if report.notes.len() > first_note {
            report.label_notes(first_note, &self.label());
        }
        outcome
    }

    /// Returns the film's name and year as written, for messages.
    fn label(&self) -> RowLabel {
        let shown = |field: Field| {
            let cell = self.cells[field as usize].as_ref().filter(|cell| !cell.is_blank())?;
            Some(RowError::shown(cell.shown().trim()).into())
        };
        RowLabel { title: shown(Field::Title), release_year: shown(Field::ReleaseYear) }
    }

    fn read(&self, layout: &Layout, options: &ImportOptions, report: &mut Report) -> Outcome {
        if let (Some(kind), Some(kinds)) = (self.kind, &layout.kinds)
            && let Some(outcome) = self.no_film(trimmed(kind), kinds, report)
        {
            return outcome;
        }
        let before = (report.notes.len(), report.noted);
        let mut reading = Reading::of(self, layout, options, report);
        let mut errors = Violations::default();
        let read = (
            errors.check(reading.title()),
            errors.check(reading.movie_format()),
            errors.check(reading.length()),
            errors.check(reading.release_year()),
            errors.check(reading.rating()),
        );
        match errors.finish(read) {
            Ok((title, movie_format, length, release_year, rating)) => {
                Outcome::Movie(Attributes { title, movie_format, length, release_year, rating })
            }
            Err(errors) => {
                // The errors of the row replace its notes.
                report.notes.truncate(before.0);
                report.noted = before.1;
                Outcome::Refused(errors)
            }
        }
    }

    fn no_film(&self, kind: &str, kinds: &Kinds, report: &mut Report) -> Option<Outcome> {
        if kind.is_empty() {
            let detail = format!("its {} is blank, so it may be no film", kinds.column);
            return Some(Outcome::Refused(vec![RowError::of_row(
                self.line,
                Invalid::new(Code::Required, detail),
            )]));
        }
        match kinds.is_film(kind) {
            Some(true) => None,
            Some(false) => {
                report.skip(self.line, kind, || "is no film".to_owned());
                Some(Outcome::NoFilm(self.label()))
            }
            // An unknown kind counts as a film, so that no film is lost when a service renames its kinds.
            None => {
                let detail = format!("its {} is {}, which may be a film or not", kinds.column, quoted(kind));
                Some(Outcome::Refused(vec![RowError::of_row(
                    self.line,
                    Invalid::new(Code::NotAllowed, detail),
                )]))
            }
        }
    }
}

/// Adds a default, parsed like a cell of our own layout. Also returns whether it is the first for its
/// attribute.
///
/// # Errors
/// The violated rule.
pub(super) fn with_default(
    field: Field,
    text: &str,
    options: &ImportOptions,
) -> Result<(MoviePatch, bool), Invalid> {
    const NO_NAMES: &[String] = &[];

    let mut cells = [const { None }; 5];
    let format = (field == Field::MovieFormat).then(|| MovieFormat::parse_any_case(text).ok()).flatten();
    let text = if let Some(format) = format { format.as_str() } else { text };
    cells[field as usize] = Some(Cell::Text(text));
    let (record, mut report) =
        (Record { line: 0, kind: None, cells, names: NO_NAMES, is_marked: false }, Report::default());
    let mut reading = Reading::of(&record, &REELSHELF, options, &mut report);
    let mut defaults = options.defaults.clone();
    let mut put = |reading: &mut Reading| {
        Ok(match field {
            Field::Title => defaults.title.replace(reading.title()?).is_none(),
            Field::MovieFormat => defaults.movie_format.replace(reading.movie_format()?).is_none(),
            Field::Length => defaults.length.replace(reading.length()?).is_none(),
            Field::ReleaseYear => defaults.release_year.replace(reading.release_year()?).is_none(),
            Field::Rating => defaults.rating.replace(reading.rating()?).is_none(),
        })
    };
    let first = put(&mut reading).map_err(|error: RowError| Invalid::new(error.code, error.detail))?;
    Ok((defaults, first))
}

/// A row during conversion.
struct Reading<'r> {
    record: &'r Record<'r>,
    layout: &'r Layout,
    options: &'r ImportOptions,
    report: &'r mut Report,
    year_in_title: Option<ReleaseYear>,
}

impl<'r> Reading<'r> {
    fn of(
        record: &'r Record<'r>,
        layout: &'r Layout,
        options: &'r ImportOptions,
        report: &'r mut Report,
    ) -> Self {
        Self { record, layout, options, report, year_in_title: None }
    }

    fn title(&mut self) -> Result<Title, RowError> {
        self.read(Field::Title, self.options.defaults.title.as_ref(), |row, cell| {
            let text = match row.titles() {
                Titles::AsIs if row.record.is_marked => shown_in_spreadsheet(cell.text()?).into(),
                Titles::AsIs => cell.text()?.into(),
                _ => row.foreign_title(cell)?,
            };
            Title::parse(&text).or_else(|invalid| match row.options.title_too_long {
                TitleTooLong::Error => Err(invalid),
                TitleTooLong::Truncate => {
                    let title = Title::parse_truncating(&text)?;
                    row.note(Field::Title, NoteKind::Cut, cell, &title);
                    Ok(title)
                }
            })
        })
    }

    /// Returns the notation of titles. A column with another name than ours is not from one of our exports.
    fn titles(&self) -> Titles {
        let is_mapped = || {
            let mapped = self.options.columns.get(&Field::Title);
            mapped.is_some_and(|column| !column.eq_ignore_ascii_case(Field::Title.as_str()))
        };
        match (self.layout.titles, self.record.cells[Field::Title as usize].as_ref()) {
            (Titles::AsIs, Some(Cell::Text(_))) if is_mapped() => Titles::Loose,
            (titles, _) => titles,
        }
    }

    /// Returns the title without its year, which is kept for the release year.
    fn foreign_title(&mut self, cell: &'r Cell<'r>) -> Result<Cow<'r, str>, Invalid> {
        let mut title = html_escape::decode_html_entities(cell.text()?);
        if title != cell.text()? {
            self.note(Field::Title, NoteKind::Decoded, cell, &title);
        }
        let collapsed = title.split_whitespace().collect::<Vec<_>>().join(" ");
        if collapsed != title.trim() {
            self.note(Field::Title, NoteKind::Collapsed, cell, &collapsed);
        }
        title = collapsed.into();
        if self.titles() == Titles::Loose {
            return Ok(title);
        }
        let given = self.given(Field::ReleaseYear).map(|cell| self.year_of(cell));
        if let Some((before, year)) = titles::year_at_end(&title)
            && given.is_none_or(|given| given == Ok(year))
        {
            self.year_in_title = ReleaseYear::try_from(year).ok();
            title = before.to_owned().into();
        }
        if let Some(spoken) = titles::spoken(&title, self.layout.titles == Titles::ShelvedTwice) {
            self.note(Field::Title, NoteKind::Rewritten, cell, &spoken);
            title = spoken.into();
        }
        Ok(title)
    }

    fn movie_format(&mut self) -> Result<MovieFormat, RowError> {
        self.read(Field::MovieFormat, self.options.defaults.movie_format.as_ref(), |row, cell| {
            let medium = cell.text()?;
            let foreign = row.layout.source != Source::Reelshelf;
            let mapped = row.options.format_of(medium);
            let format = mapped.or_else(|| {
                let same = |format: &MovieFormat| foreign && format.as_str().eq_ignore_ascii_case(medium);
                MovieFormat::ALL.into_iter().find(same)
            });
            let format = format.map_or_else(|| MovieFormat::parse(medium), Ok).map_err(|invalid| {
                // DVD is only an example in the message, as the format closest to other discs and files.
                let example = format!("mapFormat={}:{}", medium.trim(), MovieFormat::Dvd.as_str());
                Invalid::new(invalid.1, format!("{}; give its format, such as {example}", invalid.0))
            })?;
            if format.as_str() != medium {
                row.note(Field::MovieFormat, NoteKind::Mapped, cell, &format);
            }
            Ok(format)
        })
    }

    fn length(&mut self) -> Result<Length, RowError> {
        self.read(Field::Length, self.options.defaults.length.as_ref(), |row, cell| {
            let Cell::Text(text) = cell else { return cell.whole()?.try_into() };
            let (length, rounded) = Length::parse(text)?;
            if rounded {
                row.note(Field::Length, NoteKind::Rounded, cell, &length);
            }
            Ok(length)
        })
    }

    fn release_year(&mut self) -> Result<ReleaseYear, RowError> {
        if let (None, Some(year)) = (self.given(Field::ReleaseYear), self.year_in_title) {
            return Ok(year);
        }
        self.read(Field::ReleaseYear, self.options.defaults.release_year.as_ref(), |row, cell| {
            row.year_of(cell)?.try_into()
        })
    }

    fn year_of(&self, cell: &Cell) -> Result<i64, Invalid> {
        match self.layout.years {
            Years::Numbers => cell.whole(),
            Years::Dates => values::year(cell.text()?),
        }
    }

    fn rating(&mut self) -> Result<Rating, RowError> {
        self.read(Field::Rating, self.options.defaults.rating.as_ref(), |row, cell| {
            let Some(scale) = row.layout.ratings else { return cell.whole()?.try_into() };
            let (rating, rounded) = scale.rating(cell.text()?)?;
            if rounded {
                row.note(Field::Rating, NoteKind::Rounded, cell, &rating);
            }
            Ok(rating)
        })
    }

    /// Returns the cell of an attribute, unless its value means "none".
    fn given(&self, field: Field) -> Option<&'r Cell<'r>> {
        let no_rating = |cell: &Cell| {
            let scale = self.layout.ratings.filter(|_| field == Field::Rating);
            scale.is_some_and(|scale| cell.text().is_ok_and(|text| scale.is_none(text)))
        };
        self.record.cells[field as usize].as_ref().filter(|cell| !cell.is_blank() && !no_rating(cell))
    }

    fn read<T: Clone + Serialize>(
        &mut self,
        field: Field,
        default: Option<&T>,
        parse: impl FnOnce(&mut Self, &'r Cell<'r>) -> Result<T, Invalid>,
    ) -> Result<T, RowError> {
        let name = field.as_str();
        let (code, detail, value) = match (self.given(field), default) {
            (Some(cell), _) => match parse(self, cell) {
                Ok(value) => return Ok(value),
                Err(Invalid(detail, code)) => (code, detail, Some(RowError::shown(&cell.shown()))),
            },
            (None, Some(default)) => {
                let became = || format!("is missing, became {}", json!(default));
                self.report.note(self.record.line, Some(field), NoteKind::Defaulted, None, became);
                return Ok(default.clone());
            }
            (None, None) => {
                let hint = match super::hints::column_for(field, self.record) {
                    Some(column) => format!("; map={name}:{column} takes it from this column"),
                    None => String::new(),
                };
                let detail =
                    format!("is missing, and there is no default for it (default={name}:VALUE){hint}");
                (Code::Required, detail, None)
            }
        };
        Err(RowError {
            line: self.record.line,
            label: RowLabel::default(), // set by the row for all its errors
            field: Some(name.into()),
            code,
            detail,
            value,
        })
    }

    /// Adds a note about a changed cell.
    fn note(&mut self, field: Field, kind: NoteKind, cell: &Cell, became: &impl Serialize) {
        let became = || format!("became {}", json!(became));
        self.report.note(self.record.line, Some(field), kind, Some(&cell.shown()), became);
    }
}
