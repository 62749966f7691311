//! Options of an import.

use std::collections::HashMap;

use super::{conversion::with_default, encoding::Encoding};
use crate::{
    documents::{OnDuplicate, OnError, Source, TitleTooLong},
    domain::{Code, Field, Invalid, MovieFormat, MoviePatch, quoted},
};

/// The options of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    pub source: Source,
    /// The encoding of a file that is neither UTF-8 nor has a byte order mark.
    pub encoding: Option<Encoding>,
    /// Values for attributes that a row lacks.
    pub defaults: MoviePatch,
    /// Columns of attributes with other names.
    pub columns: HashMap<Field, String>,
    /// Attributes that are not read from the file, even if it has a column for them.
    pub unread: Vec<Field>,
    /// Our formats for foreign media, by lower-case name.
    pub formats: HashMap<String, MovieFormat>,
    /// The best rating of the file, if it is not that of the layout.
    pub rating_scale: Option<u8>,
    pub on_duplicate: OnDuplicate,
    pub on_error: OnError,
    pub title_too_long: TitleTooLong,
    /// Validate and report without storing.
    pub dry_run: bool,
}

impl ImportOptions {
    /// Parses `FIELD:VALUE`, a default for an attribute. Errors call the attribute by its `name`.
    ///
    /// # Errors
    /// If the form, the attribute or the value is invalid, or the attribute has a default already.
    pub fn add_default(&mut self, text: &str, name: fn(Field) -> &'static str) -> Result<(), Invalid> {
        let (field, value) = field_and_text(text)?;
        let first = self.set_default(field, value).map_err(|invalid| invalid.of(name(field)))?;
        once(name(field), first)
    }

    /// Sets the default of an attribute. Returns whether it is the first one.
    ///
    /// # Errors
    /// If the value is invalid.
    pub fn set_default(&mut self, field: Field, value: &str) -> Result<bool, Invalid> {
        let (defaults, first) = with_default(field, value, self)?;
        self.defaults = defaults;
        Ok(first)
    }

    /// Parses `FIELD:COLUMN`, the column of an attribute. Errors call the attribute by its `name`.
    ///
    /// # Errors
    /// If the form or the attribute is invalid, or the attribute has a column already.
    pub fn add_column(&mut self, text: &str, name: fn(Field) -> &'static str) -> Result<(), Invalid> {
        let (field, column) = field_and_text(text)?;
        once(name(field), self.columns.insert(field, column.trim().to_owned()).is_none())
    }

    /// Parses `MEDIUM:FORMAT`, our format for a foreign medium.
    ///
    /// # Errors
    /// If the form or the format is invalid, or the medium has a format already.
    pub fn add_format(&mut self, text: &str) -> Result<(), Invalid> {
        let (medium, format) = text.rsplit_once(':').ok_or_else(|| {
            Invalid::new(Code::Malformed, "must be MEDIUM:FORMAT, such as Blu-ray:DVD").got(quoted(text))
        })?;
        let format = MovieFormat::parse_any_case(format)?;
        once(medium, self.formats.insert(medium.trim().to_lowercase(), format).is_none())
    }

    /// Parses the best rating of a file: 2 to 100.
    ///
    /// # Errors
    /// [`Code::OutOfRange`]
    pub fn parse_rating_scale(text: &str) -> Result<u8, Invalid> {
        let scale = text.parse().ok().filter(|scale| (2..=100).contains(scale));
        scale.ok_or_else(|| {
            Invalid::new(Code::OutOfRange, "must be a whole number from 2 to 100, such as 10")
                .got(quoted(text))
        })
    }

    /// Returns our format for a foreign medium, ignoring case and surrounding spaces.
    #[must_use]
    pub fn format_of(&self, medium: &str) -> Option<MovieFormat> {
        if self.formats.is_empty() { None } else { self.formats.get(&medium.trim().to_lowercase()).copied() }
    }
}

fn field_and_text(text: &str) -> Result<(Field, &str), Invalid> {
    let (field, rest) =
        text.split_once(':').filter(|(_, rest)| !rest.trim().is_empty()).ok_or_else(|| {
            Invalid::new(Code::Malformed, "must be FIELD:TEXT, such as length:90").got(quoted(text))
        })?;
    Ok((Field::parse(field)?, rest))
}

fn once(name: &str, is_first: bool) -> Result<(), Invalid> {
    let again = || Invalid::new(Code::Repeated, format!("must be given only once for {}", quoted(name)));
    is_first.then_some(()).ok_or_else(again)
}
