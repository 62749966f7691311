//! Options of an import.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{encoding::Encoding, record::with_default};
use crate::domain::{Code, Field, Invalid, MovieFormat, MoviePatch, quoted};

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
    pub on_duplicate: OnDuplicate,
    pub on_error: OnError,
    pub title_too_long: TitleTooLong,
    /// Validate and report without storing.
    pub dry_run: bool,
}

/// An option with a few named values. API, pages, command line and OpenAPI description list them all from
/// here.
pub trait Choice: Copy + Default + PartialEq + Send + Sync + 'static {
    /// The name of the option in the API and the form.
    const NAME: &'static str;
    /// All values in display order; the default comes first.
    const ALL: &'static [Self];

    /// Returns the value as written in the API and on the command line.
    fn as_str(self) -> &'static str;

    /// Returns the label on the page.
    fn label(self) -> &'static str;

    /// Parses a value.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for any other text.
    fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.iter().copied().find(|choice| choice.as_str() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|choice| choice.as_str()).collect();
            let rule = format!("must be one of {}, got {}", words.join(", "), quoted(text));
            Invalid::new(Code::NotAllowed, rule)
        })
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $option:literal {
        $first:ident = $first_word:literal, $first_label:literal $(; $variant:ident = $word:literal, $label:literal)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub enum $name {
            #[default]
            #[serde(rename = $first_word)]
            $first,
            $(#[serde(rename = $word)] $variant,)*
        }

        impl Choice for $name {
            const NAME: &'static str = $option;
            const ALL: &'static [Self] = &[Self::$first $(, Self::$variant)*];

            fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$variant => $word,)*
                }
            }

            fn label(self) -> &'static str {
                match self {
                    Self::$first => $first_label,
                    $(Self::$variant => $label,)*
                }
            }
        }
    };
}

choice!(
    /// The layout of the file.
    Source, "source" {
        Auto = "auto", "detect from the header";
        Reelshelf = "reelshelf", "Reelshelf";
        Letterboxd = "letterboxd", "Letterboxd";
        Imdb = "imdb", "IMDb";
        Movielens = "movielens", "MovieLens";
        Tellico = "tellico", "Tellico";
        Clz = "clz", "CLZ Movies";
        Libib = "libib", "Libib"
    }
);
choice!(
    /// What to do with a duplicate: a movie with the same title (ignoring case and accents), release year and
    /// format.
    OnDuplicate, "onDuplicate" {
        Skip = "skip", "keep mine";
        Add = "add", "add them once more";
        Update = "update", "take what the file says"
    }
);
choice!(
    /// What to do with the file if a row is invalid.
    OnError, "onError" {
        Abort = "abort", "import nothing";
        Skip = "skip", "import the others"
    }
);
choice!(
    /// What to do with a title of more than 50 characters.
    TitleTooLong, "titleTooLong" {
        Error = "error", "reject";
        Truncate = "truncate", "shorten with …"
    }
);

impl ImportOptions {
    /// Parses `FIELD:VALUE`, a default for an attribute.
    ///
    /// # Errors
    /// If the form, the attribute or the value is invalid, or the attribute has a default already.
    pub fn add_default(&mut self, text: &str) -> Result<(), Invalid> {
        let (field, value) = field_and_text(text)?;
        let read = with_default(field, value, self);
        let (defaults, first) =
            read.map_err(|invalid| Invalid::new(invalid.1, format!("{} {}", field.as_str(), invalid.0)))?;
        self.defaults = defaults;
        once(field.as_str(), first)
    }

    /// Parses `FIELD:COLUMN`, the column of an attribute.
    ///
    /// # Errors
    /// If the form or the attribute is invalid, or the attribute has a column already.
    pub fn add_column(&mut self, text: &str) -> Result<(), Invalid> {
        let (field, column) = field_and_text(text)?;
        once(field.as_str(), self.columns.insert(field, column.trim().to_owned()).is_none())
    }

    /// Parses `MEDIUM:FORMAT`, our format for a foreign medium.
    ///
    /// # Errors
    /// If the form or the format is invalid, or the medium has a format already.
    pub fn add_format(&mut self, text: &str) -> Result<(), Invalid> {
        let (medium, format) = text.rsplit_once(':').ok_or_else(|| {
            Invalid::new(
                Code::Malformed,
                format!("must be MEDIUM:FORMAT, such as Blu-ray:DVD, got {}", quoted(text)),
            )
        })?;
        let format = MovieFormat::parse_any_case(format)?;
        once(medium, self.formats.insert(medium.trim().to_lowercase(), format).is_none())
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
            Invalid::new(
                Code::Malformed,
                format!("must be FIELD:TEXT, such as length:90, got {}", quoted(text)),
            )
        })?;
    Ok((Field::parse(field)?, rest))
}

fn once(name: &str, is_first: bool) -> Result<(), Invalid> {
    let again = || Invalid::new(Code::Repeated, format!("must be given only once for {}", quoted(name)));
    is_first.then_some(()).ok_or_else(again)
}
