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
    /// Our formats for foreign media, whose names are in small letters.
    pub formats: HashMap<String, MovieFormat>,
    pub on_duplicate: OnDuplicate,
    pub on_error: OnError,
    pub title_too_long: TitleTooLong,
    /// Do everything but store.
    pub dry_run: bool,
}

/// An option of an import that is one of a few words. API, pages, command line and the API's description offer all of
/// its values.
pub trait Choice: Copy + Default + PartialEq + Send + Sync + 'static {
    /// The option's name in the API and in the form of the page.
    const NAME: &'static str;
    /// Every value, in the order in which they are listed; the default comes first.
    const ALL: &'static [Self];

    /// The word that stands for the value in the API and on the command line.
    fn as_str(self) -> &'static str;

    /// What the page calls the value.
    fn label(self) -> &'static str;

    /// Reads one of the words.
    ///
    /// # Errors
    /// Any other text.
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
    /// Whose layout the file has.
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
    /// What happens to a movie that is there already: same title (case and accents aside), release
    /// year and format.
    OnDuplicate, "onDuplicate" {
        Skip = "skip", "keep mine";
        Add = "add", "add them once more";
        Update = "update", "take what the file says"
    }
);
choice!(
    /// What happens to the whole file when a row is invalid.
    OnError, "onError" {
        Abort = "abort", "import nothing";
        Skip = "skip", "import the others"
    }
);
choice!(
    /// What happens to a title of more than 50 characters.
    TitleTooLong, "titleTooLong" {
        Error = "error", "reject";
        Truncate = "truncate", "shorten with …"
    }
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
