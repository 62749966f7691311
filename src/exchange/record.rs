//! A row of a file: what stands there for each attribute, and how it becomes a movie.

use super::{ImportOptions, RowError, TitleTooLong};
use crate::{
    domain::{Attributes, Field, Invalid, Length, MovieFormat, Rating, ReleaseYear, Title},
    json::Node,
};

/// A row of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// What stands there for each attribute, in the order of [`Field::ALL`].
    pub cells: [Option<Cell>; 5],
}

/// What stands in one place of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text, as in CSV, in which a number may stand.
    Text(String),
    /// A JSON value, which has a type.
    Json(Node),
}

impl Cell {
    /// Whether nothing stands there.
    fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Json(node) => matches!(node, Node::Null),
        }
    }

    fn text(&self) -> Result<&str, Invalid> {
        match self {
            Self::Text(text) => Ok(text.trim()),
            Self::Json(node) => node.text(),
        }
    }

    /// A whole number; one with a fraction of zero is one, as in JSON.
    fn whole(&self) -> Result<i64, Invalid> {
        match self {
            Self::Json(node) => node.whole(),
            Self::Text(text) => {
                let text = text.trim();
                let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
                let zero = !fraction.is_empty() && fraction.bytes().all(|b| b == b'0');
                whole
                    .parse()
                    .ok()
                    .filter(|_| zero && !whole.starts_with('+'))
                    .ok_or_else(|| Invalid("must be a whole number".to_owned()))
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Json(Node::Text(text)) => RowError::shown(text),
            Self::Json(node) => node.to_string(),
        }
    }
}

/// Whether a text can stand for an attribute, as the options have it read.
///
/// # Errors
/// The rule that it breaks.
pub(super) fn check(field: Field, text: &str, options: &ImportOptions) -> Result<(), Invalid> {
    let cell = Cell::Text(text.to_owned());
    match field {
        Field::Title => title(&cell, options).map(drop),
        Field::MovieFormat => movie_format(&cell, options).map(drop),
        Field::Length => Length::try_from(cell.whole()?).map(drop),
        Field::ReleaseYear => ReleaseYear::try_from(cell.whole()?).map(drop),
        Field::Rating => Rating::try_from(cell.whole()?).map(drop),
    }
}

fn title(cell: &Cell, options: &ImportOptions) -> Result<Title, Invalid> {
    match options.title_too_long {
        TitleTooLong::Error => Title::parse(cell.text()?),
        TitleTooLong::Truncate => Title::parse_truncating(cell.text()?),
    }
}

fn movie_format(cell: &Cell, options: &ImportOptions) -> Result<MovieFormat, Invalid> {
    let medium = cell.text()?;
    options.formats.get(medium).copied().map_or_else(|| MovieFormat::parse(medium), Ok).map_err(|invalid| {
        Invalid(format!("{}; mapFormat=MEDIUM:FORMAT says what a medium stands for", invalid.0))
    })
}

impl Record {
    /// The movie that the row describes.
    ///
    /// # Errors
    /// Every attribute that is invalid, or missing without a default.
    pub fn attributes(&self, options: &ImportOptions) -> Result<Attributes, Vec<RowError>> {
        let mut errors = Vec::new();
        let title = self.read(Field::Title, options, &mut errors, |cell| title(cell, options));
        let movie_format =
            self.read(Field::MovieFormat, options, &mut errors, |cell| movie_format(cell, options));
        let length = self.read(Field::Length, options, &mut errors, |cell| Length::try_from(cell.whole()?));
        let release_year =
            self.read(Field::ReleaseYear, options, &mut errors, |cell| ReleaseYear::try_from(cell.whole()?));
        let rating = self.read(Field::Rating, options, &mut errors, |cell| Rating::try_from(cell.whole()?));
        match (title, movie_format, length, release_year, rating) {
            (Some(title), Some(movie_format), Some(length), Some(release_year), Some(rating)) => {
                Ok(Attributes { title, movie_format, length, release_year, rating })
            }
            _ => Err(errors),
        }
    }

    fn read<T>(
        &self,
        field: Field,
        options: &ImportOptions,
        errors: &mut Vec<RowError>,
        parse: impl FnOnce(&Cell) -> Result<T, Invalid>,
    ) -> Option<T> {
        let given = self.cells[field as usize].as_ref().filter(|cell| !cell.is_blank());
        let default = options.defaults.get(&field).map(|text| Cell::Text(text.clone()));
        let Some(cell) = given.or(default.as_ref()) else {
            let name = field.as_str();
            errors.push(RowError {
                line: self.line,
                field: Some(name.into()),
                detail: format!("is missing, and there is no default for it (default={name}:VALUE)"),
                value: None,
            });
            return None;
        };
        let invalid = match parse(cell) {
            Ok(value) => return Some(value),
            Err(invalid) => invalid,
        };
        errors.push(RowError {
            line: self.line,
            field: Some(field.as_str().into()),
            detail: invalid.0,
            value: Some(cell.shown()),
        });
        None
    }
}
