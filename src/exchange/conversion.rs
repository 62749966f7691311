//! Converts the cells of a row to the attributes of a movie.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;

use super::{
    ImportOptions,
    export::shown_in_spreadsheet,
    hints,
    layouts::{Layout, REELSHELF, SPREADSHEET_RATINGS, Scale, Titles, Years},
    record::{Cell, Record},
    titles,
    values::{self, trimmed},
};
use crate::{
    documents::{Note, NoteKind, OnDuplicate, Report, RowError, TitleTooLong},
    domain::{Code, Field, Invalid, Length, MovieFormat, MoviePatch, PerField, Rating, ReleaseYear, Title},
};

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

    let mut cells = PerField::default();
    let format = (field == Field::MovieFormat).then(|| MovieFormat::parse_any_case(text).ok()).flatten();
    let text = if let Some(format) = format { format.as_str() } else { text };
    cells[field] = Some(Cell::Text(text));
    let (record, mut report) =
        (Record { line: 0, kind: None, cells, names: NO_NAMES, is_marked: false }, Report::default());
    let exact = ImportOptions { rating_scale: None, ..options.clone() }; // a default is one of our ratings
    let mut conversion = Conversion::of(&record, &REELSHELF, &exact, &mut report);
    let mut defaults = options.defaults.clone();
    let mut put = |conversion: &mut Conversion| {
        Ok(match field {
            Field::Title => defaults.title.replace(conversion.title()?).is_none(),
            Field::MovieFormat => defaults.movie_format.replace(conversion.movie_format()?).is_none(),
            Field::Length => defaults.length.replace(conversion.length()?).is_none(),
            Field::ReleaseYear => defaults.release_year.replace(conversion.release_year()?).is_none(),
            Field::Rating => defaults.rating.replace(conversion.rating()?).is_none(),
        })
    };
    let first = put(&mut conversion).map_err(|WrongCell { mut rule, .. }| {
        rule.reason.hints.clear(); // they are for values of a file
        rule
    })?;
    Ok((defaults, first))
}

/// Why the value of an attribute is invalid or missing.
pub(super) struct WrongCell {
    pub field: Field,
    pub rule: Invalid,
    /// The value as written.
    pub value: Option<Box<str>>,
}

/// The conversion of a row. Adds a note to the report for each value that was changed.
pub(super) struct Conversion<'r> {
    record: &'r Record<'r>,
    layout: &'r Layout,
    options: &'r ImportOptions,
    report: &'r mut Report,
    year_in_title: Option<ReleaseYear>,
    /// The attributes with defaults.
    pub missing: Vec<Field>,
}

impl<'r> Conversion<'r> {
    pub(super) fn of(
        record: &'r Record<'r>,
        layout: &'r Layout,
        options: &'r ImportOptions,
        report: &'r mut Report,
    ) -> Self {
        Self { record, layout, options, report, year_in_title: None, missing: Vec::new() }
    }

    pub(super) fn title(&mut self) -> Result<Title, WrongCell> {
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
        match (self.layout.titles, self.record.cells.title.as_ref()) {
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
        let upright = title.replace(['\u{202d}', '\u{202e}'], "");
        let collapsed = upright.split_whitespace().collect::<Vec<_>>().join(" ");
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

    pub(super) fn movie_format(&mut self) -> Result<MovieFormat, WrongCell> {
        self.read(Field::MovieFormat, self.options.defaults.movie_format.as_ref(), |row, cell| {
            let medium = cell.text()?;
            let is_exact = row.layout.ratings.is_none();
            let parse = if is_exact { MovieFormat::parse } else { MovieFormat::parse_any_case };
            let format =
                row.options.format_of(medium).map_or_else(|| parse(medium), Ok).map_err(|invalid| {
                    // DVD is only an example in the message, as the format closest to other discs and files.
                    let example = format!("{}:{}", medium.trim(), MovieFormat::Dvd.as_str());
                    invalid.with_hint("; give its format, such as ", "mapFormat", example, "")
                })?;
            if format.as_str() != medium {
                row.note(Field::MovieFormat, NoteKind::Mapped, cell, &format);
            }
            Ok(format)
        })
    }

    pub(super) fn length(&mut self) -> Result<Length, WrongCell> {
        self.read(Field::Length, self.options.defaults.length.as_ref(), |row, cell| {
            let Cell::Text(text) = cell else { return cell.whole()?.try_into() };
            let (length, rounded) = Length::parse(text)?;
            if rounded {
                row.note(Field::Length, NoteKind::Rounded, cell, &length);
            }
            Ok(length)
        })
    }

    pub(super) fn release_year(&mut self) -> Result<ReleaseYear, WrongCell> {
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

    pub(super) fn rating(&mut self) -> Result<Rating, WrongCell> {
        self.read(Field::Rating, self.options.defaults.rating.as_ref(), |row, cell| {
            let Cell::Text(text) = cell else { return cell.whole()?.try_into() };
            let Some(scale) = row.scale() else { return values::exact_rating(trimmed(text)) };
            let (rating, rounded) = scale.rating(trimmed(text))?;
            if rounded {
                row.note(Field::Rating, NoteKind::Rounded, cell, &rating);
            }
            Ok(rating)
        })
    }

    fn scale(&self) -> Option<Scale> {
        let usual = self.layout.ratings;
        let up_to = |most: u8| Scale { most: most.into(), ..usual.unwrap_or(SPREADSHEET_RATINGS) };
        self.options.rating_scale.map(up_to).or(usual)
    }

    /// Returns the cell of an attribute, unless its value means "none".
    fn given(&self, field: Field) -> Option<&'r Cell<'r>> {
        let no_rating = |cell: &Cell| {
            let scale = self.scale().filter(|_| field == Field::Rating);
            scale.is_some_and(|scale| cell.text().is_ok_and(|text| scale.is_none(text)))
        };
        self.record.cells[field].as_ref().filter(|cell| !cell.is_blank() && !no_rating(cell))
    }

    fn read<T: Clone + Serialize>(
        &mut self,
        field: Field,
        default: Option<&T>,
        parse: impl FnOnce(&mut Self, &'r Cell<'r>) -> Result<T, Invalid>,
    ) -> Result<T, WrongCell> {
        let name = field.as_str();
        let (rule, value) = match (self.given(field), default) {
            (Some(cell), _) => match parse(self, cell) {
                Ok(value) => return Ok(value),
                Err(rule) => (rule, Some(RowError::shown(&cell.shown()))),
            },
            (None, Some(default)) => {
                self.missing.push(field);
                self.report.note(self.record.line, NoteKind::Defaulted, |note| {
                    let became = json!(default);
                    let detail = match self.options.on_duplicate {
                        OnDuplicate::Update => format!("is missing, becomes {became} in a new movie"),
                        OnDuplicate::Skip | OnDuplicate::Add => format!("is missing, became {became}"),
                    };
                    Note { field: Some(name.into()), detail, became: Some(became), ..note }
                });
                return Ok(default.clone());
            }
            (None, None) => {
                let value = format!("{name}:VALUE");
                let missing = Invalid::new(Code::Required, "is missing").with_hint(
                    ", and there is no default for it (",
                    "default",
                    value,
                    ")",
                );
                let rule = match hints::column_for(field, self.record) {
                    Some(column) => {
                        let column = format!("{name}:{column}");
                        missing.with_hint("; ", "map", column, " takes it from this column")
                    }
                    None => missing,
                };
                (rule, None)
            }
        };
        Err(WrongCell { field, rule, value })
    }

    /// Adds a note about a changed cell.
    fn note(&mut self, field: Field, kind: NoteKind, cell: &Cell, became: &impl Serialize) {
        self.report.note(self.record.line, kind, |note| {
            let (became, value) = (json!(became), Some(RowError::shown(&cell.shown())));
            let detail = format!("became {became}");
            Note { field: Some(field.as_str().into()), detail, value, became: Some(became), ..note }
        });
    }
}
