//! What an import is to do with what it finds.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{encoding::Encoding, record::with_default};
use crate::domain::{Code, Field, Invalid, MovieFormat, MoviePatch, quoted};

/// The choices of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    pub source: Source,
    /// The encoding of a file that is neither UTF-8 nor has a byte order mark.
    pub encoding: Option<Encoding>,
    /// What a row gets where the file gives nothing for an attribute.
    pub defaults: MoviePatch,
    /// The columns that hold an attribute under another name.
    pub columns: HashMap<Field, String>,
    /// Attributes that are not read from the file, though it may have a column for them.
    pub unread: Vec<Field>,
    /// Our formats for foreign media, whose names stand in small letters.
    pub formats: HashMap<String, MovieFormat>,
    pub on_duplicate: OnDuplicate,
    pub on_error: OnError,
    pub title_too_long: TitleTooLong,
    /// Do everything but store.
    pub dry_run: bool,
}

/// A choice among words, as an option of an import.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $first:ident = $first_word:literal $(, $(#[$more:meta])* $variant:ident = $word:literal)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub enum $name {
            #[default]
            #[serde(rename = $first_word)]
            $first,
            $($(#[$more])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every choice, in the order in which they are listed.
            pub const ALL: &[Self] = &[Self::$first $(, Self::$variant)*];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$variant => $word,)*
                }
            }

            /// Reads one of the words.
            ///
            /// # Errors
            /// Any other text.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                match text {
                    $first_word => Ok(Self::$first),
                    $($word => Ok(Self::$variant),)*
                    other => Err(Invalid::new(Code::NotAllowed, format!(
                        concat!("must be one of ", $first_word, $(", ", $word,)* ", got {}"), quoted(other)
                    ))),
                }
            }
        }
    };
}

choice!(
    /// Whose layout the file has.
    Source {
        Auto = "auto", Reelshelf = "reelshelf", Letterboxd = "letterboxd", Imdb = "imdb",
        Movielens = "movielens", Tellico = "tellico", Clz = "clz", Libib = "libib"
    }
);
choice!(
    /// What becomes of a movie that is there already: same title (case and accents aside), release
    /// year and format.
    OnDuplicate { Skip = "skip", Add = "add", Update = "update" }
);
choice!(
    /// What becomes of the whole when a row is invalid.
    OnError { Abort = "abort", Skip = "skip" }
);
choice!(
    /// What becomes of a title of more than 50 characters.
    TitleTooLong { Error = "error", Truncate = "truncate" }
);

impl ImportOptions {
    /// Reads `FIELD:VALUE`, a default for an attribute, which is read as the other options say.
    ///
    /// # Errors
    /// Another form, an unknown attribute, one that has a default already, a value that breaks a rule.
    pub fn add_default(&mut self, text: &str) -> Result<(), Invalid> {
        let (field, value) = field_and_text(text)?;
        let read = with_default(field, value, self);
        let (defaults, first) =
            read.map_err(|invalid| Invalid::new(invalid.1, format!("{} {}", field.as_str(), invalid.0)))?;
        self.defaults = defaults;
        once(field.as_str(), first)
    }

    /// Reads `FIELD:COLUMN`, the name of an attribute's column.
    ///
    /// # Errors
    /// Another form, an unknown attribute, one that has a column already.
    pub fn add_column(&mut self, text: &str) -> Result<(), Invalid> {
        let (field, column) = field_and_text(text)?;
        once(field.as_str(), self.columns.insert(field, column.trim().to_owned()).is_none())
    }

    /// Reads `MEDIUM:FORMAT`, our format for a foreign medium.
    ///
    /// # Errors
    /// Another form, an unknown format, a medium that has a format already.
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

    /// Our format for a foreign medium, case and blanks around it aside.
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
